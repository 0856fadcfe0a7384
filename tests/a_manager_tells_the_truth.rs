//! A manager on a real systemd, beside a real server: the right verdict each time, one message an
//! episode, and "not running" only of what does not run.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::http::Http;
use crate::installed::{Installed, SERVICE, freeze, on_a_disk, release};
use crate::support::{said, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

const FOLDER: &str = "/var/lib/manager";

/// A manager in the box of a server, which it watches as `alpha`.
struct Managed {
    // Dropped in this order: the box ends all that runs in it, and what entered it has to be there
    // still, or nobody reaps its child and the box does not end.
    server: Installed,
    manager: Entered,
    console: Http,
}

/// What entered a box with a process. It ends with that process.
struct Entered(Child);

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.0.wait());
    }
}

impl Managed {
    fn new(prepare: impl FnOnce(&SystemdBox)) -> Managed {
        let server = Installed::new(|systemd| {
            on_its_own(systemd);
            prepare(systemd);
        });
        let (manager, console) = manager_in(&server);
        let mut managed = Managed {
            console,
            server,
            manager,
        };
        let body = json!({
            "name": "alpha",
            "url": managed.server.api,
            "token": managed.server.token(),
            "unit": SERVICE,
        });
        let added = managed.console.ask("POST", "/v1/servers", Some(&body));
        assert_eq!(added.unwrap().status, 201);
        managed
    }

    /// What the manager says after a look now.
    fn poll(&mut self) -> Value {
        let path = "/v1/servers/alpha/poll";
        let answer = self.console.ask("POST", path, Some(&json!({}))).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The verdict at the next look, with a word that the evidence has to have.
    fn expect(&mut self, verdict: &str, evidence: &str) -> Value {
        let seen = self.poll();
        assert_eq!(seen["verdict"], verdict, "{seen:#}");
        assert!(seen["evidence"].to_string().contains(evidence), "{seen:#}");
        seen
    }

    fn recovers(&mut self) {
        wait_for("the server to be well again", || {
            (self.poll()["verdict"] == "running").then_some(())
        });
    }

    /// The messages so far, oldest first, without those of the audit.
    fn messages(&mut self) -> Vec<Value> {
        let answer = self
            .console
            .ask("GET", "/v1/messages?limit=1000", None)
            .unwrap();
        let mut items = answer.body["items"].as_array().unwrap().clone();
        items.retain(|message| message["type"] != "audit");
        items.reverse();
        items
    }

    fn told(&mut self) -> Vec<u64> {
        let messages = self.messages();
        messages
            .iter()
            .map(|message| message["id"].as_u64().unwrap())
            .collect()
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.main_pid();
        let sent = self.server.systemd.exec(&["kill", signal, &pid]);
        assert!(sent.status.success(), "{}", said(&sent));
    }
}

/// Starts a manager in the box of a server, that polls each second and helps nobody.
fn manager_in(server: &Installed) -> (Entered, Http) {
    let mut manager = server
        .systemd
        .command(&[
            PROGRAM,
            "manager",
            "--console",
            "127.0.0.1:0",
            "--poll",
            "1s",
            "--heal",
            "off",
            // systemd without a message bus answers root alone.
            "--run-as",
            "root",
            "--data",
            FOLDER,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = manager.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    let console = line
        .split(' ')
        .find_map(|word| word.strip_prefix("console="))
        .unwrap_or_else(|| panic!("no console in {line:?}"));
    let stranger = Http::connect(console, "wrong")
        .unwrap()
        .ask("GET", "/v1/servers", None);
    assert_eq!(stranger.unwrap().status, 401);
    let token = server.systemd.inside(FOLDER).join("admin.token");
    let token = std::fs::read_to_string(token).unwrap();
    let console = Http::connect(console, token.trim()).unwrap();
    (Entered(manager), console)
}

/// Nobody but the manager notices anything: no watchdog, no other start.
fn on_its_own(systemd: &SystemdBox) {
    let drop_in = systemd.units().join(format!("{SERVICE}.d"));
    std::fs::create_dir(&drop_in).unwrap();
    std::fs::write(
        drop_in.join("alone.conf"),
        "[Service]\nWatchdogSec=0\nRestart=no\n",
    )
    .unwrap();
    systemd.reload();
}

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
    let thaw = freeze(&managed.server);
    managed.expect("stuck", "a canary");
    managed.poll();
    release(thaw);
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
