//! Recordings of what a site keeps.

use super::*;

fn made(event: u64) -> MadeBy {
    MadeBy {
        server: 1,
        incarnation: 7,
        event,
    }
}

fn who(person: u64) -> Who {
    Who {
        person: Some(person),
        computer: Some(1),
    }
}

fn lease(event: u64, person: u64, at: i64, held: u64) -> PastLease {
    PastLease {
        key: made(event),
        who: who(person),
        seats: 1,
        granted_ms: minutes(at),
        held_ms: Some(held * 60_000),
        ticket: None,
        was_used: true,
    }
}

fn session(person: u64, at: i64, length: u64) -> PastSession {
    PastSession {
        who: who(person),
        started_ms: minutes(at),
        duration_ms: length * 60_000,
        unseated_ms: length * 60_000,
        lease: None,
    }
}

fn wait(event: u64, person: u64, at: i64, waited: u64) -> PastWait {
    PastWait {
        key: made(event),
        who: who(person),
        seats: 1,
        priority: 0,
        queued_ms: minutes(at),
        waited_ms: waited * 60_000,
        was_granted: false,
        lease: None,
    }
}

fn refusal(person: u64, at: i64) -> PastRefusal {
    PastRefusal {
        who: who(person),
        seats: 1,
        first_ms: minutes(at),
        last_ms: minutes(at),
        would_wait: Some(false),
        seats_help: true,
    }
}

/// A hundred minutes with this past.
fn made_of(past: &[Past]) -> Recorded {
    recorded(recording(100, Vec::new()), past)
}

/// When somebody asked, who, whether it waited, and what came of it.
fn asks(past: &[Past]) -> Vec<(i64, u64, Waits, Outcome)> {
    let asks = made_of(past).recording.asks;
    let told = |ask: Ask| (ask.at_ms / MINUTE_MS, ask.person, ask.waits, ask.outcome);
    asks.into_iter().map(told).collect()
}

fn held(minutes: u64) -> Outcome {
    Outcome::Granted {
        held_ms: Some(minutes * 60_000),
    }
}

#[test]
fn a_lease_and_the_wait_for_it_are_one_ask() {
    let mut by_ticket = lease(10, 1, 20, 5);
    by_ticket.ticket = Some(made(9));
    let mut waited = wait(9, 1, 12, 8);
    waited.was_granted = true;
    let expected = [(12, 1, Waits::UntilServed, held(5))];
    let past = [Past::Lease(by_ticket.clone()), Past::Wait(waited.clone())];
    assert_eq!(asks(&past), expected);
    // The lease was forgotten by the ticket, or the ticket by the lease.
    by_ticket.ticket = None;
    waited.lease = Some(made(10));
    assert_eq!(
        asks(&[Past::Wait(waited), Past::Lease(by_ticket)]),
        expected
    );
}

#[test]
fn a_wait_that_came_to_nothing_that_was_used_was_in_vain() {
    let mut kept = lease(10, 1, 20, 5);
    kept.was_used = false;
    let mut waited = wait(9, 1, 12, 8);
    waited.was_granted = true;
    waited.lease = Some(made(10));
    let in_vain = [(12, 1, Waits::ForMs(480_000), Outcome::LeftQueue)];
    assert_eq!(asks(&[Past::Lease(kept), Past::Wait(waited)]), in_vain);
    assert_eq!(asks(&[Past::Wait(wait(9, 1, 12, 8))]), in_vain);
}

#[test]
fn a_wait_whose_lease_is_not_over_holds_to_the_end() {
    let mut waited = wait(9, 1, 12, 8);
    waited.was_granted = true;
    waited.lease = Some(made(10));
    let holds = Outcome::Granted { held_ms: None };
    let expected = [(12, 1, Waits::UntilServed, holds)];
    assert_eq!(asks(&[Past::Wait(waited.clone())]), expected);
    let mut still_held = lease(10, 1, 20, 0);
    still_held.held_ms = None;
    let past = [Past::Lease(still_held), Past::Wait(waited)];
    assert_eq!(asks(&past), expected);
}

#[test]
fn a_lease_that_ended_meanwhile_is_told_once() {
    let mut still_held = lease(10, 1, 20, 0);
    still_held.held_ms = None;
    let past = [Past::Lease(still_held), Past::Lease(lease(10, 1, 20, 5))];
    assert_eq!(asks(&past), [(20, 1, Waits::No, held(5))]);
}

