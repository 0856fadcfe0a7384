//! A seat that comes for somebody who waits is for what they run already.

use usher_api::NoticeKind;

use super::*;
use crate::model::waits::{Kept, Stage};

impl Desk {
    /// Somebody runs a program without a seat, and has waited for one, which comes by that lease: the
    /// number of the wait.
    fn has_waited_for(&mut self, lease: &str) -> u64 {
        self.does(Event::Runs(process(10))).unwrap();
        self.exchange(|_| unseated());
        let who = process(10).who;
        let number = self.agent.waits.begin(who, "solver").unwrap().unwrap();
        let kept = Stage::Kept(Kept {
            lease: lease.to_owned(),
            ttl_seconds: 300,
            until_boot_ms: clock::boot_ms() + 300_000,
            taken_by: None,
            is_told: false,
        });
        assert!(self.agent.set_stage(number, kept).unwrap());
        number
    }

    fn told_of_seats(&mut self) -> Vec<NoticeKind> {
        let told = self.agent.notices.of(USER, None).into_iter();
        let of_seats = told.filter(|notice| notice.kind != NoticeKind::Unseated);
        of_seats.map(|notice| notice.kind).collect()
    }
}

/// What the items of a request claim.
fn claims(items: &[Value]) -> Vec<Option<&str>> {
    let checkouts = items.iter().filter(|item| item["kind"] == "checkout");
    checkouts.map(|item| item["claim"].as_str()).collect()
}

#[test]
fn a_program_that_runs_without_a_seat_gets_the_one_that_its_person_waited_for() {
    let mut desk = Desk::at_server(Some(1));
    desk.goes_by(&json!({"id": "solver"}));
    let number = desk.has_waited_for("L1");
    let items = desk.exchange(|_| granted());
    assert_eq!(claims(&items), [Some("L1")]);
    let session = desk.agent.sessions.get(SessionId(1)).unwrap();
    assert!(session.seated && session.lease.as_deref() == Some("L1"));
    assert!(desk.agent.waits.get(number).is_none(), "it is in use");
    assert_eq!(desk.told_of_seats(), [NoticeKind::Seated]);
    assert_eq!(desk.agent.outbox.left_behind().unwrap(), [""; 0]);
}

#[test]
fn a_seat_that_a_program_was_not_given_is_kept_and_asked_for_again_with_the_next_request() {
    let mut desk = Desk::at_server(Some(1));
    desk.goes_by(&json!({"id": "solver"}));
    let number = desk.has_waited_for("L1");
    assert_eq!(claims(&desk.exchange(|_| undecided())), [Some("L1")]);
    assert!(!desk.agent.waits.is_taken_by(SessionId(1)));
    assert_eq!(desk.told_of_seats(), []);
    desk.agent.seats.get_mut(SessionId(1)).unwrap().due_boot_ms = 0;
    assert_eq!(claims(&desk.exchange(|_| unseated())), [Some("L1")]);
    // What runs does not take it: its person is told of it, for the next start.
    desk.agent.tells_of_kept(number).unwrap();
    assert_eq!(desk.told_of_seats(), [NoticeKind::Free]);
    let kept = desk.agent.waits.kept_for("solver", USER);
    assert_eq!(kept, Some((number, "L1".to_owned())));
}
