//! One use of a person takes one seat, at the gate and whatever crosses on the way.

use std::process::{Child, Command};

use super::*;
use crate::agent::Left;
use crate::agent::covers::as_use;
use crate::store::outbox::Cover;
use crate::system::procfs;

/// A `usher run` of the same person, which has a seat by that lease.
struct Run {
    command: Child,
    lease: &'static str,
}

impl Run {
    fn new(lease: &'static str) -> Run {
        let mut command = Command::new("/bin/sleep");
        Run {
            command: command.arg("600").spawn().unwrap(),
            lease,
        }
    }

    fn root(&self) -> ProcessKey {
        let pid = self.command.id();
        let start = procfs::process_stat(pid).unwrap().start;
        ProcessKey { pid, start }
    }

    /// The agent knows of the lease; `one_use`: it was asked for all of one use.
    fn is_granted(&self, desk: &mut Desk, one_use: bool) {
        let of = one_use.then_some(USER);
        let save = |change: &crate::store::outbox::Change<'_>| {
            change.save_grant(self.lease, USER, "solver", of)
        };
        desk.agent.outbox.change(save).unwrap();
    }

    /// Its command runs on it.
    fn is_covered(&self, desk: &mut Desk) {
        let cover = Cover {
            root: self.root(),
            lease: self.lease.to_owned(),
            product: "solver".to_owned(),
            keeps: true,
            proof: None,
        };
        desk.agent.cover(cover).unwrap();
    }

    /// Its seat was kept for it, and it runs a command of no product.
    fn uses_kept(&self, desk: &mut Desk) {
        let program = Program {
            name: "script".into(),
            version: None,
        };
        let process = as_use(self.root(), "solver", program, process(10).who);
        desk.agent.uses_kept(process).unwrap();
    }

    /// It ends, and the agent notices.
    fn ends(mut self, desk: &mut Desk) {
        let pid = self.command.id();
        self.command.kill().unwrap();
        self.command.wait().unwrap();
        desk.agent.root_has_ended(pid).unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.command.kill();
        let _ = self.command.wait();
    }
}

fn denied() -> Option<SyncOutcome> {
    Some(SyncOutcome::Denied {
        reason: usher_api::Reason::NoSeat,
        decision_id: "d".into(),
        detail: "the only seat of solver is in use".into(),
    })
}

fn kinds(items: &[Value]) -> Vec<String> {
    let kinds = items.iter().map(|item| item["kind"].as_str().unwrap());
    kinds.map(str::to_owned).collect()
}

impl Desk {
    fn left_behind(&self) -> Vec<String> {
        self.agent.outbox.left_behind().unwrap()
    }

    fn lease(&self) -> Option<String> {
        let session = self.agent.sessions.get(self.session())?;
        let lease = session.lease.as_ref().filter(|_| session.seated)?;
        Some(lease.to_string())
    }
}

#[test]
fn a_start_that_is_held_runs_at_once_on_the_seat_of_a_run() {
    let mut desk = Desk::new();
    let run = Run::new("R1");
    run.is_granted(&mut desk, true);
    run.is_covered(&mut desk);
    desk.asks(10);
    assert!(!desk.is_asking(), "it may run");
    assert!(
        desk.agent.next_let_go().is_some(),
        "until it is seen to run"
    );
    desk.does(Event::Runs(process(10))).unwrap();
    assert_eq!(desk.lease().as_deref(), Some("R1"));
    assert_eq!(kinds(&desk.exchange(|_| None)), [""; 0], "nothing is asked");
    run.ends(&mut desk);
    assert_eq!(desk.left_behind(), ["R1"]);
    assert_eq!(desk.agent.leaves("R1").unwrap(), Left::Used);
    desk.restarts();
    assert_eq!(desk.agent.leaves("R1").unwrap(), Left::Used);
}

#[test]
fn what_runs_on_a_seat_that_was_kept_is_one_use_whatever_it_is() {
    let mut desk = Desk::new();
    let (first, second) = (Run::new("R1"), Run::new("R1"));
    first.is_granted(&mut desk, true);
    for run in [&first, &second] {
        run.is_covered(&mut desk);
        run.uses_kept(&mut desk);
    }
    // A program of the product that one of them starts is of the same use.
    let mut below = process(10);
    below.parent = first.root().pid;
    desk.does(Event::Runs(below)).unwrap();
    desk.does(Event::Exited { pid: 10 }).unwrap();
    first.ends(&mut desk);
    assert_eq!(kinds(&desk.exchange(|_| None)), [""; 0], "the second runs");
    desk.restarts();
    desk.does(Event::Settled).unwrap();
    assert_eq!(kinds(&desk.exchange(|_| None)), [""; 0], "it runs on");
    second.ends(&mut desk);
    let items = desk.exchange(|_| None);
    assert_eq!(kinds(&items), ["finished"]);
    let told = (&items[0]["program"], &items[0]["lease"]);
    assert_eq!(told, (&json!("script"), &json!("R1")));
    assert_eq!(desk.left_behind(), ["R1"]);
}