#[test]
fn what_runs_without_a_seat_asks_for_one_and_once_for_each_person_and_computer() {
    let mut seated = session(1, 30, 10);
    seated.lease = Some(made(5));
    let past = [
        Past::Session(session(1, 0, 10)),
        Past::Session(session(1, 5, 10)),
        Past::Session(session(2, 5, 10)),
        Past::Lease(lease(5, 1, 40, 20)),
        Past::Session(seated),
        // Beside the lease of the same person, and longer than it.
        Past::Session(session(1, 50, 15)),
    ];
    let expected = [
        (0, 1, Waits::No, held(15)),
        (5, 2, Waits::No, held(10)),
        // Its session ran for ten minutes before it was granted.
        (30, 1, Waits::No, held(30)),
        (60, 1, Waits::No, held(5)),
    ];
    assert_eq!(asks(&past), expected);
    let notes = made_of(&past).notes.join(" ");
    assert!(notes.contains("3 uses without a seat"), "{notes}");
}

#[test]
fn who_is_refused_and_runs_it_all_the_same_asks_once() {
    let past = [
        Past::Refusal(refusal(1, 4)),
        Past::Session(session(1, 5, 10)),
        Past::Refusal(refusal(1, 20)),
        Past::Refusal(refusal(2, 6)),
    ];
    let expected = [
        (5, 1, Waits::No, held(10)),
        (6, 2, Waits::No, Outcome::Refused),
        (20, 1, Waits::No, Outcome::Refused),
    ];
    assert_eq!(asks(&past), expected);
}

#[test]
fn refusals_that_more_seats_would_not_have_spared_are_left_out_and_that_is_said() {
    let mut switched_off = refusal(1, 4);
    switched_off.seats_help = false;
    let mut repeated = refusal(2, 5);
    repeated.last_ms += 30_000;
    let past = [Past::Refusal(switched_off), Past::Refusal(repeated)];
    let of_two = (5, 2, Waits::No, Outcome::Refused);
    assert_eq!(asks(&past), [of_two, of_two]);
    let made = made_of(&past);
    assert_eq!(
        made.notes,
        ["1 refusal for other reasons than the number of seats is left out."]
    );
    let prepared = Prepared::of(&made.recording);
    assert_eq!(prepared.asks(), 1, "repeats are one want");
}

#[test]
fn who_has_waited_once_is_taken_to_wait_if_no_seat_is_free() {
    let past = [
        Past::Wait(wait(9, 1, 12, 8)),
        Past::Lease(lease(11, 1, 50, 5)),
        Past::Lease(lease(12, 2, 60, 5)),
    ];
    let expected = [
        (12, 1, Waits::ForMs(480_000), Outcome::LeftQueue),
        (50, 1, Waits::UntilServed, held(5)),
        (60, 2, Waits::No, held(5)),
    ];
    assert_eq!(asks(&past), expected);
    let notes = made_of(&past).notes.join(" ");
    assert!(
        notes.contains("Who waited at another time is taken to: 1 ask."),
        "{notes}"
    );
}

#[test]
fn what_runs_at_the_beginning_holds_its_seats_and_what_is_outside_is_nothing() {
    let past = [
        Past::Lease(lease(1, 1, -20, 10)),
        Past::Lease(lease(2, 2, -20, 30)),
        Past::Lease(lease(3, 3, 100, 5)),
        Past::Session(session(4, -5, 10)),
        Past::Refusal(refusal(5, -1)),
        Past::Wait(wait(9, 6, -5, 3)),
        Past::Wait(wait(10, 7, -5, 8)),
    ];
    let made = made_of(&past);
    let running: Vec<_> = made
        .recording
        .running
        .iter()
        .map(|it| it.until_ms)
        .collect();
    assert_eq!(running, [Some(minutes(10)), Some(minutes(5))]);
    assert_eq!(
        asks(&past),
        [(0, 7, Waits::ForMs(180_000), Outcome::LeftQueue)]
    );
}

#[test]
fn people_of_whom_nobody_knows_who_they_were_are_different_people() {
    let stranger = |at| PastRefusal {
        who: Who::default(),
        ..refusal(0, at)
    };
    let past = [Past::Refusal(stranger(1)), Past::Refusal(stranger(2))];
    let prepared = Prepared::of(&made_of(&past).recording);
    assert_eq!(prepared.asks(), 2);
}
