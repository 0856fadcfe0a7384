//! A manager in the box of an installed server, which it watches.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::http::Http;
use crate::installed::{Installed, SERVICE};
use crate::support::{reap, said, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

const FOLDER: &str = "/var/lib/manager";

/// A manager in the box of a server, which it watches as `alpha`.
pub(crate) struct Managed {
    // Dropped in this order: the box ends all that runs in it, and what entered it has to be there
    // still, or nobody reaps its child and the box does not end.
    pub(crate) server: Installed,
    pub(crate) manager: Entered,
    pub(crate) console: Http,
}

/// What entered a box with a process. It ends with that process.
pub(crate) struct Entered(pub(crate) Child);

impl Drop for Entered {
    fn drop(&mut self) {
        reap(&mut self.0);
    }
}

impl Managed {
    pub(crate) fn new(prepare: impl FnOnce(&SystemdBox)) -> Managed {
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
    pub(crate) fn poll(&mut self) -> Value {
        let path = "/v1/servers/alpha/poll";
        let answer = self.console.ask("POST", path, Some(&json!({}))).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The verdict at the next look, with a word that the evidence has to have.
    pub(crate) fn expect(&mut self, verdict: &str, evidence: &str) -> Value {
        let seen = self.poll();
        assert_eq!(seen["verdict"], verdict, "{seen:#}");
        assert!(seen["evidence"].to_string().contains(evidence), "{seen:#}");
        seen
    }

    pub(crate) fn recovers(&mut self) {
        wait_for("the server to be well again", || {
            (self.poll()["verdict"] == "running").then_some(())
        });
    }

    /// The messages so far, oldest first, without those of the audit.
    pub(crate) fn messages(&mut self) -> Vec<Value> {
        let answer = self
            .console
            .ask("GET", "/v1/messages?limit=1000", None)
            .unwrap();
        let mut items = answer.body["items"].as_array().unwrap().clone();
        items.retain(|message| message["type"] != "audit");
        items.reverse();
        items
    }

    pub(crate) fn told(&mut self) -> Vec<u64> {
        let messages = self.messages();
        messages
            .iter()
            .map(|message| message["id"].as_u64().unwrap())
            .collect()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.server.main_pid();
        let sent = self.server.systemd.exec(&["kill", signal, &pid]);
        assert!(sent.status.success(), "{}", said(&sent));
    }
}

/// Starts a manager in the box of a server, that polls each second and helps nobody.
pub(crate) fn manager_in(server: &Installed) -> (Entered, Http) {
    manager_with(server, &["--heal", "off"])
}

/// The same with other options.
pub(crate) fn manager_with(server: &Installed, options: &[&str]) -> (Entered, Http) {
    let words = [
        PROGRAM,
        "manager",
        "--console",
        "127.0.0.1:0",
        "--poll",
        "1s",
    ];
    // systemd without a message bus answers root alone.
    let last = ["--run-as", "root", "--data", FOLDER];
    let mut manager = server
        .systemd
        .command(&[&words[..], options, &last[..]].concat())
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
pub(crate) fn on_its_own(systemd: &SystemdBox) {
    let drop_in = systemd.units().join(format!("{SERVICE}.d"));
    std::fs::create_dir(&drop_in).unwrap();
    std::fs::write(
        drop_in.join("alone.conf"),
        "[Service]\nWatchdogSec=0\nRestart=no\n",
    )
    .unwrap();
    systemd.reload();
}
