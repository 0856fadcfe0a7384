//! `cargo xtask soak`: what shows itself only after a while.
//!
//! Without more it puts load on a server at full speed and looks at its memory; `soak alarms` has a
//! manager poll a server that is well, in real time, and counts what it tells; `soak storm` starts
//! thousands of programs while everything else fails, and judges what became of them; `soak growth`
//! sends millions of made-up names and keys, and looks at what a server keeps of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench;
use crate::metadata::{self, BUILD, cargo};
use crate::process::Runner;
use crate::setup::{Tool, Tools};

/// The test of [`alarms`].
const NO_ALARM: &str = "no_alarm_is_false::of_a_server_that_is_well_nothing_is_told";
/// How long it lasts beside the other tests.
pub(crate) const ALARM_MINUTES: u32 = 10;
/// Tells it how many minutes to last.
const MINUTES: &str = "USHER_ALARM_MINUTES";

/// The test of [`storm`].
const STORM: &str = "a_storm_is_weathered::ten_thousand_starts_in_a_storm_are_kept_right";
const STARTS: &str = "USHER_STORM_STARTS";
const SEED: &str = "USHER_STORM_SEED";

/// Runs one of them.
pub(crate) fn run(root: &Path, options: &[String]) -> Result<(), String> {
    match options.split_first() {
        Some((first, rest)) if first == "alarms" => alarms(root, minutes(rest)?),
        Some((first, rest)) if first == "storm" => storm(root, &settings(rest)?),
        Some((first, rest)) if first == "growth" => {
            bench::measure(&Runner::new()?, root, "growth", rest)
        }
        _ => bench::measure(&Runner::new()?, root, "soak", options),
    }
}

fn minutes(options: &[String]) -> Result<u32, String> {
    let given = match options {
        [] => return Ok(ALARM_MINUTES),
        [option, given] if option == "--minutes" => given,
        _ => return Err("soak alarms takes --minutes N and nothing else".to_owned()),
    };
    match given.parse() {
        Ok(minutes @ 1..=720) => Ok(minutes),
        _ => Err(format!("`{given}` is no number of minutes from 1 to 720")),
    }
}

/// What `soak storm` was given, as the test takes it.
fn settings(options: &[String]) -> Result<Vec<(&'static str, u64)>, String> {
    const USAGE: &str = "soak storm takes --starts N, --seed N and nothing else";
    let (pairs, rest) = options.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(USAGE.to_owned());
    }
    let setting = |[option, given]: &[String; 2]| {
        let variable = match option.as_str() {
            "--starts" => STARTS,
            "--seed" => SEED,
            _ => return Err(USAGE.to_owned()),
        };
        let number = given.parse().ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| format!("`{given}` is no number above 0"))?;
        Ok((variable, number))
    };
    pairs.iter().map(setting).collect()
}

fn storm(root: &Path, settings: &[(&str, u64)]) -> Result<(), String> {
    let runner = Runner::new()?;
    let (nextest, target) = built(&runner, root)?;
    let mut command = lasting(&nextest, root, &target, STORM);
    for (variable, number) in settings {
        command.env(variable, number.to_string());
    }
    runner.run(&mut command)
}

fn alarms(root: &Path, minutes: u32) -> Result<(), String> {
    let runner = Runner::new()?;
    let (nextest, target) = built(&runner, root)?;
    runner.run(&mut no_alarm(&nextest, root, &target, minutes))
}

/// Builds all that a test needs; answers nextest and the folder of what was built.
pub(crate) fn built(runner: &Runner, root: &Path) -> Result<(PathBuf, PathBuf), String> {
    let target = metadata::target_directory(&metadata::read(root)?)?;
    let mut build = cargo();
    runner.run(build.args(BUILD).current_dir(root))?;
    let nextest = Tools::under(&target).get(runner, Tool::Nextest)?;
    Ok((nextest, target))
}

/// The test, by nextest; all that it needs is built.
pub(crate) fn no_alarm(nextest: &Path, root: &Path, target: &Path, minutes: u32) -> Command {
    let mut command = lasting(nextest, root, target, NO_ALARM);
    command.env(MINUTES, minutes.to_string());
    command
}

/// One of the tests that last.
pub(crate) fn lasting(nextest: &Path, root: &Path, target: &Path, test: &str) -> Command {
    let filter = format!("package(usher-tests) & test(={test})");
    let mut command = Command::new(nextest);
    command
        .args(["nextest", "run", "--workspace", "--locked"])
        .args(["--profile", "alarms", "--run-ignored", "only"])
        .args(["--no-capture", "--filterset", &filter])
        .env("USHER_BIN", target.join("debug/usher"))
        .current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_takes_a_number_of_starts_and_a_seed() {
        let of = |words: &str| {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            settings(&words)
        };
        assert_eq!(of(""), Ok(vec![]));
        assert_eq!(
            of("--seed 7 --starts 500"),
            Ok(vec![(SEED, 7), (STARTS, 500)])
        );
        for wrong in ["--seed", "--starts none", "--starts 0", "--minutes 9"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn alarms_last_ten_minutes_or_as_many_as_are_given() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            minutes(&words)
        };
        assert_eq!(of(&[]), Ok(10));
        assert_eq!(of(&["--minutes", "90"]), Ok(90));
        assert!(of(&["--minutes", "0"]).is_err());
        assert!(of(&["--hours", "1"]).unwrap_err().contains("--minutes N"));
    }
}
