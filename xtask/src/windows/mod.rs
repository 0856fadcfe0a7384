//! `cargo xtask windows`, a step of `test`: what is to run on Windows compiles for it.
//!
//! It is checked, not linked and not run: that takes a linker for Windows and a Windows, and finds
//! nothing that a platform's difference in the source would not.

mod toolchain;

use std::path::Path;

use crate::metadata::{self, cargo};
use crate::process::Runner;
use crate::setup;
use toolchain::Toolchain;

/// What is compiled for.
const TARGET: &str = "x86_64-pc-windows-gnu";
/// The compiler of the C code that comes with crates (SQLite, ring).
const C_COMPILER: &str = "x86_64-w64-mingw32-gcc";
/// What the commands that are not there yet have of their own is no waste.
const LINTS: &str = "-Dwarnings -Adead_code";
/// The crates that are to run on Windows; of the program `usher` the commands that ask a server.
const PACKAGES: [&str; 13] = [
    "usher-core",
    "usher-platform",
    "usher-tls",
    "usher-vital",
    "usher-api",
    "usher-http",
    "usher-tables",
    "usher-service",
    "usher-store",
    "usher-site",
    "usher-manager",
    "usher-server",
    "usher",
];

/// Sets up what is missing, and checks; an error says what does not compile or cannot be had.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let target = metadata::target_directory(&metadata::read(root)?)?;
    let runner = Runner::new()?;
    set_up(&runner, &target).and_then(|toolchain| check(&runner, root, &toolchain))
}

/// What compiles for Windows here.
pub(crate) fn set_up(runner: &Runner, target: &Path) -> Result<Toolchain, String> {
    setup::debian(runner, setup::WINDOWS)?;
    Toolchain::get(runner, target)
}

/// Compiles, as far as the types.
pub(crate) fn check(runner: &Runner, root: &Path, toolchain: &Toolchain) -> Result<(), String> {
    let mut command = cargo();
    command
        .args(["check", "--locked", "--quiet", "--target", TARGET])
        .current_dir(root)
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", LINTS)
        .env("CC_x86_64_pc_windows_gnu", C_COMPILER);
    for package in PACKAGES {
        command.args(["-p", package]);
    }
    toolchain.apply(&mut command);
    runner.run(&mut command)
}
