//! Programs that lose their seat, or that nobody touches.

use super::*;
use crate::model::seats::UNSEATED_RETRY_MS;
use crate::watch::sense::Places;

fn ends_when_idle(mode: &str) -> Value {
    json!({"id": "solver", "mode": mode, "on_idle": "end", "idle_seconds": 60,
        "grace_seconds": 60})
}

#[test]
fn a_session_that_is_taken_up_keeps_its_processes_whatever_is_answered_first() {
    let (mut desk, child) = seated(&ends_without_lease());
    desk.restarts();
    let asked = desk.exchange(|_| granted());
    assert_eq!(asked.len(), 1);
    let saved = desk.agent.outbox.sessions().unwrap();
    assert_eq!(saved[0].members[0].pid, child.id());
    end(child);
}

#[test]
fn what_ignores_that_it_is_to_end_is_killed_later() {
    let (mut desk, mut child) = seated(&ends_without_lease());
    desk.loses();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked - 1);
    assert_eq!(desk.agent.lost.next_due_boot_ms(), Some(asked));
    desk.agent.remind_due(asked);
    let killed = desk.agent.lost.next_due_boot_ms().unwrap();
    assert_eq!(killed, asked + 30_000);
    desk.agent.remind_due(killed - 1);
    assert!(child.try_wait().unwrap().is_none());
    desk.agent.remind_due(killed);
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
}

#[test]
fn nobody_is_ended_by_default_or_where_nothing_is_enforced() {
    for product in [
        json!({"id": "solver", "mode": "enforce"}),
        json!({"id": "solver", "mode": "track", "on_lost_lease": "end"}),
    ] {
        let (mut desk, child) = seated(&product);
        desk.loses();
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
        end(child);
    }
}

#[test]
fn what_never_had_a_seat_has_lost_none() {
    let mut desk = Desk::new();
    desk.goes_by(&ends_without_lease());
    desk.does(Event::Runs(process(10))).unwrap();
    desk.exchange(|_| unseated());
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
}

#[test]
fn a_server_that_is_away_for_longer_than_the_ttl_ends_nobody() {
    let (mut desk, child) = seated(&ends_without_lease());
    let session = SessionId(1);
    desk.agent.seats.get_mut(session).unwrap().until_boot_ms = 0;
    desk.agent.let_go(true).unwrap();
    desk.exchange(|_| Some(SyncOutcome::Undecided));
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
    end(child);
}

#[test]
fn a_server_that_decides_nothing_ends_nobody_and_is_shown_the_lease_again() {
    let (mut desk, child) = seated(&ends_without_lease());
    let session = SessionId(1);
    desk.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
    desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    for _ in 0..3 {
        let asked = desk.exchange(|_| undecided());
        assert_eq!(asked[0]["held"]["lease"], "L1", "{asked:?}");
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
        let seat = desk.agent.seats.get_mut(session).unwrap();
        assert!(seat.due_boot_ms <= clock::boot_ms() + UNSEATED_RETRY_MS);
        seat.due_boot_ms = 0;
    }
    // What it decides later counts.
    desk.exchange(|_| unseated());
    assert!(desk.agent.lost.next_due_boot_ms().is_some());
    end(child);
}

#[test]
fn a_seat_or_another_rule_in_time_saves_a_program() {
    let (mut desk, child) = seated(&ends_without_lease());
    desk.loses();
    let session = SessionId(1);
    desk.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
    desk.exchange(|_| granted());
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
    for product in [
        json!({"id": "solver", "mode": "enforce", "on_lost_lease": "run"}),
        json!({"id": "solver", "mode": "track", "on_lost_lease": "end"}),
    ] {
        desk.goes_by(&ends_without_lease());
        desk.loses();
        assert!(desk.agent.lost.next_due_boot_ms().is_some());
        desk.goes_by(&product);
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
        desk.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
        desk.exchange(|_| granted());
    }
    // Nor once it was told to end.
    desk.goes_by(&ends_without_lease());
    desk.loses();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked);
    desk.goes_by(&json!({"id": "solver", "mode": "enforce"}));
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
    end(child);
}

#[test]
fn whoever_was_asked_to_use_a_program_that_may_not_be_ended_any_more_loses_nothing() {
    for other in [
        ends_when_idle("track"),
        json!({"id": "solver", "mode": "enforce", "on_idle": "warn", "idle_seconds": 60}),
    ] {
        let (mut desk, child) = seated(&ends_when_idle("enforce"));
        desk.is_left_alone();
        let asked = desk.agent.lost.next_due_boot_ms().unwrap();
        desk.goes_by(&other);
        desk.agent.remind_due(asked);
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None, "{other}");
        end(child);
    }
}

#[test]
fn who_is_back_and_refused_a_seat_is_told_why_there_is_none() {
    use usher_api::Reason;
    let idle = json!({"id": "solver", "on_idle": "release", "idle_seconds": 60});
    for (reason, why) in [
        (Reason::NoSeat, "All are in use by now. "),
        (Reason::EntitlementExpired, "There are none now. "),
        (Reason::Quota, "You may not have one now. "),
        (Reason::ProductDisabled, "The product is switched off. "),
    ] {
        let (mut desk, child) = seated(&idle);
        desk.is_left_alone();
        let asked = desk.agent.lost.next_due_boot_ms().unwrap();
        desk.agent.remind_due(asked);
        desk.exchange(|_| None);
        desk.is_touched();
        desk.exchange(|_| {
            Some(SyncOutcome::Unseated {
                reason,
                undecided: false,
            })
        });
        let told = desk.agent.notices.of(USER, None);
        let text = &told.last().unwrap().text;
        assert!(text.starts_with(why), "{text}");
        end(child);
    }
}

#[test]
fn what_ends_while_an_agent_stops_was_last_seen_when_it_watched() {
    let mut desk = Desk::new();
    desk.does(Event::Runs(process(10))).unwrap();
    let mut until = clock::now();
    until.boot_ms -= 500;
    desk.agent.watched_until = Some(until);
    let seen = |desk: &Desk| desk.agent.outbox.number("seen_boot_ms").unwrap();
    desk.agent.write_down_members().unwrap();
    assert_eq!(seen(&desk), until.boot_ms);
    desk.does(Event::Runs(process(11))).unwrap();
    assert_eq!(seen(&desk), until.boot_ms);
}

#[test]
fn a_renewal_says_for_how_long_nobody_has_touched_a_program_only_if_that_is_known() {
    let idle = json!({"id": "solver", "on_idle": "warn", "idle_seconds": 60});
    let (mut desk, child) = seated(&idle);
    let mut renews = |terminals: Option<Vec<Option<u64>>>| {
        let places = terminals.map(|terminals| Places {
            session: SessionId(1),
            terminals,
            displays: Default::default(),
        });
        desk.agent.left_alone(places.as_slice());
        let seat = desk.agent.seats.get_mut(SessionId(1));
        seat.unwrap().due_boot_ms = 0;
        let items = desk.exchange(|_| Some(SyncOutcome::Renewed { ttl_seconds: 300 }));
        assert_eq!(items[0]["kind"], "renew");
        items[0]["untouched_seconds"].clone()
    };
    assert_eq!(renews(None), Value::Null, "nobody has looked");
    // It is not older than the session, which has just begun.
    assert_eq!(renews(Some(vec![Some(90_000)])), 0);
    assert_eq!(renews(Some(vec![Some(90_000), None])), Value::Null);
    assert_eq!(renews(Some(Vec::new())), Value::Null);
    end(child);
}
