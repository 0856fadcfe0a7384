//! `usher sim`: the same bytes for the same seed, and an exit code that tells of faults.

use std::process::Output;

use crate::support::{Folder, usher};

fn sim(args: &[&str]) -> Output {
    let folder = Folder::new();
    usher(&folder).arg("sim").args(args).output().unwrap()
}

#[test]
fn the_same_seed_prints_the_same_bytes_and_another_seed_others() {
    let first = sim(&["q299261", "--seed", "4"]);
    assert_eq!(first.status.code(), Some(0));
    assert!(first.stdout.ends_with(b"\nNo fault.\n"));
    let text = String::from_utf8_lossy(&first.stdout);
    assert!(text.contains("\nUsher's log: the store, "), "{text}");
    assert_eq!(first.stdout, sim(&["q299261", "--seed", "4"]).stdout);
    let in_memory = |seed| sim(&["q299261", "--log", "memory", "--seed", seed]).stdout;
    assert_ne!(in_memory("4"), in_memory("5"));
}

#[test]
fn a_fault_of_ushers_own_ends_the_command_with_1() {
    // Only a disk that lies needs one, and of what it may lose this seed's history loses little: a
    // store that finds its file damaged is tried again at each step.
    for (fault, log) in [
        ("false-stop", "memory"),
        ("deaf-to-work", "memory"),
        ("skipped-pack", "memory"),
        ("false-sync", "store"),
    ] {
        let output = sim(&["q299261", "--seed", "3", "--plant", fault, "--log", log]);
        assert_eq!(output.status.code(), Some(1), "{fault}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\nFaults:\n"), "{fault}: {text}");
    }
    let many = sim(&[
        "q299261",
        "--plant",
        "skipped-pack",
        "--log",
        "memory",
        "--seeds",
        "2",
        "--json",
    ]);
    assert_eq!(many.status.code(), Some(1));
    let series: serde_json::Value = serde_json::from_slice(&many.stdout).unwrap();
    assert_eq!(series["seeds_with_faults"], 2);
}

#[test]
fn which_log_ran_is_told_in_both_forms() {
    let memory = ["q299261", "--log", "memory"];
    let text = String::from_utf8(sim(&memory).stdout).unwrap();
    assert!(text.contains("\nUsher's log: in memory, "), "{text}");
    for (log, word) in [(&[][..], "store"), (&["--log", "memory"], "memory")] {
        let output = sim(&[&["q299261", "--json"][..], log].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["log"], word);
    }
    assert_eq!(sim(&["q299261", "--log", "paper"]).status.code(), Some(2));
}

#[test]
fn json_has_the_timeline_and_both_columns() {
    let output = sim(&["q299261", "--json", "--log", "memory"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["columns"][0]["name"], "SP3");
    assert_eq!(report["columns"][1]["tally"]["false_messages"], 0);
    assert!(report["timeline"][0]["time"].is_string());
}

#[test]
fn scenarios_are_listed_and_an_unknown_one_is_wrong_usage() {
    let list = String::from_utf8(sim(&["--list"]).stdout).unwrap();
    assert!(
        list.contains("q299261") && list.contains("false-alarms"),
        "{list}"
    );
    for wrong in [&["q299262"][..], &[], &["q299261", "--seeds", "0"]] {
        assert_eq!(sim(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
