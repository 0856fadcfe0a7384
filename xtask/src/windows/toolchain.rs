//! A Rust that compiles for Windows: the one that runs this, with the standard library that rustup
//! gets for it; else Debian's, which builds the standard library from its source.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::TARGET;
use crate::process::Runner;

/// How long the standard library may take to come.
const DOWNLOAD_AT_MOST: Duration = Duration::from_secs(300);
/// Debian's compiler of a recent Rust, which it has for its browsers, and the source of its
/// standard library. They are unpacked, not installed: they would replace another Rust.
const PACKAGES: [&str; 4] = [
    "rustc-web",
    "libstd-rust-web-dev",
    "rust-web-src",
    "libstd-rust-web-1.96",
];

/// What compiles.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The Rust that runs this.
    Own,
    /// Debian's, by this program, which says where its libraries are.
    Debian {
        rustc: PathBuf,
        /// Where it builds: what the one compiler made is nothing to the other.
        target: PathBuf,
    },
}

impl Toolchain {
    /// The first that can be had.
    pub(super) fn get(runner: &Runner, target: &Path) -> Result<Toolchain, String> {
        if has_library(TARGET) {
            return Ok(Toolchain::Own);
        }
        println!("getting Rust's standard library for Windows");
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]);
        let by_rustup = runner.run_within(DOWNLOAD_AT_MOST, &mut rustup);
        if has_library(TARGET) {
            return Ok(Toolchain::Own);
        }
        let folder = target.join("tools/windows");
        debian(runner, &folder)
            .map(|rustc| Toolchain::Debian {
                rustc,
                target: target.join("windows"),
            })
            .map_err(|by_debian| {
                let by_rustup = by_rustup.err().unwrap_or_else(|| {
                    "rustup said that it is there, and this Rust has none".to_owned()
                });
                format!(
                    "Rust's standard library for {TARGET} cannot be had.\n  by rustup: \
                     {by_rustup}\n  by Debian: {by_debian}\n  by hand: rustup target add {TARGET}"
                )
            })
    }

    /// Has a cargo command compile by it.
    pub(super) fn apply(&self, command: &mut Command) {
        if let Toolchain::Debian { rustc, target } = self {
            command
                .args(["-Zbuild-std=std,panic_abort", "--target-dir"])
                .arg(target)
                // A compiler that is called stable builds no standard library otherwise.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", rustc);
        }
    }
}

/// Whether the compiler that cargo uses has the standard library for `target`.
fn has_library(target: &str) -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let asked = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .output();
    let Ok(answer) = asked else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    answer.status.success() && folder.is_dir()
}

/// Unpacks Debian's Rust into a folder, unless it is there, and answers the program that starts it.
fn debian(runner: &Runner, folder: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", folder.display());
    let (root, rustc) = (folder.join("root"), folder.join("rustc"));
    if rustc.is_file() {
        return Ok(rustc);
    }
    let packages = folder.join("packages");
    fs::create_dir_all(&packages).map_err(failed)?;
    let mut download = Command::new("apt-get");
    download
        .args(["download", "-qq"])
        .args(PACKAGES)
        .arg(llvm()?)
        .current_dir(&packages);
    runner.run_within(DOWNLOAD_AT_MOST, &mut download)?;
    for package in fs::read_dir(&packages).map_err(failed)? {
        let package = package.map_err(failed)?.path();
        let mut unpack = Command::new("dpkg");
        unpack.arg("-x").arg(package).arg(&root);
        runner.run(&mut unpack)?;
    }
    fs::remove_dir_all(&packages).map_err(failed)?;
    // Last of all: if it is there, everything is.
    let text = starter(&root);
    fs::write(&rustc, text).map_err(failed)?;
    fs::set_permissions(&rustc, PermissionsExt::from_mode(0o755)).map_err(failed)?;
    Ok(rustc)
}

/// The LLVM that Debian's compiler is linked with.
fn llvm() -> Result<String, String> {
    let asked = Command::new("apt-cache")
        .args(["depends", "libstd-rust-web-1.96"])
        .output()
        .map_err(|error| format!("cannot start apt-cache: {error}"))?;
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    llvm_in(&text).ok_or_else(|| "Debian has no Rust of that version here".to_owned())
}

/// Lines are like `  Depends: libllvm22`.
fn llvm_in(depends: &str) -> Option<String> {
    let names = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "));
    let mut llvm = names.filter(|name| name.starts_with("libllvm"));
    llvm.next().map(str::to_owned)
}

/// A program that starts the unpacked compiler with its libraries.
fn starter(root: &Path) -> String {
    let root = root.display();
    format!(
        "#!/bin/sh\nfor llvm in {root}/usr/lib/llvm-*/lib; do :; done\n\
         export LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu:$llvm\n\
         exec {root}/usr/bin/rustc \"$@\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_library_is_found_and_none_of_a_target_that_there_is_not() {
        assert!(has_library("x86_64-unknown-linux-gnu"));
        assert!(!has_library("usher-no-such-target"));
    }

    #[test]
    fn another_compiler_builds_the_library_too_and_somewhere_else() {
        let words = |toolchain: &Toolchain| {
            let mut command = Command::new("cargo");
            toolchain.apply(&mut command);
            let words = command
                .get_args()
                .map(|word| word.to_string_lossy().into_owned());
            words.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words(&Toolchain::Own), "");
        let debian = Toolchain::Debian {
            rustc: "/tools/rustc".into(),
            target: "/target/windows".into(),
        };
        assert_eq!(
            words(&debian),
            "-Zbuild-std=std,panic_abort --target-dir /target/windows"
        );
    }

    #[test]
    fn the_llvm_that_a_compiler_is_linked_with_is_read_from_its_package() {
        let depends = "libstd-rust-web-1.96\n  Depends: libc6\n  Depends: libllvm22\n";
        assert_eq!(llvm_in(depends).as_deref(), Some("libllvm22"));
        assert_eq!(llvm_in("N: Unable to locate package\n"), None);
    }
}
