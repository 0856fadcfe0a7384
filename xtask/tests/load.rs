//! The load that `cargo xtask endure` makes ends with it, however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

/// Whether a process is there and is no zombie.
fn lives(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| !state.trim().starts_with(['Z', 'X']))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        // tidy: sleep, between two looks at a process
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_load_ends_when_its_parent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    // Two loads of a parent that never ends by itself.
    let script = "\"$0\" load $$ & echo $!; \"$0\" load $$ \"$1\" & echo $!; read -r line";
    let mut parent = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_xtask")])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(parent.stdout.take().unwrap()).lines();
    let mut loads = Vec::new();
    let mut busy = 0;
    while loads.len() + busy < 4 {
        match said.next().unwrap().unwrap() {
            word if word == "busy" => busy += 1,
            pid => loads.push(pid),
        }
    }
    assert_eq!((loads.len(), busy), (2, 2), "{loads:?}");
    let written = folder.path().join("written");
    wait_until("it writes", || {
        written.metadata().is_ok_and(|file| file.len() > 0)
    });
    assert!(loads.iter().all(|pid| lives(pid)), "{loads:?}");
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("both end", || !loads.iter().any(|pid| lives(pid)));
}

#[test]
fn a_load_does_not_run_without_its_parent() {
    let mut load = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = load.args(["load", "1"]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("process 1 is not its parent"), "{said}");
}
