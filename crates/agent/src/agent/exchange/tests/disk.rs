//! What a full disk costs: nobody waits for it, and what it does not take is not lost.

use super::*;

#[test]
fn on_a_full_disk_nobody_waits_for_what_cannot_be_asked() {
    let mut desk = Desk::new();
    desk.agent.outbox.is_full(true);
    desk.asks(10);
    assert!(desk.is_asking());
    assert!(desk.sends().0.is_empty(), "it cannot be asked for");
    assert!(!desk.is_asking(), "it is let go at once");
    assert_eq!(desk.agent.next_let_go(), None, "once");
    // Then the disk takes records again.
    desk.agent.outbox.is_full(false);
    desk.asks(11);
    assert_eq!(asked_at_gate(&desk.exchange(|_| granted())), [true]);
    assert!(!desk.is_asking());
}

#[test]
fn a_seat_that_a_full_disk_kept_from_being_given_back_is_given_back_later() {
    let idle = json!({"id": "solver", "on_idle": "release", "idle_seconds": 60});
    let (mut desk, child) = seated(&idle);
    desk.is_left_alone();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.outbox.is_full(true);
    desk.agent.remind_due(asked);
    assert_eq!(desk.agent.idle.count_released(), 0);
    desk.agent.outbox.is_full(false);
    desk.is_left_alone();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked);
    assert_eq!(desk.agent.idle.count_released(), 1);
    let items = desk.exchange(|_| None);
    assert_eq!(items[0]["kind"], "released", "{items:?}");
    end(child);
}

#[test]
fn a_new_life_of_the_server_that_a_full_disk_did_not_take_is_noticed_later() {
    let (mut desk, child) = seated(&json!({"id": "solver"}));
    let mut new_life = desk.answer(&[], |_| None);
    new_life.answer.incarnation = Some(2);
    let (items, sent) = desk.sends();
    assert!(items.is_empty());
    desk.agent.outbox.is_full(true);
    desk.agent.digest(&sent, new_life).unwrap_err();
    desk.agent.outbox.is_full(false);
    desk.life = Some(2);
    desk.exchange(|_| None);
    let (items, _) = desk.sends();
    assert_eq!(items[0]["held"]["lease"], "L1", "{items:?}");
    end(child);
}

#[test]
fn what_was_undone_by_a_disk_that_filled_up_in_the_midst_of_a_transaction_is_written_later() {
    let mut desk = Desk::new();
    let mut effects = Vec::new();
    let runs = Event::Runs(process(10));
    desk.agent.sessions.apply(clock::now(), runs, &mut effects);
    let filled_up = desk.agent.together(|agent| {
        agent.write(effects)?;
        agent.outbox.has_no_room(true);
        let much = "x".repeat(1_000_000);
        agent.outbox.change(|change| change.set_meta("much", &much))
    });
    filled_up.unwrap_err();
    assert_eq!(desk.agent.outbox.waiting().unwrap(), 0);
    desk.agent.outbox.has_no_room(false);
    let (items, _) = desk.sends();
    assert_eq!(items[0]["kind"], "checkout", "{items:?}");
    assert_eq!(desk.agent.outbox.sessions().unwrap().len(), 1);
}
