//! After a restore, agents show the leases and tell the sessions that the snapshot does not know.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, usher, wait_for};

/// A server with one seat of `tool`, and an agent of its own that meters this machine.
struct Site {
    folder: Folder,
    server: Running,
    tool: PathBuf,
    address: String,
}

/// A process that ends with the test.
struct Runs(Child);

impl Drop for Runs {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Site {
    fn new() -> Site {
        let folder = Folder::new();
        let tool = folder.path("tool");
        fs::copy("/bin/sleep", &tool).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let server = serve(&folder, &address);
        let rule = format!("path={}", tool.display());
        server.ok(&["product", "add", "tool", "--seats", "1", "--program", &rule]);
        Site {
            folder,
            server,
            tool,
            address,
        }
    }

    fn agent(&self) -> Running {
        let data = self.folder.path("computer");
        let id = usher()
            .args(["agent", "--print-computer-id", "--data"])
            .arg(&data)
            .ended();
        let id = String::from_utf8(id.stdout).unwrap();
        let create = [
            "token",
            "create",
            "--role",
            "agent",
            "--computer",
            id.trim(),
        ];
        let token = self.folder.path("agent.token");
        fs::write(&token, self.server.ok(&create)).unwrap();
        let mut command = usher();
        command.args(["agent", "--server", &self.server.api, "--token-file"]);
        command
            .arg(&token)
            .arg("--agent-socket")
            .arg(self.folder.path("agent.sock"));
        Running::start(&mut command, &data)
    }

    /// Uses the tool once, until the server has the session.
    fn use_once(&self) {
        let before = self.ended();
        Command::new(&self.tool).arg("0.3").status().unwrap();
        wait_for("its session", || (self.ended() > before).then_some(()));
    }

    fn sessions(&self) -> Vec<Value> {
        let answer = self.server.json(&["usage", "--product", "tool"]);
        answer["items"].as_array().unwrap().clone()
    }

    fn ended(&self) -> usize {
        let ended = |session: &&Value| !session["ended_at"].is_null();
        self.sessions().iter().filter(ended).count()
    }

    /// Seats in use and programs without a seat.
    fn counts(&self) -> (u64, u64) {
        let product = self.server.json(&["status"])["products"][0].clone();
        let number = |field: &str| product[field].as_u64().unwrap();
        (number("in_use"), number("unseated"))
    }

    fn backup(&self) -> PathBuf {
        let file = self.folder.path("backup.db");
        self.server.ok(&["backup", file.to_str().unwrap()]);
        file
    }

    /// Stops the server, puts the snapshot in the place of its data, and starts it again.
    fn restored(mut self, file: &Path) -> Site {
        assert_eq!(self.server.stop(), Some(0));
        let data = self.folder.path("data");
        let done = usher()
            .arg("restore")
            .arg(file)
            .arg("--data")
            .arg(data)
            .ended();
        assert!(done.status.success(), "{}", said(&done));
        self.server = serve(&self.folder, &self.address);
        self
    }
}

fn serve(folder: &Folder, address: &str) -> Running {
    Running::start(
        usher().args(["server", "--listen", address]),
        &folder.path("data"),
    )
}

#[test]
fn after_a_restore_a_running_program_keeps_its_seat_and_each_session_is_there_once() {
    let mut site = Site::new();
    let agent = site.agent();
    site.use_once();
    site.use_once();
    let file = site.backup();
    site.use_once();
    site.use_once();
    let runs = Runs(Command::new(&site.tool).arg("600").spawn().unwrap());
    wait_for("its seat", || (site.counts() == (1, 0)).then_some(()));

    // Twice, for what is told again must be told again after another restore.
    for _ in 0..2 {
        site = site.restored(&file);
        wait_for("the seat and all sessions", || {
            (site.counts() == (1, 0) && site.ended() == 4).then_some(())
        });
        // Nobody else is granted any seat yet.
        let (code, why) = site.server.fails(&["checkout", "tool", "--user", "bert"]);
        assert_eq!(code, 75, "{why}");
    }
    drop(runs);
    wait_for("the last session", || {
        (site.counts() == (0, 0) && site.ended() == 5).then_some(())
    });
    assert_eq!(site.sessions().len(), 5);
    assert_eq!(agent.stop(), Some(0));
}

#[test]
fn an_agent_that_was_started_again_meanwhile_still_shows_its_lease() {
    let mut site = Site::new();
    let agent = site.agent();
    let file = site.backup();
    let _runs = Runs(Command::new(&site.tool).arg("600").spawn().unwrap());
    wait_for("its seat", || (site.counts() == (1, 0)).then_some(()));
    let lease = site.server.json(&["leases"])["items"][0].clone();
    assert_eq!(agent.stop(), Some(0));
    site = site.restored(&file);
    assert_eq!(site.counts(), (0, 0));
    let _agent = site.agent();
    wait_for("its seat again", || (site.counts() == (1, 0)).then_some(()));
    let again = site.server.json(&["leases"])["items"][0].clone();
    assert_ne!(again["id"], lease["id"]);
    let seconds = |lease: &Value| lease["granted_at"].as_str().unwrap()[..19].to_owned();
    assert_eq!(
        seconds(&again),
        seconds(&lease),
        "held since then, without a gap"
    );
}
