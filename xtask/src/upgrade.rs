//! `cargo xtask bench upgrade`: the version before this one, built from its own commit, is upgraded
//! to this one under load, on a real systemd.

use std::path::Path;
use std::process::Command;

use crate::earlier;
use crate::metadata;
use crate::process::Runner;
use crate::setup::{Tool, Tools};

/// The last commit of the version before: 0.1.0, with schema 1.
const BEFORE: &str = "7dd8ad8";
const TEST: &str = "a_million_leases_are_upgraded::the_version_before_is_upgraded_under_load_with_a_million_leases";
/// Tells it how many leases are out.
const LEASES: &str = "USHER_LEASES";

/// Builds both versions and runs the test, which prints a table.
pub(crate) fn run(root: &Path, options: &[String]) -> Result<(), String> {
    let leases = leases(options)?;
    let runner = Runner::new()?;
    let target = metadata::target_directory(&metadata::read(root)?)?;
    let before = earlier::built(&runner, root, &target, BEFORE)?;
    runner.run(&mut earlier::release(root, &target))?;
    let nextest = Tools::under(&target).get(&runner, Tool::Nextest)?;
    let filter = format!("package(usher-tests) & test(={TEST})");
    let mut test = Command::new(nextest);
    test.args(["nextest", "run", "--workspace", "--locked"])
        .args(["--profile", "alarms", "--run-ignored", "only"])
        .args(["--no-capture", "--filterset", &filter])
        .env("USHER_BIN", target.join("release/usher"))
        .env("USHER_OLD", before)
        .env(LEASES, leases.to_string())
        .current_dir(root);
    runner.run(&mut test)
}

fn leases(options: &[String]) -> Result<u32, String> {
    let given = match options {
        [] => return Ok(1_000_000),
        [option, given] if option == "--leases" => given,
        _ => return Err("bench upgrade takes --leases N and nothing else".to_owned()),
    };
    match given.parse() {
        Ok(leases @ 1..=10_000_000) => Ok(leases),
        _ => Err(format!(
            "`{given}` is no number of leases from 1 to 10,000,000"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_leases_are_out_or_as_many_as_are_given() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            leases(&words)
        };
        assert_eq!(of(&[]), Ok(1_000_000));
        assert_eq!(of(&["--leases", "5000"]), Ok(5_000));
        assert!(of(&["--leases", "0"]).is_err());
        assert!(of(&["5000"]).unwrap_err().contains("--leases N"));
    }
}
