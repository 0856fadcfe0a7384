//! The cases of a server's life on a real systemd, one after the other under one manager: at the
//! first look each has its verdict, with the state, its age and the evidence in the one message that
//! tells of it; "not running" (9406) is said of those that do not run, and of no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::far;
use crate::http::{Http, checkout};
use crate::installed::{Installed, SERVICE, freeze, on_a_disk};
use crate::managed::Managed;
use crate::planted::{Fault, Planted};
use crate::support::{said, wait_for};
use crate::systemd::SystemdBox;

/// Told once of a server that has had so many troubles within the hour.
const FLAPPING: u64 = 9415;

/// The longest until the manager has the sessions that a pack removes.
const COLLECTED_WITHIN: Duration = Duration::from_secs(150);

/// How a server has to be judged.
struct Case<'a> {
    name: &'static str,
    server: &'static str,
    verdict: &'static str,
    message: u64,
    /// What the message has to say.
    evidence: &'a [&'a str],
}

impl Managed {
    fn watch(&mut self, name: &str, url: &str, token: &str, unit: &str) {
        let body = json!({ "name": name, "url": url, "token": token, "unit": unit });
        let added = self.console.ask("POST", "/v1/servers", Some(&body));
        let added = added.unwrap();
        assert_eq!(added.status, 201, "{added:?}");
        assert_eq!(self.look(name)["verdict"], "running");
    }