#[test]
fn a_seat_of_its_own_is_shared_with_nobody_and_another_persons_never() {
    for (one_use, counted) in [(false, USER), (true, ANOTHER)] {
        let mut desk = Desk::new();
        let run = Run::new("R1");
        run.is_granted(&mut desk, one_use);
        run.is_covered(&mut desk);
        let mut other = process(10);
        other.who.counted = counted;
        desk.does(Event::Runs(other)).unwrap();
        let items = desk.exchange(|_| granted());
        assert_eq!(kinds(&items), ["checkout"], "{one_use} {counted}");
    }
}

#[test]
fn a_start_that_is_refused_while_a_run_of_the_same_use_is_granted_the_seat_runs_on_it() {
    let mut desk = Desk::new();
    desk.asks(10);
    let (items, sent) = desk.sends();
    let run = Run::new("R1");
    run.is_granted(&mut desk, true);
    // It is about to have its command covered.
    let lease = usher_api::Lease {
        id: "R1".into(),
        ..serde_json::from_value(json!({
            "id": "", "product": "solver", "user": "u", "computer": "c", "seats": 1,
            "granted_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:01:00Z",
            "ttl_seconds": 60
        }))
        .unwrap()
    };
    let uses = desk.agent.shares.uses.clone();
    uses.share("R1", run.root());
    uses.keep((USER, USER, "solver".to_owned()), &lease);
    desk.answers(&items, &sent, |_| denied());
    assert!(!desk.is_asking());
    assert_eq!(desk.agent.sessions.starts().count(), 1, "it is not refused");
    assert_eq!(desk.lease().as_deref(), Some("R1"));
}

#[test]
fn of_two_seats_that_cross_on_the_way_one_goes_back() {
    let mut desk = Desk::new();
    desk.does(Event::Runs(process(10))).unwrap();
    let (items, sent) = desk.sends();
    let run = Run::new("R1");
    run.is_granted(&mut desk, true);
    run.is_covered(&mut desk);
    desk.answers(&items, &sent, |_| granted());
    assert_eq!(desk.lease().as_deref(), Some("R1"));
    let items = desk.exchange(|_| None);
    assert_eq!(kinds(&items), ["checkin"], "the other one goes back");
    desk.does(Event::Exited { pid: 10 }).unwrap();
    assert_eq!(kinds(&desk.exchange(|_| None)), ["finished"]);
    assert_eq!(desk.left_behind(), [""; 0], "the run goes on");
}

#[test]
fn what_is_started_while_a_run_of_the_same_use_asks_waits_for_its_answer() {
    let mut desk = Desk::new();
    let asking = desk.agent.shares.uses.asks(USER, "solver");
    desk.does(Event::Runs(process(10))).unwrap();
    assert_eq!(
        kinds(&desk.exchange(|_| None)),
        [""; 0],
        "nothing is asked yet"
    );
    drop(asking);
    desk.agent.ask_for_put_off().unwrap();
    assert_eq!(kinds(&desk.exchange(|_| granted())), ["checkout"]);
    assert_eq!(desk.lease().as_deref(), Some("L1"));
}

