//! An agent enforces only what its server signed: also after a boot without any server, and never
//! a policy that was changed on disk.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, stdout, usher, wait_for};

fn up(folder: &Folder, socket: &Path) -> Running {
    let mut command = usher();
    command
        .args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
        .arg(socket);
    Running::start(&mut command, &folder.path("data"))
}

/// The agent alone, whose server is gone.
fn without_server(folder: &Folder, socket: &Path) -> Running {
    let mut command = usher();
    command
        .args(["agent", "--server", "http://127.0.0.1:1", "--agent-socket"])
        .arg(socket);
    Running::start(&mut command, &folder.path("data"))
}

fn enforcement(folder: &Folder, socket: &Path) -> Value {
    let mut command = usher();
    command
        .args(["agent", "enforcement", "--json", "--agent-socket"])
        .arg(socket)
        .arg("--data")
        .arg(folder.path("data"));
    let output = command.ended();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// Changes what the agent, which does not run, has kept.
fn change(folder: &Folder, sql: &str) {
    let path = folder.path("data").join("agent/agent.db");
    let changed = rusqlite::Connection::open(path)
        .unwrap()
        .execute(sql, [])
        .unwrap();
    assert_eq!(changed, 1, "{sql}");
}

#[test]
fn without_a_server_only_the_policy_that_it_signed_is_enforced() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let running = up(&folder, &socket);
    running.ok(&[
        "product",
        "add",
        "cad",
        "--mode",
        "enforce",
        "--program",
        "name=cad-7",
        "--agent-socket",
        socket.to_str().unwrap(),
    ]);
    assert_eq!(enforcement(&folder, &socket)["on"], true);
    assert_eq!(running.stop(), Some(0));
    let key = folder.path("data").join("policy.key");
    assert!(key.exists(), "the key stays in the server's data directory");

    let alone = without_server(&folder, &socket);
    assert_eq!(
        enforcement(&folder, &socket)["on"],
        true,
        "it is the last that it had"
    );
    assert_eq!(alone.stop(), Some(0));

    change(
        &folder,
        "UPDATE meta SET value = replace(value, 'name=cad-7', 'name=cad-8') WHERE key = 'policy'",
    );
    let alone = without_server(&folder, &socket);
    let state = enforcement(&folder, &socket);
    assert_eq!(state["on"], false);
    let why = state["why_off"].as_str().unwrap();
    assert!(why.contains("not what its server signed"), "{why}");
    assert_eq!(alone.stop(), Some(0));

    // The server gives it again, whole, as soon as it answers.
    let running = up(&folder, &socket);
    wait_for("the policy to be the server's", || {
        (enforcement(&folder, &socket)["on"] == true).then_some(())
    });
    assert_eq!(running.stop(), Some(0));
    let alone = without_server(&folder, &socket);
    assert_eq!(enforcement(&folder, &socket)["on"], true);
    drop(alone);
}

#[test]
fn a_policy_that_was_kept_unsigned_is_enforced_once_the_server_answers() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let running = up(&folder, &socket);
    running.ok(&[
        "product",
        "add",
        "cad",
        "--mode",
        "enforce",
        "--program",
        "name=cad-7",
        "--agent-socket",
        socket.to_str().unwrap(),
    ]);
    assert_eq!(running.stop(), Some(0));
    change(&folder, "DELETE FROM meta WHERE key = 'policy_signature'");
    let alone = without_server(&folder, &socket);
    let state = enforcement(&folder, &socket);
    assert_eq!(state["on"], false, "{state}");
    assert_eq!(alone.stop(), Some(0));
    let running = up(&folder, &socket);
    wait_for("the policy to be the server's", || {
        (enforcement(&folder, &socket)["on"] == true).then_some(())
    });
    drop(running);
}

#[test]
fn a_server_with_another_key_on_this_computer_is_believed() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let running = up(&folder, &socket);
    running.ok(&[
        "product",
        "add",
        "cad",
        "--mode",
        "enforce",
        "--program",
        "name=cad-7",
        "--agent-socket",
        socket.to_str().unwrap(),
    ]);
    assert_eq!(running.stop(), Some(0));
    std::fs::remove_file(folder.path("data").join("policy.key")).unwrap();
    let running = up(&folder, &socket);
    running.ok(&[
        "product",
        "edit",
        "cad",
        "--name",
        "CAD",
        "--agent-socket",
        socket.to_str().unwrap(),
    ]);
    wait_for("its policy to be taken", || {
        (enforcement(&folder, &socket)["on"] == true).then_some(())
    });
    assert_eq!(running.stop(), Some(0));
    let alone = without_server(&folder, &socket);
    assert_eq!(
        enforcement(&folder, &socket)["on"],
        true,
        "signed by the new key"
    );
    drop(alone);
}
