//! The administrator of a computer switches enforcement off there: at once, with or without an
//! agent, over restarts, and not unseen by who runs the server.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, Folder, Running, program, said, stdout, usher, wait_for};

fn start(folder: &Folder) -> Running {
    let mut command = usher();
    command
        .args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
        .arg(folder.path("agent.sock"));
    Running::start(&mut command, &folder.path("data"))
}

/// `usher agent enforcement` on a computer whose agent, if there is one, has these places.
fn enforcement(folder: &Folder, to: &[&str]) -> Value {
    let mut command = usher();
    command
        .args(["agent", "enforcement"])
        .args(to)
        .arg("--json")
        .arg("--data")
        .arg(folder.path("data"))
        .arg("--agent-socket")
        .arg(folder.path("agent.sock"));
    let output = command.ended();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn doctor(running: &Running, socket: &Path) -> String {
    let socket = socket.to_str().unwrap();
    stdout(&running.usher(&["doctor", "--agent-socket", socket]).ended())
}

#[test]
fn what_is_switched_off_is_off_over_restarts_and_is_seen() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let running = start(&folder);
    assert_eq!(enforcement(&folder, &[])["on"], true);
    assert!(doctor(&running, &socket).contains("enforcement is on"));

    assert_eq!(enforcement(&folder, &["off"])["on"], false);
    let off = |running: &Running| {
        let status = running.json(&["status"]);
        status["computers"][0]["enforcement_off"]
            .as_str()
            .map(str::to_owned)
    };
    wait_for("the server to hear of it", || off(&running));
    let shown = running.ok(&["status"]);
    assert!(shown.contains("enforcement is off there"), "{shown}");
    let told = doctor(&running, &socket);
    assert!(told.contains("enforcement is off"), "{told}");
    let status = running.ok(&[
        "agent",
        "status",
        "--agent-socket",
        socket.to_str().unwrap(),
    ]);
    assert!(status.contains("enforcement  off"), "{status}");

    assert_eq!(running.stop(), Some(0));
    let running = start(&folder);
    let again = enforcement(&folder, &[]);
    assert_eq!(
        (&again["on"], again["why_off"].is_string()),
        (&false.into(), true)
    );
    assert_eq!(enforcement(&folder, &["on"])["on"], true);
    wait_for("the server to hear of it", || {
        off(&running).is_none().then_some(())
    });
}

#[test]
fn without_an_agent_the_setting_is_kept_for_its_next_start() {
    let folder = Folder::new();
    let running = start(&folder);
    assert_eq!(running.stop(), Some(0));
    assert_eq!(enforcement(&folder, &["off"])["on"], false);
    assert_eq!(enforcement(&folder, &[])["on"], false);
    let running = start(&folder);
    assert_eq!(enforcement(&folder, &[])["on"], false);
    drop(running);
}

#[test]
fn a_setting_that_no_agent_would_go_by_is_not_taken() {
    let folder = Folder::new();
    let mut command = usher();
    command
        .args(["agent", "enforcement", "off", "--agent-socket"])
        .arg(folder.path("none.sock"))
        .arg("--data")
        .arg(folder.path("typo"));
    let output = command.ended();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(!folder.path("typo").exists());
    // Nor is there one to be shown.
    let mut command = usher();
    command.args(["agent", "enforcement", "--agent-socket"]);
    command.arg(folder.path("none.sock"));
    command.arg("--data").arg(folder.path("typo"));
    let output = command.ended();
    assert_eq!(output.status.code(), Some(69), "{}", said(&output));
}

#[test]
fn only_the_administrator_of_the_computer_may() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: it takes two accounts");
        return;
    }
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(""), std::fs::Permissions::from_mode(0o755)).unwrap();
    let running = start(&folder);
    std::fs::copy(program(), folder.path("usher")).unwrap();
    let mut command = std::process::Command::new(folder.path("usher"));
    command
        .args(["agent", "enforcement", "off", "--agent-socket"])
        .arg(folder.path("agent.sock"))
        .env_clear()
        .env("HOME", "/nonexistent")
        .uid(65534)
        .gid(65534)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let output = command.ended();
    assert_eq!(output.status.code(), Some(77), "{}", said(&output));
    assert_eq!(enforcement(&folder, &[])["on"], true);
    drop(running);
}