#[test]
fn a_session_seat_that_a_run_was_given_goes_back_when_the_last_has_ended_in_any_order() {
    for is_run_first in [true, false] {
        let mut desk = Desk::new();
        desk.does(Event::Runs(process(10))).unwrap();
        desk.exchange(|_| granted());
        assert!(desk.agent.lend("solver", ANOTHER).unwrap().is_none());
        let lent = desk.agent.lend("solver", USER).unwrap().unwrap();
        assert_eq!((&*lent.id, &*lent.computer), ("L1", "box"));
        assert!((1..=300).contains(&lent.ttl_seconds));
        let run = Run::new("L1");
        run.is_granted(&mut desk, false);
        run.is_covered(&mut desk);
        if is_run_first {
            run.ends(&mut desk);
            assert_eq!(desk.agent.leaves("L1").unwrap(), Left::Used);
            desk.does(Event::Exited { pid: 10 }).unwrap();
        } else {
            desk.does(Event::Exited { pid: 10 }).unwrap();
            assert_eq!(
                kinds(&desk.exchange(|_| None)),
                ["finished"],
                "the run goes on"
            );
            desk.restarts();
            assert!(desk.agent.lent("L1").is_some(), "it is held on");
            let renewed = Some(SyncOutcome::Renewed { ttl_seconds: 300 });
            assert_eq!(kinds(&desk.exchange(|_| renewed.clone())), ["renew"]);
            run.ends(&mut desk);
            assert_eq!(desk.agent.leaves("L1").unwrap(), Left::GivenBack);
        }
        let items = kinds(&desk.exchange(|_| None));
        assert!(
            items.contains(&"checkin".to_owned()),
            "{is_run_first} {items:?}"
        );
        assert_eq!(desk.agent.outbox.left_behind().unwrap(), [""; 0]);
        assert!(desk.agent.lent("L1").is_none());
    }
}

#[test]
fn a_plain_start_and_a_run_on_one_lease_are_told_of_as_one_session_over_a_restart_too() {
    let minute_ms = 60_000;
    for restarts in [false, true] {
        let mut desk = Desk::new();
        let mut plain = process(10);
        let mut since = clock::now();
        since.boot_ms = since.boot_ms.saturating_sub(minute_ms);
        plain.since = Some(since);
        desk.does(Event::Runs(plain)).unwrap();
        desk.exchange(|_| granted());
        desk.agent.lend("solver", USER).unwrap().unwrap();
        let run = Run::new("L1");
        run.is_granted(&mut desk, false);
        run.is_covered(&mut desk);
        let (parent, child) = (run.root().pid, ProcessKey { pid: 20, start: 1 });
        desk.does(Event::Forked { parent, child }).unwrap();
        let mut second = process(20);
        second.parent = parent;
        desk.does(Event::Runs(second)).unwrap();
        assert_eq!(desk.agent.sessions.open().count(), 2);
        desk.does(Event::Exited { pid: 10 }).unwrap();
        assert_eq!(kinds(&desk.exchange(|_| None)), [""; 0], "it goes on");
        if restarts {
            desk.restarts();
            desk.does(Event::Settled).unwrap();
        } else {
            desk.does(Event::Exited { pid: 20 }).unwrap();
        }
        let mut items = desk.exchange(|_| None);
        items.retain(|item| item["kind"] == "finished");
        assert_eq!(items.len(), 1, "{restarts} {items:?}");
        let of = (&items[0]["lease"], &items[0]["session"]);
        assert_eq!(of, (&json!("L1"), &json!(2)));
        let lasted_ms = items[0]["duration_ms"].as_u64().unwrap();
        assert!(lasted_ms >= minute_ms, "{lasted_ms} {restarts}");
    }
}

#[test]
fn a_run_that_is_killed_before_it_has_begun_keeps_no_seat_of_a_session_that_has_ended() {
    let mut desk = Desk::new();
    desk.does(Event::Runs(process(10))).unwrap();
    desk.exchange(|_| granted());
    let mut run = Run::new("L1");
    desk.agent.lend("solver", USER).unwrap().unwrap();
    desk.agent.shares.uses.share("L1", run.root());
    desk.does(Event::Exited { pid: 10 }).unwrap();
    assert_eq!(
        kinds(&desk.exchange(|_| None)),
        ["finished"],
        "it is about to begin"
    );
    desk.agent.look_after_left().unwrap();
    assert_eq!(kinds(&desk.exchange(|_| None)), [""; 0]);
    run.command.kill().unwrap();
    run.command.wait().unwrap();
    desk.agent.look_after_left().unwrap();
    assert_eq!(kinds(&desk.exchange(|_| None)), ["checkin"]);
}

#[test]
fn an_idle_programs_seat_stays_while_a_run_uses_it() {
    let (mut desk, child) = seated(&json!({
        "id": "solver", "on_idle": "release", "idle_seconds": 60
    }));
    desk.agent.lend("solver", USER).unwrap().unwrap();
    let run = Run::new("L1");
    run.is_granted(&mut desk, false);
    run.is_covered(&mut desk);
    desk.is_left_alone();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked);
    assert_eq!(desk.lease().as_deref(), Some("L1"));
    assert_eq!(kinds(&desk.exchange(|_| None)), [""; 0]);
    end(child);
}
