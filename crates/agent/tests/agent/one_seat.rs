//! One use of a person takes one seat, whether they start a program of the product plainly, by `usher
//! run`, or both, and it goes back when the last has ended.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::socket::can_ask;
use crate::support::*;

/// A server with one seat, an agent that knows its product, and a program of that.
struct Site {
    folder: tempfile::TempDir,
    server: Server,
    agent: Option<Agent>,
    program: PathBuf,
}

impl Site {
    /// None, with a line that says so, if that is not possible.
    fn new(seats: usize) -> Option<Site> {
        if !can_ask() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let server = Server::with(&[("app", seats, &[&*named("one-seat")])]);
        let program = sleeper(&folder.path().join(own("one-seat")));
        let agent = Agent::start(&server, folder.path());
        let authority = format!("computer:{}", agent.status().computer);
        let held = |lease: &str| {
            let of = ("app".to_owned(), authority.clone(), "root".to_owned());
            (lease.to_owned(), of)
        };
        server.book().here.extend(["R1", "R2", "R3"].map(held));
        Some(Site {
            folder,
            server,
            agent: Some(agent),
            program,
        })
    }

    fn agent(&self) -> &Agent {
        self.agent.as_ref().unwrap()
    }

    /// The agent is killed, and started again.
    fn restart(&mut self) {
        self.agent.take().unwrap().kill();
        self.agent = Some(Agent::start(&self.server, self.folder.path()));
    }

    /// Starts the program plainly; it has a seat when this returns.
    fn start(&self) -> Running {
        let running = Running::lasting(&self.program);
        wait_for("its seat", || {
            (self.agent().status().leases.len() == 1).then_some(())
        });
        running
    }

    /// Takes a seat as `usher run` does, and has a command run on it; its lease.
    fn run(&self) -> (Run, String) {
        let asked = json!({"product": "app", "user": "x", "computer": "x"});
        let answer = self.post("/v1/checkouts?one_use=true", &asked).unwrap();
        let lease = answer["lease"]["id"].as_str().unwrap().to_owned();
        let run = Run::new();
        let pid = run.0.id();
        let cover = json!({"lease": lease, "product": "app", "pid": pid, "keeps": true});
        assert_eq!(self.post("/v1/covers", &cover), None);
        (run, lease)
    }

