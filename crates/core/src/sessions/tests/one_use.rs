//! One use of a person on one lease is told of once, plain or by `usher run`, in any order.

use super::*;

impl Computer {
    fn has_seat(&mut self, session: u64, lease: &str) {
        let event = Event::Seated {
            session: SessionId(session),
            lease: lease.into(),
        };
        assert_eq!(self.does(event), NOTHING);
    }

    /// A `usher run` with that lease starts the product as the process `pid`.
    fn runs_on(&mut self, root: u32, pid: u32, lease: &str) -> Vec<String> {
        self.covers(root, "app", lease);
        self.forks(root, pid);
        self.runs(pid, root, Some("app"))
    }
}

#[test]
fn a_plain_start_and_a_run_that_shares_its_lease_are_one_session_whichever_ends_first() {
    for plain_first in [true, false] {
        let mut computer = Computer::new();
        assert_eq!(computer.runs(10, 1, Some("app")), ["open 1", "want 1"]);
        computer.has_seat(1, "L1");
        assert_eq!(computer.runs_on(5, 20, "L1"), ["open 2"]);
        if plain_first {
            assert_eq!(computer.exits(10), ["release 1", "1 goes on by 2"]);
            assert_eq!(computer.exits(20), ["end 2 after 6 s"]);
        } else {
            assert_eq!(computer.exits(20), ["2 goes on by 1"]);
            assert_eq!(computer.exits(10), ["release 1", "end 1 after 6 s"]);
        }
    }
}

#[test]
fn a_run_and_a_plain_start_that_joins_its_lease_are_one_session_from_the_first_start_on() {
    for plain_first in [true, false] {
        let mut computer = Computer::new();
        assert_eq!(computer.runs_on(5, 20, "R1"), ["open 1"]);
        let mut plain = process(10, 1, 1000, Some("app"));
        plain.program.name = "second".into();
        assert_eq!(computer.does(Event::Runs(plain)), ["open 2", "want 2"]);
        computer.has_seat(2, "R1");
        if plain_first {
            assert_eq!(computer.exits(10), ["release 2", "2 goes on by 1"]);
            assert_eq!(computer.exits(20), ["end 1 after 4 s"]);
        } else {
            assert_eq!(computer.exits(20), ["1 goes on by 2"]);
            let going_on = computer.sessions.get(SessionId(2)).unwrap();
            assert_eq!(&*going_on.program.name, "app", "that one began it");
            assert_eq!(computer.exits(10), ["release 2", "end 2 after 4 s"]);
        }
    }
}

#[test]
fn leases_of_their_own_other_people_and_counted_processes_are_uses_of_their_own() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    computer.has_seat(1, "L1");
    assert_eq!(
        computer.runs_on(5, 20, "R1"),
        ["open 2"],
        "a lease of its own"
    );
    assert_eq!(computer.exits(20), ["end 2 after 1 s"]);

    let mut anothers = process(30, 1, 1001, Some("app"));
    computer.does(Event::Runs(anothers.clone()));
    computer.has_seat(3, "L1");
    assert_eq!(computer.exits(30), ["release 3", "end 3 after 2 s"]);

    if let Some(used) = &mut anothers.uses {
        used.counting = Counting::Process;
    }
    anothers.who.counted = AccountKey::new(1000);
    computer.does(Event::Runs(anothers));
    computer.has_seat(4, "L1");
    assert_eq!(computer.exits(30), ["release 4", "end 4 after 2 s"]);
}

#[test]
fn time_without_a_seat_before_a_run_brought_one_is_told_with_what_goes_on() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    let session = SessionId(1);
    computer.does(Event::Unseated { session });
    computer.now.boot_ms += 58_000;
    assert_eq!(computer.runs_on(5, 20, "R1"), ["open 2"]);
    computer.has_seat(1, "R1");
    computer.exits(10);
    let going_on = computer.sessions.get(SessionId(2)).unwrap();
    assert_eq!(going_on.unseated_ms_at(computer.now), 63_000);
    assert_eq!(computer.exits(20), ["end 2 after 65 s"]);
}

#[test]
fn what_ended_while_nobody_watched_is_one_session_too() {
    let mut before = Computer::new();
    before.runs(10, 1, Some("app"));
    before.has_seat(1, "L1");
    before.runs_on(5, 20, "L1");
    let mut after = Computer::new();
    after.now = stamp(200);
    for session in [1, 2] {
        let session = before.sessions.get(SessionId(session)).unwrap().clone();
        after.sessions.restore(session, &[], stamp(150));
    }
    assert_eq!(
        after.does(Event::Settled),
        ["release 1", "1 goes on by 2", "end 2 after 49 s"]
    );
}
