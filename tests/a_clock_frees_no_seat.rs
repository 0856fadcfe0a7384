//! A lease ends when its time is over, on a clock that counts sleep and that nobody can set.

use std::process::{Command, Stdio};

use serde_json::Value;
use usher_testing::surroundings;

use crate::support::{Folder, Running, program, usher, wait_for};

fn server(folder: &Folder) -> Running {
    Running::start(
        usher().args(["server", "--listen", "127.0.0.1:0"]),
        &folder.path("data"),
    )
}

fn users(running: &Running) -> Vec<String> {
    let leases = running.json(&["leases"]);
    let items = leases["items"].as_array().unwrap().iter();
    items
        .map(|lease: &Value| lease["user"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn time_that_a_computer_slept_counts_for_every_lease() {
    let mut asleep = surroundings::command("unshare");
    asleep.args(["--time", "--boottime", "1000", "--fork", "--kill-child"]);
    let possible = Command::new("unshare")
        .args(["--time", "--boottime", "1000", "--fork", "true"])
        .stderr(Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a time namespace takes root");
        return;
    }
    let folder = Folder::new();
    let running = server(&folder);
    running.ok(&["product", "add", "tool", "--seats", "2"]);
    running.ok(&["checkout", "tool", "--user", "anna", "--ttl", "900"]);
    running.ok(&["checkout", "tool", "--user", "bert", "--ttl", "3600"]);
    assert_eq!(users(&running), ["anna", "bert"]);
    assert_eq!(running.stop(), Some(0));

    // The same boot, whose clock that counts sleep is 1,000 s on, as after a night's suspend;
    // the clock that does not, and the wall clock, are unchanged.
    asleep
        .arg(program())
        .args(["server", "--listen", "127.0.0.1:0"]);
    let running = Running::start(&mut asleep, &folder.path("data"));
    wait_for("anna's lease to be over", || {
        (users(&running) == ["bert"]).then_some(())
    });
    let uses = running.json(&["usage", "--product", "tool", "--user", "anna"]);
    let lasted = uses["items"][0]["duration_seconds"].as_u64().unwrap();
    assert!((900..1_100).contains(&lasted), "{uses}");
}
