//! What the server's answers mean for starts that wait for a seat.

use super::*;

#[test]
fn what_the_server_does_not_know_is_asked_again_by_those_who_wait() {
    let mut desk = Desk::new();
    desk.asks(10);
    let first = desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    assert_eq!(asked_at_gate(&first), [true]);
    assert!(first[0]["program"].is_string(), "{first:?}");
    assert!(desk.is_asking());
    assert!(desk.agent.next_let_go().is_some(), "within the same time");
    let second = desk.exchange(|_| granted());
    assert_eq!(asked_at_gate(&second), [true]);
    assert!(!desk.is_asking());
}

#[test]
fn an_answer_to_what_was_asked_before_lets_no_start_run() {
    let mut desk = Desk::new();
    desk.does(Event::Runs(process(9))).unwrap();
    let (items, sent) = desk.sends();
    assert_eq!(asked_at_gate(&items), [false]);
    desk.asks(10);
    assert!(desk.is_asking());
    desk.answers(&items, &sent, |_| unseated());
    assert!(desk.is_asking(), "its own question was not answered yet");
    let denied = SyncOutcome::Denied {
        reason: usher_api::Reason::NoSeat,
        decision_id: "d".into(),
        detail: "no seat is free".into(),
    };
    let items = desk.exchange(|_| Some(denied.clone()));
    assert_eq!(asked_at_gate(&items), [true]);
    assert!(!desk.is_asking());
}

#[test]
fn a_product_that_is_only_tracked_from_now_on_holds_nobody() {
    let mut desk = Desk::new();
    desk.asks(10);
    desk.enforces("enforce");
    assert!(desk.is_asking());
    desk.enforces("track");
    assert!(!desk.is_asking());
    assert_eq!(desk.agent.held.next_due_boot_ms(), None);
}

#[test]
fn a_server_that_knows_of_no_gates_is_asked_without_and_everything_runs() {
    let mut desk = Desk::at_server(None);
    desk.enforces("enforce");
    desk.asks(10);
    let items = desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    assert!(items[0].get("gate").is_none(), "it refuses unknown fields");
    assert!(items[0].get("program").is_none());
    let items = desk.exchange(|_| unseated());
    assert!(items[0].get("gate").is_none());
    assert!(items[0].get("program").is_none());
    assert!(!desk.is_asking());
    // It runs; another start would have been refused.
    assert_eq!(desk.agent.sessions.starts().count(), 1);
}

#[test]
fn who_waits_for_a_server_that_is_away_goes_by_the_policy_and_what_came_of_it_is_kept() {
    let mut desk = Desk::new();
    desk.asks(10);
    desk.agent.let_go(false).unwrap();
    assert!(desk.is_asking(), "its time is not over");
    desk.agent.let_go(true).unwrap();
    assert_eq!(desk.agent.sessions.starts().count(), 0, "refused");
    assert_eq!(desk.agent.next_let_go(), None);
    assert!(asked_at_gate(&desk.exchange(|_| None)).is_empty());
}
