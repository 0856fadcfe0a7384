//! `usher check` with a token that the manager does not take says so, and does not say that all is
//! well; the manager has tokens by role of its own.

use usher_testing::undo;

use crate::far;
use crate::support::{Ended, Folder, Running, said, stdout, usher};

fn console(running: &Running) -> String {
    let word = running
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    word.unwrap().to_owned()
}

#[test]
fn a_manager_that_refuses_is_unknown_and_takes_a_viewers_token_of_its_own() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let console = console(&running);
    let check = |token: &str, options: &[&str]| {
        let mut command = usher();
        command.args(["check", "--server", &running.api, "--token", token]);
        let output = command.args(options).ended();
        (output.status.code(), stdout(&output))
    };
    let of_server = running.ok(&["token", "create", "--role", "viewer"]);
    let (code, line) = check(of_server.trim(), &["--manager", &console]);
    assert_eq!(code, Some(3), "{line}");
    assert!(
        line.starts_with("USHER UNKNOWN - the manager at "),
        "{line}"
    );
    assert!(line.contains("--at-manager"), "{line}");

    let (code, line) = check(of_server.trim(), &[]);
    assert_eq!(code, Some(0), "{line}");
    assert!(line.contains(" (server only)|"), "{line}");

    let at = format!("--at-manager={console}");
    let make = [
        "token", "create", "--role", "viewer", "--name", "nagios", &at,
    ];
    let of_manager = running.ok(&make);
    let (code, line) = check(of_manager.trim(), &["--manager", &console]);
    assert!(code != Some(3) && line.contains("servers=1"), "{line}");
    assert!(!line.contains("server only"), "{line}");

    // It looks, and changes nothing.
    let mut remove = usher();
    remove.args(["servers", "remove", "local", "--manager", &console]);
    let output = remove.args(["--token", of_manager.trim()]).ended();
    assert!(!output.status.success());
    assert!(said(&output).contains("role viewer"), "{}", said(&output));

    let list = running.json(&["token", "list", &at]);
    let id = list["items"][0]["id"].as_str().unwrap();
    running.ok(&["token", "revoke", id, &at]);
    let (code, line) = check(of_manager.trim(), &["--manager", &console]);
    assert_eq!(code, Some(3), "{line}");
}

#[test]
fn the_manager_of_an_up_is_found_wherever_it_listens() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let ask = |words: &[&str]| {
        let mut command = usher();
        let output = command.args(words).env("USHER_DATA", &running.data).ended();
        (stdout(&output), said(&output))
    };
    let (servers, all) = ask(&["servers", "list"]);
    assert!(servers.contains("local"), "{all}");
    let (found, all) = ask(&["doctor", "--server", &running.api]);
    let watches = format!("{} watches 1 server", console(&running));
    assert!(found.contains(&watches), "{all}");
    let (line, all) = ask(&["check"]);
    assert!(line.contains("|servers=1 "), "{all}");
}

#[test]
fn a_manager_that_hangs_is_critical_also_if_nobody_has_named_it() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root has a network of its own");
        return;
    }
    // There the usual port of a manager is nobody else's.
    far::own_network();
    let up = std::process::Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .ended();
    assert!(up.status.success(), "{}", said(&up));
    let folder = Folder::new();
    let ask = |word: &str, data: &std::path::Path| {
        let mut command = usher();
        let output = command.arg(word).env("USHER_DATA", data).ended();
        (output.status.code(), stdout(&output))
    };
    let (code, line) = ask("check", &folder.path("none"));
    assert_eq!(code, Some(2), "{line}");
    assert!(
        line.contains("no manager answers at http://127.0.0.1:8480 either"),
        "{line}"
    );
    let mut command = usher();
    command.args(["up", "--no-agent"]);
    let running = Running::start(&mut command, &folder.path("data"));
    let check = || ask("check", &running.data);
    let (_, found) = ask("doctor", &running.data);
    assert!(
        found.contains("http://127.0.0.1:8480 watches 1 server"),
        "{found}"
    );
    let (code, line) = check();
    assert!(
        code != Some(2) && line.contains("servers=1"),
        "the manager's view: {line}"
    );
    let stopped = undo::stop(running.role("manager").unwrap()).unwrap();
    let (code, line) = check();
    assert_eq!(code, Some(2), "{line}");
    assert!(line.starts_with("USHER CRITICAL - "), "{line}");
    assert!(line.contains("manager"), "{line}");
    // Also to who has another token than the manager's: it is none that was refused.
    let (code, line) = ask("check", &folder.path("other"));
    assert_eq!(code, Some(2), "{line}");
    assert!(
        line.contains("manager") && !line.contains("token"),
        "{line}"
    );
    let (code, found) = ask("doctor", &running.data);
    assert_eq!(code, Some(1), "{found}");
    assert!(
        found.contains("FAIL  manager     http://127.0.0.1:8480 took the connection"),
        "{found}"
    );
    drop(stopped);
}
