//! `cargo xtask bench`: Usher beside its peers, in one go on this machine.

use std::path::Path;
use std::process::Command;

use crate::build_cost;
use crate::earlier;
use crate::metadata::{self, cargo};
use crate::process::Runner;
use crate::setup;

/// Builds in release mode and runs `usher-bench WHAT`, by default side-by-side, which
/// writes docs/performance.md.
pub(crate) fn run(root: &Path, options: &[String]) -> Result<(), String> {
    let (what, options) = match options.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (first.as_str(), rest),
        _ => ("side-by-side", options),
    };
    let runner = Runner::new()?;
    match what {
        "against" => return against(&runner, root, options),
        "build" => return build_cost::run(&runner, root, options),
        _ => {}
    }
    let needs = match what {
        "gate" => setup::GATE_PEERS,
        // Of Python and DuckDB `reports` says itself if it has none.
        "versions" | "ingest" | "reports" | "whatif" | "catch-up" => &[],
        _ => setup::PEERS,
    };
    setup::debian(&runner, needs)?;
    measure(&runner, root, what, options)
}

/// Builds the commit that is named first, and measures this tree beside it in alternation.
fn against(runner: &Runner, root: &Path, options: &[String]) -> Result<(), String> {
    let Some((revision, rest)) = options
        .split_first()
        .filter(|(first, _)| !first.starts_with('-'))
    else {
        return Err(
            "bench against takes a commit first: cargo xtask bench against HEAD~1".to_owned(),
        );
    };
    let target = metadata::target_directory(&metadata::read(root)?)?;
    let other = earlier::built(runner, root, &target, revision)?;
    let mut all = vec!["--other".to_owned(), other.display().to_string()];
    all.extend_from_slice(rest);
    measure(runner, root, "versions", &all)
}

/// Builds in release mode and runs `usher-bench WHAT`.
pub(crate) fn measure(
    runner: &Runner,
    root: &Path,
    what: &str,
    options: &[String],
) -> Result<(), String> {
    runner.run(
        cargo()
            .args([
                "build",
                "--release",
                "-p",
                "usher",
                "-p",
                "usher-bench",
                "--bins",
            ])
            .current_dir(root),
    )?;
    let metadata = metadata::read(root)?;
    let built = metadata::target_directory(&metadata)?.join("release");
    runner.run(
        Command::new(built.join("usher-bench"))
            .arg(what)
            .args(options)
            .env("USHER_BIN", built.join("usher"))
            .current_dir(root),
    )
}