    fn look(&mut self, server: &str) -> Value {
        let path = format!("/v1/servers/{server}/poll");
        let answer = self.console.ask("POST", &path, Some(&json!({}))).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The messages about a server, without the one that names it flapping.
    fn of(&mut self, server: &str) -> Vec<Value> {
        let mut messages = self.messages();
        messages.retain(|message| message["server"] == server && message["id"] != FLAPPING);
        messages
    }

    /// The trouble is there: it is judged right at the first look, and told once.
    fn trouble(&mut self, case: &Case<'_>, before: usize) {
        let began = Instant::now();
        let seen = self.look(case.server);
        let took = began.elapsed();
        let name = case.name;
        assert_eq!(seen["verdict"], case.verdict, "{name}: {seen:#}");
        // Seen again, it is not told again.
        self.look(case.server);
        let messages = self.of(case.server);
        assert_eq!(messages.len(), before + 1, "{name}: {messages:#?}");
        let told = &messages[before];
        assert_eq!(told["id"], case.message, "{name}: {told:#}");
        assert!(told["count"].as_u64().unwrap() >= 2, "{name}: {told:#}");
        assert_eq!(told["recovered_at"], Value::Null, "{name}: {told:#}");
        let text = told["text"].as_str().unwrap();
        for evidence in case.evidence {
            assert!(text.contains(evidence), "{name}: no {evidence:?} in {text}");
        }
        let not_running = text.contains("not running");
        assert_eq!(not_running, case.message == 9406, "{name}: {text}");
        row(name, case.verdict, took, text);
    }

    /// The trouble is over: its message is closed, and another says so.
    fn cured(&mut self, case: &Case<'_>, before: usize) {
        let name = case.name;
        wait_for("the server to be well again", || {
            (self.look(case.server)["verdict"] == "running").then_some(())
        });
        let messages = self.of(case.server);
        let told: Vec<_> = messages[before..].iter().map(|told| &told["id"]).collect();
        assert_eq!(
            told,
            [&json!(case.message), &json!(9414)],
            "{name}: {messages:#?}"
        );
        assert!(
            messages[before]["recovered_at"].is_string(),
            "{name}: {messages:#?}"
        );
    }

    /// A case from its cause to its cure.
    fn case<T>(
        &mut self,
        case: &Case<'_>,
        cause: impl FnOnce(&Managed) -> T,
        cure: impl FnOnce(&Managed, T),
    ) {
        let before = self.of(case.server).len();
        let caused = cause(self);
        self.trouble(case, before);
        cure(self, caused);
        self.cured(case, before);
    }

    /// Nothing is told of what is well.
    fn well(&mut self, name: &str, verdict: &str, evidence: &str) {
        let before = self.of("alpha").len();
        let began = Instant::now();
        let seen = self.look("alpha");
        let took = began.elapsed();
        assert_eq!(seen["verdict"], verdict, "{name}: {seen:#}");
        let text = seen["evidence"].to_string();
        assert!(text.contains(evidence), "{name}: {text}");
        assert_eq!(self.of("alpha").len(), before, "{name}");
        row(name, verdict, took, "no message");
    }

    fn wait_for_state(&self, state: &str) {
        wait_for(state, || {
            (self.server.show("ActiveState") == state).then_some(())
        });
    }
}

fn row(name: &str, verdict: &str, took: Duration, text: &str) {
    println!("{name:32} {verdict:12} {:5} ms  {text}", took.as_millis());
}

/// The unit as the article's own case needs it: who is in it may speak for it, and systemd waits for
/// its end for ever.
fn speaks_for_itself(systemd: &SystemdBox) {
    let drop_in = systemd.units().join(format!("{SERVICE}.d/speaks.conf"));
    std::fs::write(
        drop_in,
        "[Service]\nNotifyAccess=all\nTimeoutStopSec=infinity\n",
    )
    .unwrap();
    systemd.reload();
}

/// A unit that nothing wants is forgotten when it has stopped, and its age with it.
fn enabled(systemd: &SystemdBox) {
    let wants = systemd.units().join("basic.target.wants");
    std::fs::create_dir(&wants).unwrap();
    std::os::unix::fs::symlink(systemd.units().join(SERVICE), wants.join(SERVICE)).unwrap();
    systemd.reload();
}

/// Somebody in the unit tells systemd that it stops.
fn says_stopping(server: &Installed) {
    let told = server.systemd.exec(&[
        "sh",
        "-c",
        "echo $$ > /sys/fs/cgroup/system.slice/\"$0\"/cgroup.procs && \
         NOTIFY_SOCKET=/run/systemd/notify systemd-notify STOPPING=1",
        SERVICE,
    ]);
    assert!(told.status.success(), "{}", said(&told));
}

#[test]
fn each_case_has_its_verdict_at_the_first_look_and_one_message() {
    far::own_network();
    let mut managed = Managed::new(|systemd| {
        far::loopback(systemd);
        on_a_disk(systemd);
        speaks_for_itself(systemd);
        enabled(systemd);
    });
    let far_token = far::start(&managed.server.systemd);
    managed.watch("far", far::API, &far_token, far::SERVICE);
    managed.well("healthy", "running", "a canary was seated");
    managed.case(
        &Case {
            name: "frozen (SIGSTOP)",
            server: "alpha",
            verdict: "stuck",
            message: 9410,
            evidence: &["says running for ", "did not answer in "],
        },
        |managed| managed.signal("-STOP"),
        |managed, ()| managed.signal("-CONT"),
    );
    managed.case(
        &Case {
            name: "its disk hangs (fsfreeze)",
            server: "alpha",
            verdict: "stuck",
            message: 9410,
            evidence: &["says running for ", "a canary was not seated within "],
        },
        |managed| freeze(&managed.server),
        |_, frozen| drop(frozen),
    );
    managed.case(
        &Case {
            name: "cut off (its link is down)",
            server: "far",
            verdict: "unreachable",
            message: 9412,
            evidence: &["says running for ", "no connection: "],
        },
        |managed| far::cable(&managed.server.systemd, "down"),
        |managed, ()| far::cable(&managed.server.systemd, "up"),
    );
    managed.case(
        &Case {
            name: "killed",
            server: "alpha",
            verdict: "stopped",
            message: 9406,
            evidence: &["says stopped for ", "error 1067", "nobody listens there"],
        },
        |managed| {
            managed.signal("-KILL");
            managed.wait_for_state("failed");
        },
        |managed, ()| managed.server.steer("start"),
    );
    managed.case(
        &Case {
            name: "stopped on purpose",
            server: "alpha",
            verdict: "stopped",
            message: 9406,
            evidence: &["says stopped for ", "as it was asked to"],
        },
        |managed| managed.server.steer("stop"),
        |managed, ()| managed.server.steer("start"),
    );
    let planted = Planted::before(&managed.server.api);
    let token = managed.server.token();
    managed.watch("planted", &planted.url, &token, SERVICE);
    for (name, fault, evidence) in [
        (
            "answers, denies every seat",
            Fault::Denies,
            "not seated on its own seat: no_seat",
        ),
        (
            "answers, leaves seats unanswered",
            Fault::Ignores,
            "a canary was not seated within ",
        ),
    ] {
        managed.case(
            &Case {
                name,
                server: "planted",
                verdict: "stuck",
                message: 9410,
                evidence: &["says running for ", "answers that it is running", evidence],
            },
            |_| planted.plant(fault),
            |_, ()| planted.plant(Fault::None),
        );
    }
    in_a_pack(&mut managed);
    managed.case(
        &Case {
            name: "says STOPPING=1 and runs on",
            server: "alpha",
            verdict: "degraded",
            message: 9411,
            evidence: &[
                "says stop_pending for ",
                "not believed, for the server seats people",
                "answers that it is running",
            ],
        },
        |managed| {
            says_stopping(&managed.server);
            managed.wait_for_state("deactivating");
        },
        |managed, ()| stop_by_the_api(managed),
    );
    let told = managed.messages();
    let flapping = told.iter().filter(|message| message["id"] == FLAPPING);
    assert_eq!(flapping.count(), 1, "alpha comes and goes: {told:#?}");
}

/// Somebody who takes a seat and gives it back all the while: a pack then rests many times as long as
/// it works, so that it lasts for a look.
struct Others {
    stop: Arc<AtomicBool>,
    asks: Option<JoinHandle<()>>,
}

impl Others {
    fn ask(mut http: Http) -> Others {
        let stop = Arc::new(AtomicBool::new(false));
        let over = stop.clone();
        let asks = std::thread::spawn(move || {
            let body = checkout("tool", "ada");
            while !over.load(Ordering::Relaxed) {
                takes_a_seat(&mut http, &body);
            }
        });
        Others {
            stop,
            asks: Some(asks),
        }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.asks.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// Takes a seat and gives it back.
fn takes_a_seat(http: &mut Http, body: &Value) {
    let granted = http.ask("POST", "/v1/checkouts", Some(body)).unwrap();
    assert_eq!(granted.status, 201, "{granted:?}");
    let lease = granted.body["lease"]["id"].as_str().unwrap();
    let given = http.ask("DELETE", &format!("/v1/leases/{lease}"), None);
    assert_eq!(given.unwrap().status, 204);
}

/// A pack of so much that it lasts for a look: while others ask, it rests between what it purges, and
/// for every few people that it forgets it waits for the disk, as the look does.
fn in_a_pack(managed: &mut Managed) {
    const EXCHANGES: u64 = 10;
    const SESSIONS: u64 = 1_000;
    managed.server.product(1);
    let mut http = managed.server.connect();
    for exchange in 0..EXCHANGES {
        let first = exchange * SESSIONS + 1;
        let sessions: Vec<Value> = (first..first + SESSIONS).map(long_ago).collect();
        let body = json!({
            "computer": {"id": "pc1", "name": "pc1", "watching": "polling"},
            "incarnation": 1,
            "items": sessions,
        });
        let told = http.ask("POST", "/v1/agents/sync", Some(&body)).unwrap();
        assert_eq!(told.body["acknowledged"], first + SESSIONS - 1, "{told:?}");
    }
    // Each acknowledgement has a pack keep for two weeks what was collected.
    let end = Instant::now() + COLLECTED_WITHIN;
    let collected = loop {
        // Both names are of one server: what the one has collected, the other does not add again.
        let known = ["alpha", "planted"].map(|name| managed.look(name)["history"].take());
        let sum = |field: &str| {
            known
                .iter()
                .filter_map(|it| it[field].as_u64())
                .sum::<u64>()
        };
        if sum("added") >= EXCHANGES * SESSIONS {
            break known
                .iter()
                .filter_map(|it| it["through_event"].as_u64())
                .max();
        }
        assert!(Instant::now() < end, "it is not collected: {known:?}");
    };
    // The manager's own canaries move the point that it shows and nothing that it acknowledges: it does
    // that when something has ended.
    takes_a_seat(&mut http, &checkout("tool", "ada"));
    let consumer = wait_for("its acknowledgement", || {
        let mut consumers = http.ask("GET", "/v1/history/consumers", None).unwrap().body;
        let consumer = consumers["items"][0].take();
        (consumer["through_event"].as_u64() >= collected).then_some(consumer)
    });
    let others = Others::ask(managed.server.connect());
    let consumer = consumer["name"].as_str().unwrap();
    let forget = format!("/v1/history/consumers/{consumer}");
    assert_eq!(http.ask("DELETE", &forget, None).unwrap().status, 204);
    let begun = http.ask("POST", "/v1/pack", Some(&json!({}))).unwrap();
    assert_eq!(begun.status, 202, "{begun:?}");
    managed.well("in a pack", "maintenance", "a pack runs, ");
    drop(others);
    let ended = wait_for("the end of the pack", || {
        let pack = http.ask("GET", "/v1/pack", None).unwrap().body;
        (pack["state"] == "idle").then_some(pack)
    });
    assert_eq!(ended["last"]["result"], "done", "{ended}");
    let purged = ended["last"]["purged_rows"].as_u64();
    assert!(purged >= Some(EXCHANGES * SESSIONS), "{ended}");
    managed.well("after the pack", "running", "a canary was seated");
}

/// A session past its retention, of somebody who has no other.
fn long_ago(number: u64) -> Value {
    let person = format!("person{number}");
    json!({
        "sequence": number,
        "kind": "finished",
        "session": number,
        "product": "tool",
        "program": "tool",
        "subject": {"authority": "usher", "id": person, "name": person},
        "started_at": "2020-01-01T10:00:00Z",
        "ended_at": "2020-01-01T11:00:00Z",
        "duration_seconds": 3_600,
    })
}

/// systemd would wait for an end that nobody has asked the server for. The server itself takes the
/// control, and ends.
fn stop_by_the_api(managed: &Managed) {
    let body = json!({"control": "stop"});
    let mut http = managed.server.connect();
    let told = http
        .ask("POST", "/v1/service/controls", Some(&body))
        .unwrap();
    assert_eq!(told.status, 200, "{told:?}");
    managed.wait_for_state("inactive");
    managed.server.steer("start");
}
