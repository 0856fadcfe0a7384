//! `cargo xtask fuzz`: each reader of foreign bytes is given made-up bytes, for some minutes each.
//!
//! libFuzzer makes the bytes, from the texts of the reader's own tests or from small programs. What it tried that reached
//! something new stays under the target directory, so a later run goes on from there. Rust as it is
//! released is enough: the compiler's passes that count what is reached are no unstable options.

mod programs;
mod ran;
mod seeds;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::metadata::{self, cargo};
use crate::process::Runner;

use self::ran::Ran;
use self::target::Target;

/// How long each target runs if nobody says.
const MINUTES: u64 = 10;
const MINUTES_LIMIT: u64 = 24 * 60;
/// The longest input that is made up.
const INPUT_LIMIT_BYTES: u32 = 8 * 1024;
/// An input that takes longer is a finding.
const INPUT_LIMIT_SECONDS: u32 = 10;
/// More memory than that is a finding.
const MEMORY_LIMIT_MB: u32 = 1024;

/// What libFuzzer needs: counters, a table of places, and the operands of comparisons. Overflows and
/// debug assertions are findings too.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg",
    "fuzzing",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// Runs the targets that are named, or all.
pub(crate) fn run(root: &Path, options: &[String]) -> Result<(), String> {
    let asked = asked(options)?;
    let runner = Runner::new()?;
    let folder = metadata::target_directory(&metadata::read(root)?)?.join("fuzz");
    for package in packages(&asked.targets) {
        build(&runner, &root.join(package), &folder)?;
    }
    let mut table = vec![Ran::HEADER.to_owned()];
    let mut found = Vec::new();
    for target in &asked.targets {
        let ran = fuzz(&runner, root, &folder, target, asked.minutes)?;
        table.push(ran.row(target.name));
        if let Some(finding) = &ran.finding {
            found.push(format!("{}: {finding}", target.name));
        }
    }
    println!("\n{}", table.join("\n"));
    match found.is_empty() {
        true => Ok(()),
        false => Err(format!("findings:\n  {}", found.join("\n  "))),
    }
}

#[derive(Debug)]
struct Asked {
    minutes: u64,
    targets: Vec<&'static Target>,
}

fn asked(options: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        minutes: MINUTES,
        targets: Vec::new(),
    };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option == "--minutes" {
            let given = options.next().and_then(|given| given.parse().ok());
            asked.minutes = given
                .filter(|minutes| (1..=MINUTES_LIMIT).contains(minutes))
                .ok_or_else(|| format!("--minutes takes a number from 1 to {MINUTES_LIMIT}"))?;
        } else {
            asked.targets.push(Target::of_name(option)?);
        }
    }
    if asked.targets.is_empty() {
        asked.targets = Target::ALL.iter().collect();
    }
    Ok(asked)
}

/// The packages of these targets, each once.
fn packages(targets: &[&'static Target]) -> Vec<&'static str> {
    let mut packages: Vec<&str> = targets.iter().map(|target| target.package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// Builds the targets of a package. The triple is named so that build scripts and macros, which run in
/// the compiler, have no counters.
fn build(runner: &Runner, package: &Path, folder: &Path) -> Result<(), String> {
    let mut command = cargo();
    command
        .args(["build", "--release", "--target", &triple()?])
        .env("RUSTFLAGS", FLAGS.join(" "))
        .env("CARGO_TARGET_DIR", folder)
        .current_dir(package);
    runner.run(&mut command)
}

/// The triple of this computer, as the compiler says it.
fn triple() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| format!("cannot start rustc: {error}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| "rustc -vV names no host".to_owned())
}

fn fuzz(
    runner: &Runner,
    root: &Path,
    folder: &Path,
    target: &Target,
    minutes: u64,
) -> Result<Ran, String> {
    let program = folder.join(triple()?).join("release").join(target.program);
    let corpus = made(folder.join("corpus").join(target.name))?;
    let seeds = made(folder.join("seeds").join(target.name))?;
    let findings = made(folder.join("findings").join(target.name))?;
    seeds::write(root, target.seeds, &seeds)?;
    let log = folder.join(format!("{}.log", target.name));
    let mut command = Command::new(program);
    command
        .args([&corpus, &seeds])
        .arg(format!("-max_total_time={}", minutes * 60))
        .arg(format!("-max_len={INPUT_LIMIT_BYTES}"))
        .arg(format!("-timeout={INPUT_LIMIT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT_MB}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg("-print_final_stats=1")
        .current_dir(folder);
    if let Some(kind) = target.kind {
        command.env("USHER_KIND", kind);
    }
    println!("xtask fuzz: {} for {minutes} min", target.name);
    let mut process = runner.begin(&mut command, &log)?;
    // Minutes and a half for what it does at its ends.
    let limit = Duration::from_secs(minutes * 60 + 90);
    crate::bounded::within(limit, || process.has_ended() || runner.is_interrupted());
    // How it ended is in what it said, and that is read in any case.
    let _ = runner.end(process);
    if runner.is_interrupted() {
        return Err("interrupted".to_owned());
    }
    let said = fs::read_to_string(&log).map_err(|error| format!("{log:?}: {error}"))?;
    Ok(Ran::read(&said))
}

fn made(folder: PathBuf) -> Result<PathBuf, String> {
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {folder:?}: {error}"))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(options: &[&str]) -> Result<Asked, String> {
        asked(&options.iter().map(|&o| o.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_targets_run_for_ten_minutes_unless_others_are_named() {
        let all = asked_for(&[]).unwrap();
        assert_eq!((all.minutes, all.targets.len()), (10, Target::ALL.len()));
        let one = asked_for(&["lmstat", "--minutes", "3"]).unwrap();
        assert_eq!((one.minutes, one.targets.len()), (3, 1));
        assert_eq!(one.targets[0].name, "lmstat");
    }

    #[test]
    fn what_is_no_target_and_no_number_of_minutes_is_refused() {
        for bad in [&["lmstatt"][..], &["--minutes"], &["--minutes", "0"]] {
            assert!(asked_for(bad).is_err(), "{bad:?}");
        }
    }
}
