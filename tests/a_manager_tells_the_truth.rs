//! A manager on a real systemd, beside a real server: the right verdict each time, one message an
//! episode, and "not running" only of what does not run.

use serde_json::{Value, json};

use crate::installed::{freeze, on_a_disk};
use crate::managed::{Managed, manager_in};
use crate::support::{said, wait_for};

#[test]
fn each_trouble_has_its_verdict_its_one_message_and_its_recovery() {
    let mut managed = Managed::new(|_| ());
    managed.expect("running", "a canary was seated");
    assert_eq!(managed.told(), [0_u64; 0]);

    managed.signal("-STOP");
    let frozen = managed.expect("stuck", "did not answer");
    assert_eq!(frozen["service"]["state"], "running", "{frozen:#}");
    assert_eq!(frozen["episode"]["message_id"], 9410, "{frozen:#}");
    managed.poll();
    managed.signal("-CONT");
    managed.recovers();
    assert_eq!(managed.told(), [9410, 9414]);
    let stuck = managed.messages().remove(0);
    assert!(stuck["count"].as_u64().unwrap() >= 2, "{stuck:#}");
    assert!(stuck["recovered_at"].is_string(), "{stuck:#}");

    managed.signal("-KILL");
    let killed = wait_for("systemd to notice", || {
        let seen = managed.poll();
        (seen["verdict"] == "stopped").then_some(seen)
    });
    assert_eq!(killed["service"]["win32_error"], 1067, "{killed:#}");
    assert_eq!(killed["episode"]["message_id"], 9406, "{killed:#}");
    managed.server.steer("start");
    managed.recovers();

    managed.server.steer("stop");
    managed.expect("stopped", "as it was asked to");
    managed.poll();
    managed.server.steer("start");
    managed.recovers();
    assert_eq!(managed.told(), [9410, 9414, 9406, 9414, 9406, 9414]);
}

#[test]
fn a_server_whose_disk_hangs_is_stuck_and_not_called_stopped() {
    let mut managed = Managed::new(on_a_disk);
    managed.expect("running", "a canary was seated");
    let frozen = freeze(&managed.server);
    managed.expect("stuck", "a canary");
    managed.poll();
    drop(frozen);
    managed.recovers();
    let told = managed.told();
    assert!(!told.contains(&9406), "{told:?}");
    assert!(told.contains(&9410), "{told:?}");
}

#[test]
fn what_nobody_can_reach_is_unreachable_and_a_stranger_unknown() {
    let mut managed = Managed::new(|_| ());
    let mut add = |name: &str, url: &str| {
        let body = json!({ "name": name, "url": url, "token": "none" });
        let added = managed.console.ask("POST", "/v1/servers", Some(&body));
        added.unwrap().body
    };
    // RFC 5737: no computer has this address.
    let far = add("far", "http://192.0.2.1:8470");
    assert_eq!(far["verdict"], "unreachable", "{far:#}");
    let api = managed.server.api.clone();
    let body = json!({ "name": "strange", "url": api, "token": "none" });
    let added = managed.console.ask("POST", "/v1/servers", Some(&body));
    let strange = added.unwrap().body;
    assert_eq!(strange["verdict"], "unknown", "{strange:#}");
    assert!(
        strange["evidence"].to_string().contains("token"),
        "{strange:#}"
    );
    let told = managed.told();
    assert!(told.contains(&9412) && told.contains(&9413), "{told:?}");
    assert!(!told.contains(&9406), "{told:?}");
}

#[test]
fn a_manager_that_comes_back_goes_on_with_the_episode_and_needs_its_token() {
    let mut managed = Managed::new(|_| ());
    managed.server.steer("stop");
    managed.expect("stopped", "as it was asked to");
    managed.poll();
    let before = managed.messages();
    assert_eq!(before.len(), 1, "{before:#?}");
    // The child is what entered the box: the manager itself is one further.
    let killed = managed
        .server
        .systemd
        .exec(&["pkill", "-KILL", "-f", "manager --console"]);
    assert!(killed.status.success(), "{}", said(&killed));
    drop(managed.manager.0.wait());
    let (manager, console) = manager_in(&managed.server);
    managed.console = console;
    managed.manager = manager;
    managed.expect("stopped", "as it was asked to");
    let after = managed.messages();
    assert_eq!(after.len(), 1, "{after:#?}");
    assert!(
        after[0]["count"].as_u64() > before[0]["count"].as_u64(),
        "{after:#?}"
    );
}

#[test]
fn what_usher_up_starts_is_watched_without_being_told() {
    let folder = crate::support::Folder::new();
    let running = crate::support::Running::up(&folder.path("data"));
    let console = running
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let console = console.unwrap().to_owned();
    let show = || running.json(&["servers", "poll", "local", "--manager", &console]);
    let seen = show();
    assert_eq!(seen["verdict"], "running", "{seen:#}");
    assert!(
        seen["evidence"].to_string().contains("holds the lock"),
        "{seen:#}"
    );
    let server = running.role("server").unwrap();
    crate::support::signal(server, nix::sys::signal::Signal::SIGSTOP);
    let seen = show();
    assert_eq!(seen["verdict"], "stuck", "{seen:#}");
    crate::support::signal(server, nix::sys::signal::Signal::SIGKILL);
    wait_for("another server", || {
        (show()["verdict"] == "running").then_some(())
    });
    let messages = running.json(&["messages", "--about", "local", "--manager", &console]);
    let told: Vec<&Value> = messages["items"].as_array().unwrap().iter().collect();
    let of = |id: u64| told.iter().filter(|message| message["id"] == id).count();
    assert_eq!(of(9410), 1, "{messages:#}");
}
