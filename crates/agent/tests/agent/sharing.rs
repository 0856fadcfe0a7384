//! Commands of one use share a lease, which is given back once: by the last that ends.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::socket::can_ask;
use crate::support::{Agent, Server, block_on, privileged, run, wait_for};

/// What is asked for.
const ASKED: &str = r#"{"product":"app","user":"x","computer":"x"}"#;

/// A server that grants one lease, which root holds, an agent that knows its product, and that lease.
struct Site {
    folder: tempfile::TempDir,
    server: Server,
    agent: Agent,
    lease: String,
}

impl Site {
    /// None, with a line that says so, if that is not possible.
    fn new(is_possible: fn() -> bool) -> Option<Site> {
        if !is_possible() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let server = Server::with(&[("app", 9, &["name=none-of-these"])]);
        let agent = Agent::start(&server, folder.path());
        let held = (
            "app".to_owned(),
            format!("computer:{}", agent.status().computer),
            "root".to_owned(),
        );
        server.book().here.extend([("R1".to_owned(), held)]);
        let lease = take(&agent);
        Some(Site {
            folder,
            server,
            agent,
            lease,
        })
    }

    /// Has a process covered by the lease, which it keeps.
    fn keep(&self, pid: u32) {
        let body = json!({"lease": self.lease, "product": "app", "pid": pid, "keeps": true});
        let answer = post(&self.agent, "/v1/covers", &body);
        assert_eq!(answer, None, "there is nothing to answer");
    }

    /// This process gives the lease back.
    fn give_back(&self) {
        let client = self.agent.client();
        let path = format!("/v1/leases/{}", self.lease);
        block_on(async { client.delete(&path).await }).unwrap();
    }

    /// How often the server had a lease given back.
    fn given_back(&self) -> usize {
        let book = self.server.book();
        let deleted = |(method, _, _): &&(String, String, Value)| method == "DELETE";
        book.requests.iter().filter(deleted).count()
    }
}

/// A seat of the product, which one of the same use does for; the lease.
fn take(agent: &Agent) -> String {
    let body: Value = serde_json::from_str(ASKED).unwrap();
    let answer = post(agent, "/v1/checkouts?one_use=true", &body).unwrap();
    answer["lease"]["id"].as_str().unwrap().to_owned()
}

/// The answer's body; none: it has none.
fn post(agent: &Agent, path: &str, body: &Value) -> Option<Value> {
    let client = agent.client();
    match block_on(async { client.post::<_, Value>(path, body).await }) {
        Ok(answer) => Some(answer),
        Err(usher_api::client::ClientError::NotUnderstood { .. }) => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Another process that takes a seat, and runs on until its answer is read.
struct Taker {
    child: Child,
    answer: PathBuf,
}

impl Taker {
    fn start(site: &Site) -> Taker {
        let answer = site.folder.path().join("answer");
        run(Command::new("mkfifo").arg(&answer));
        let renewals = || {
            let book = site.server.book();
            let paths = book.requests.iter().map(|(_, path, _)| path);
            paths.filter(|path| path.ends_with("/renew")).count()
        };
        let before = renewals();
        let mut curl = Command::new("curl");
        curl.args(["-s", "-X", "POST", "-d", ASKED, "--unix-socket"])
            .arg(site.agent.data().join("agent.sock"))
            .arg("-o")
            .arg(&answer)
            .arg("http://localhost/v1/checkouts?one_use=true")
            .stdin(Stdio::null());
        let child = curl.spawn().unwrap();
        wait_for("the lease to be shared", || {
            (renewals() > before).then_some(())
        });
        Taker { child, answer }
    }

    fn end(mut self) {
        let answer = std::fs::read_to_string(&self.answer).unwrap();
        assert!(answer.contains("granted"), "{answer}");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn other_command() -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "read line"]).stdin(Stdio::piped());
    command.spawn().unwrap()
}

fn end(mut command: Child) {
    drop(command.stdin.take());
    command.wait().unwrap();
}

#[test]
fn a_command_that_gives_back_again_leaves_the_lease_to_those_that_run_on_it() {
    let Some(site) = Site::new(privileged) else {
        return;
    };
    site.keep(std::process::id());
    assert_eq!(take(&site.agent), site.lease, "it is shared");
    let other = other_command();
    site.keep(other.id());
    // The answer of the first may be lost, so who gives back tries again.
    for _ in 0..3 {
        site.give_back();
        assert_eq!(site.given_back(), 0, "another command runs on it");
    }
    end(other);
    site.give_back();
    assert_eq!(site.given_back(), 1);
}

#[test]
fn a_lease_that_a_second_command_is_about_to_run_on_is_not_given_back_by_the_first() {
    let Some(site) = Site::new(can_ask) else {
        return;
    };
    // The second has it before the first has a command covered.
    let second = Taker::start(&site);
    site.keep(std::process::id());
    site.give_back();
    assert_eq!(site.given_back(), 0, "the second is about to run on it");
    second.end();
    site.give_back();
    assert_eq!(site.given_back(), 1, "the second has ended");
}

#[test]
fn a_command_that_could_not_be_started_leaves_the_lease_to_those_that_run_on_it() {
    let Some(site) = Site::new(can_ask) else {
        return;
    };
    site.keep(std::process::id());
    // It takes the seat, and gives it back twice before it has a command covered.
    let socket = site.agent.data().join("agent.sock");
    let given = format!("http://localhost/v1/leases/{}", site.lease);
    let mut curl = Command::new("curl");
    curl.args(["-s", "-f", "-X", "POST", "-d", ASKED, "--unix-socket"])
        .arg(&socket)
        .arg("http://localhost/v1/checkouts?one_use=true");
    for _ in 0..2 {
        curl.args(["--next", "-s", "-f", "-X", "DELETE", "--unix-socket"])
            .arg(&socket)
            .arg(&given);
    }
    run(&mut curl);
    assert_eq!(site.given_back(), 0, "the first runs on it");
    site.give_back();
    assert_eq!(site.given_back(), 1);
}

#[test]
fn a_lease_that_nobody_else_has_is_given_back_at_once() {
    let Some(site) = Site::new(privileged) else {
        return;
    };
    site.keep(std::process::id());
    site.give_back();
    assert_eq!(site.given_back(), 1);
}

#[test]
fn a_lease_is_shared_with_nobody_while_it_is_given_back() {
    let Some(site) = Site::new(privileged) else {
        return;
    };
    site.keep(std::process::id());
    site.server.book().holds_deletes = true;
    std::thread::scope(|scope| {
        scope.spawn(|| site.give_back());
        wait_for("the lease to be given back", || {
            (site.given_back() == 1).then_some(())
        });
        let asked = site.server.book().requests.len();
        let second = scope.spawn(|| take(&site.agent));
        // As long as other requests are answered, many times.
        for _ in 0..100 {
            site.agent.status();
        }
        let during = site.server.book().requests[asked..].to_vec();
        let mut book = site.server.book();
        book.here.clear();
        book.holds_deletes = false;
        drop(book);
        second.join().unwrap();
        let renewed = during.iter().any(|(_, path, _)| path.ends_with("/renew"));
        assert!(
            !renewed,
            "the second waits for the end of the lease: {during:?}"
        );
    });
    let book = site.server.book();
    let granted = book.requests.iter().filter(|(_, path, _)| {
        let path = path.split('?').next();
        path == Some("/v1/checkouts")
    });
    assert_eq!(granted.count(), 2, "the second has a lease of its own");
}
