//! `cargo xtask soak`: what shows itself only after a while.
//!
//! Without more it puts load on a server at full speed and looks at its memory; `soak alarms` has a
//! manager poll a server that is well, in real time, and counts what it tells.

use std::path::Path;
use std::process::Command;

use crate::bench;
use crate::metadata::{self, cargo};
use crate::process::Runner;
use crate::setup::{Tool, Tools};

/// The test of [`alarms`].
const NO_ALARM: &str = "no_alarm_is_false::of_a_server_that_is_well_nothing_is_told";
/// How long it lasts beside the other tests.
pub(crate) const ALARM_MINUTES: u32 = 10;
/// Tells it how many minutes to last.
const MINUTES: &str = "USHER_ALARM_MINUTES";

/// Runs one of them.
pub(crate) fn run(root: &Path, options: &[String]) -> Result<(), String> {
    match options.split_first() {
        Some((first, rest)) if first == "alarms" => alarms(root, minutes(rest)?),
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

fn alarms(root: &Path, minutes: u32) -> Result<(), String> {
    let runner = Runner::new()?;
    let target = metadata::target_directory(&metadata::read(root)?)?;
    runner.run(
        Command::new(cargo())
            .args(["build", "--workspace", "--bins", "--tests", "--locked"])
            .current_dir(root),
    )?;
    let nextest = Tools::under(&target).get(&runner, Tool::Nextest)?;
    runner.run(&mut no_alarm(&nextest, root, &target, minutes))
}

/// The test, by nextest; all that it needs is built.
pub(crate) fn no_alarm(nextest: &Path, root: &Path, target: &Path, minutes: u32) -> Command {
    let filter = format!("package(usher-tests) & test(={NO_ALARM})");
    let mut command = Command::new(nextest);
    command
        .args(["nextest", "run", "--workspace", "--locked"])
        .args(["--profile", "alarms", "--run-ignored", "only"])
        .args(["--no-capture", "--filterset", &filter])
        .env("USHER_BIN", target.join("debug/usher"))
        .env(MINUTES, minutes.to_string())
        .current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

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