    /// The answer's body; none: it has none.
    fn post(&self, path: &str, body: &Value) -> Option<Value> {
        let client = self.agent().client();
        match block_on(async { client.post::<_, Value>(path, body).await }) {
            Ok(answer) => Some(answer),
            Err(usher_api::client::ClientError::NotUnderstood { .. }) => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// How often the server was asked so.
    fn asked(&self, method: &str, path: &str) -> usize {
        let book = self.server.book();
        let is_it = |(how, what, _): &&(String, String, Value)| {
            how == method && what.split('?').next() == Some(path)
        };
        book.requests.iter().filter(is_it).count()
    }

    /// All that has happened is known to the server.
    fn settle(&self) {
        self.agent().refresh();
        self.agent().refresh();
    }

    fn counts(&self) -> (usize, usize) {
        let book = self.server.book();
        (book.count("checkout"), book.count("checkin"))
    }
}

/// A command that runs on a seat until it is killed.
struct Run(Child);

impl Run {
    fn new() -> Run {
        let mut command = Command::new("/bin/sleep");
        Run(command.arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_run_joins_the_seat_of_a_program_that_was_started_plainly_and_may_outlive_it() {
    let Some(mut site) = Site::new(1) else {
        return;
    };
    let program = site.start();
    let (run, lease) = site.run();
    assert_eq!(lease, "L1", "it is the session's");
    assert_eq!(site.asked("POST", "/v1/checkouts"), 0, "no second is taken");
    program.end();
    site.server.finished("app", 1);
    site.settle();
    assert_eq!(site.counts(), (1, 0), "the run goes on");
    // The agent's end changes nothing, and neither does another start or its end.
    site.restart();
    let again = site.start();
    again.end();
    site.server.finished("app", 2);
    let (second, lease) = site.run();
    assert_eq!(lease, "L1");
    run.kill();
    site.settle();
    assert_eq!(site.counts(), (1, 0), "the second run goes on");
    second.kill();
    site.server.seated(0);
    assert_eq!(site.counts(), (1, 1));
    assert_eq!(site.asked("DELETE", "/v1/leases/L1"), 0);
}

#[test]
fn a_program_keeps_its_seat_when_a_run_that_has_joined_it_ends() {
    let Some(site) = Site::new(1) else {
        return;
    };
    let program = site.start();
    let (run, lease) = site.run();
    // As `usher run` does at its end: it gives back what it was given.
    let client = site.agent().client();
    run.kill();
    let path = format!("/v1/leases/{lease}");
    let refused = block_on(async { client.delete(&path).await });
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("a program that runs"), "{refused}");
    site.settle();
    assert_eq!(site.counts(), (1, 0), "the program runs on");
    program.end();
    site.server.seated(0);
    assert_eq!(site.counts(), (1, 1));
    assert_eq!(site.asked("DELETE", &path), 0);
}

#[test]
fn a_program_that_is_started_plainly_joins_the_seat_of_a_run_and_may_outlive_it() {
    let Some(mut site) = Site::new(0) else {
        return;
    };
    let (run, lease) = site.run();
    let program = site.start();
    let held = &site.agent().status().leases[0].id;
    assert_eq!((held, &*lease), (&lease, "R1"));
    run.kill();
    site.settle();
    let given_back = |site: &Site| site.asked("DELETE", "/v1/leases/R1");
    assert_eq!(given_back(&site), 0, "the program runs on");
    site.restart();
    site.settle();
    assert_eq!((given_back(&site), site.counts()), (0, (0, 0)));
    let (second, lease) = site.run();
    assert_eq!(lease, "R1", "another run joins, too");
    program.end();
    site.server.finished("app", 1);
    site.settle();
    assert_eq!(given_back(&site), 0, "the second run goes on");
    second.kill();
    wait_for("the seat to go back", || {
        (given_back(&site) == 1).then_some(())
    });
    assert_eq!(site.counts(), (0, 0), "nothing else was asked for");
}

#[test]
fn a_program_that_runs_without_a_seat_joins_a_run_that_gets_one() {
    let Some(site) = Site::new(0) else {
        return;
    };
    let program = Running::lasting(&site.program);
    wait_for("its refusal", || {
        (site.server.book().unseated.len() == 1).then_some(())
    });
    let (run, _) = site.run();
    wait_for("its seat", || {
        (site.agent().status().leases.len() == 1).then_some(())
    });
    site.settle();
    assert_eq!(site.server.book().unseated.len(), 0, "it waits for none");
    run.kill();
    program.end();
    wait_for("the seat to go back", || {
        (site.asked("DELETE", "/v1/leases/R1") == 1).then_some(())
    });
    assert_eq!(site.asked("POST", "/v1/checkouts"), 1);
}

#[test]
fn what_runs_on_a_seat_that_is_lost_asks_for_another() {
    let Some(site) = Site::new(1) else {
        return;
    };
    let (run, _) = site.run();
    let program = site.start();
    assert_eq!(site.counts().0, 0);
    site.server.book().here.clear();
    // The server knows it no more, as after somebody has ended it.
    site.server.seated(1);
    // The agent knows it when the server's answer has come.
    wait_for("the other seat at the agent", || {
        let leases = site.agent().status().leases;
        (leases.len() == 1 && leases[0].id == "L1").then_some(())
    });
    run.kill();
    program.end();
    site.server.seated(0);
}

#[test]
fn a_seat_that_is_kept_for_the_next_start_is_used_by_a_run() {
    let Some(site) = Site::new(0) else {
        return;
    };
    let tell_me = "/v1/products/app/tell-me";
    let told = wait_for("a seat that is kept", || {
        let told = site.post(tell_me, &json!({})).unwrap();
        (told["state"] == "granted").then_some(told)
    });
    let left = told["kept_seconds"].as_u64().unwrap();
    assert!((1..=300).contains(&left), "{told}");
    let (run, lease) = site.run();
    assert_eq!(lease, "R2", "it is the one that is kept");
    // Who holds one that the next start shares waits for none.
    let told = site.post(tell_me, &json!({})).unwrap();
    assert_eq!(told["held"], "R2", "{told}");
    assert!(told["kept_seconds"].is_null(), "{told}");
    assert_eq!(site.asked("POST", "/v1/checkouts"), 1, "that of the wait");
    // It is kept no more: it is hers as long as the run goes on, and so it is for a plain start.
    let program = site.start();
    assert_eq!(site.agent().status().leases[0].id, "R2");
    run.kill();
    site.settle();
    assert_eq!(site.asked("DELETE", "/v1/leases/R2"), 0);
    program.end();
    wait_for("the seat to go back", || {
        (site.asked("DELETE", "/v1/leases/R2") == 1).then_some(())
    });
}

/// A process that waits for a seat by that ticket, and tells what it got.
fn waiter(site: &Site, ticket: &str) -> Child {
    let before = polls(site, ticket);
    let socket = site.agent().data().join("agent.sock");
    let mut curl = Command::new("curl");
    curl.args(["-s", "-o", "/dev/null", "-X", "POST", "--unix-socket"])
        .arg(&socket)
        .args([
            "-d",
            r#"{"product":"app","user":"x","computer":"x","wait":true}"#,
        ])
        .arg("http://localhost/v1/checkouts?one_use=true")
        .args(["--next", "-s", "--unix-socket"])
        .arg(&socket)
        .arg(format!(
            "http://localhost/v1/tickets/{ticket}?wait_seconds=60"
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let waits = curl.spawn().unwrap();
    wait_for("its place", || {
        (polls(site, ticket) == before + 1).then_some(())
    });
    waits
}

/// How often it was waited at the server for that ticket's seat.
fn polls(site: &Site, ticket: &str) -> usize {
    let path = format!("/v1/tickets/{ticket}?wait_seconds=60");
    let book = site.server.book();
    let is_it = |(how, what, _): &&(String, String, Value)| how == "GET" && *what == path;
    book.requests.iter().filter(is_it).count()
}

/// The lease that a waiter was granted.
fn lease_of(waits: Child) -> String {
    let output = waits.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["state"], "granted", "{text}");
    answer["lease"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn two_that_wait_for_one_use_wait_by_one_place_and_share_its_seat() {
    let Some(site) = Site::new(0) else {
        return;
    };
    site.server.book().holds_tickets = true;
    let (first, second) = (waiter(&site, "T1"), waiter(&site, "T1"));
    assert_eq!(site.asked("POST", "/v1/checkouts"), 1, "one place");
    site.server.book().granted_tickets.insert("T1".to_owned());
    assert_eq!(
        (lease_of(first), lease_of(second)),
        ("R2".into(), "R2".into())
    );
    // It is the seat of both: neither gives it back, nor the place that it was granted to.
    assert_eq!(site.asked("DELETE", "/v1/tickets/T1"), 0);
    assert_eq!(site.asked("DELETE", "/v1/leases/R2"), 0);
}

#[test]
fn a_place_that_two_wait_by_is_left_when_the_last_is_gone() {
    let Some(site) = Site::new(0) else {
        return;
    };
    site.server.book().holds_tickets = true;
    let (mut first, mut second) = (waiter(&site, "T1"), waiter(&site, "T1"));
    first.kill().unwrap();
    first.wait().unwrap();
    // Who comes later waits by the same place.
    let mut third = waiter(&site, "T1");
    let left = || site.asked("DELETE", "/v1/tickets/T1");
    assert_eq!(left(), 0, "the second waits on");
    for waits in [&mut second, &mut third] {
        waits.kill().unwrap();
        waits.wait().unwrap();
    }
    wait_for("its place to be left", || (left() == 1).then_some(()));
    assert_eq!(site.asked("POST", "/v1/checkouts"), 1);
}

#[test]
fn who_waits_shares_the_seat_of_a_program_that_is_started_meanwhile() {
    let Some(site) = Site::new(1) else {
        return;
    };
    site.server.book().holds_tickets = true;
    let waits = waiter(&site, "T1");
    let program = site.start();
    let output = waits.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r#""id":"L1""#), "{text}");
    program.end();
    site.server.seated(0);
}

#[test]
fn where_processes_are_counted_each_takes_its_own() {
    let Some(site) = Site::new(1) else {
        return;
    };
    {
        let mut book = site.server.book();
        book.policy.version += 1;
        book.policy.products[0].counting = usher_api::Counting::Process;
    }
    site.settle();
    let program = site.start();
    let (run, lease) = site.run();
    assert_eq!((&*lease, site.asked("POST", "/v1/checkouts")), ("R1", 1));
    program.end();
    site.server.seated(0);
    assert_eq!(site.asked("DELETE", "/v1/leases/R1"), 0);
    run.kill();
    wait_for("the seat to go back", || {
        (site.asked("DELETE", "/v1/leases/R1") == 1).then_some(())
    });
}
