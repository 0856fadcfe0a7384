//! Programs that are held before their first instruction, one behaviour a test.

use super::*;

const FOR: Unanswered = Unanswered::Run;
const AGAINST: Unanswered = Unanswered::Refuse;

impl Computer {
    fn asks_for(
        &mut self,
        user: u32,
        pid: u32,
        product: &str,
        unanswered: Unanswered,
    ) -> Vec<String> {
        self.asks_of(process(pid, 1, user, Some(product)), unanswered)
    }

    /// The questions of a process are numbered as it is.
    fn asks_of(&mut self, process: Process, unanswered: Unanswered) -> Vec<String> {
        self.does(Event::Asked {
            ask: AskId(process.key.pid.into()),
            process,
            unanswered,
        })
    }

    fn asks(&mut self, pid: u32, product: &str) -> Vec<String> {
        self.asks_for(1000, pid, product, FOR)
    }

    fn seats(&mut self, session: u64) -> Vec<String> {
        self.does(Event::Seated {
            session: SessionId(session),
            lease: format!("L{session}").into(),
        })
    }

    fn denies(&mut self, session: u64) -> Vec<String> {
        self.does(Event::Denied {
            session: SessionId(session),
        })
    }

    fn is_away(&mut self, session: u64) -> Vec<String> {
        self.does(Event::Unreachable {
            session: SessionId(session),
        })
    }

    fn loses(&mut self, session: u64) {
        let event = Event::Unseated {
            session: SessionId(session),
        };
        assert_eq!(self.does(event), NOTHING);
    }

    /// A session that runs, with its seat.
    fn seated(&mut self, pid: u32) {
        self.runs(pid, 1, Some("app"));
        self.seats(1);
    }

    fn passes(&mut self, seconds: u64) -> Vec<String> {
        self.now.boot_ms += seconds * 1_000;
        self.does(Event::Tick)
    }
}

#[test]
fn a_start_waits_for_its_seat_and_is_a_session_from_its_first_instruction_on() {
    let mut computer = Computer::new();
    assert_eq!(computer.asks(10, "app"), ["hold 1", "ask 1"]);
    assert!(computer.sessions.knows(10), "its end has to be heard of");
    assert_eq!(computer.sessions.open().count(), 0, "it does not run");
    assert_eq!(computer.seats(1), ["allow 10"]);
    computer.now.boot_ms += 5_000;
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1"]);
    assert_eq!(computer.runs(10, 1, Some("app")), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 2 s"]);
}

#[test]
fn a_refused_start_was_never_there_and_gives_nothing_back() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    assert_eq!(computer.denies(1), ["refuse 10 of 1", "drop 1"]);
    assert!(computer.sessions.get(SessionId(1)).is_none());
    assert!(!computer.sessions.knows(10));
    assert_eq!(computer.seats(1), NOTHING, "too late");
    // Asked for again it is another session.
    assert_eq!(computer.asks(10, "app"), ["hold 2", "ask 2"]);
}

#[test]
fn all_starts_of_one_user_wait_for_the_one_answer() {
    let mut computer = Computer::new();
    assert_eq!(computer.asks(10, "app"), ["hold 1", "ask 1"]);
    assert_eq!(computer.asks(11, "app"), NOTHING);
    assert_eq!(computer.seats(1), ["allow 10", "allow 11"]);
    assert_eq!(computer.asks(12, "app"), ["allow 12"]);
    assert_eq!(computer.runs(11, 1, Some("app")), ["open 1"]);
    assert_eq!(computer.runs(10, 1, Some("app")), NOTHING);
    assert_eq!(computer.exits(10), NOTHING);
    assert_eq!(computer.exits(11), NOTHING, "12 is about to run");
    assert_eq!(computer.runs(12, 1, Some("app")), NOTHING);
    assert_eq!(computer.exits(12).len(), 2);

    let mut computer = Computer::new();
    computer.asks(10, "app");
    computer.asks(11, "app");
    assert_eq!(
        computer.denies(1),
        ["refuse 10 of 1", "refuse 11 of 1", "drop 1"]
    );
}

#[test]
fn two_users_are_asked_for_apart() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    let other = computer.asks_for(1001, 11, "app", FOR);
    assert_eq!(other, ["hold 2", "ask 2"]);
    assert_eq!(computer.denies(2), ["refuse 11 of 2", "drop 2"]);
    assert_eq!(computer.seats(1), ["allow 10"]);
}

#[test]
fn what_needs_no_seat_of_its_own_runs_at_once() {
    let mut computer = Computer::new();
    assert_eq!(computer.asks(9, "app!"), ["allow 9"], "a helper");
    let other = process(9, 1, 1000, None);
    assert_eq!(
        computer.asks_of(other, AGAINST),
        ["allow 9"],
        "of no product"
    );
    computer.covers(5, "app", "L1");
    computer.forks(5, 10);
    assert_eq!(computer.asks(10, "app"), ["allow 10"], "under a lease");
    assert_eq!(
        computer.asks(10, "other"),
        ["hold 1", "ask 1"],
        "of another product"
    );
    computer.denies(1);
    computer.runs(20, 1, Some("other"));
    computer.seats(2);
    assert_eq!(
        computer.asks(21, "other"),
        ["allow 21"],
        "its user has a seat"
    );
}

#[test]
fn a_start_that_a_lease_has_come_to_cover_is_not_refused() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    computer.covers(10, "app", "L9");
    assert_eq!(computer.denies(1), ["allow 10", "drop 1"]);
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 2"]);
}

/// Found by the histories.
#[test]
fn an_answer_that_nobody_asked_for_asks_for_no_second_seat_under_a_lease() {
    let mut computer = Computer::new();
    computer.covers(5, "app", "L1");
    computer.forks(5, 10);
    computer.runs(10, 5, Some("app"));
    computer.loses(1);
    assert_eq!(computer.denies(1), NOTHING);
}

#[test]
fn a_held_start_whose_process_dies_gives_back_what_it_asked_for() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    assert_eq!(computer.exits(10), ["release 1", "drop 1"]);
    computer.asks(11, "app");
    computer.seats(2);
    assert_eq!(computer.exits(11), ["release 2", "drop 2"]);
}

#[test]
fn a_start_that_was_allowed_and_never_runs_is_given_up_after_a_while() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    computer.seats(1);
    assert_eq!(computer.passes(20), NOTHING);
    let due = computer.sessions.next_due_boot_ms().unwrap();
    assert_eq!(computer.passes(10), ["release 1", "drop 1"]);
    assert!(due <= computer.now.boot_ms);
    assert_eq!(computer.sessions.next_due_boot_ms(), None);
}

#[test]
fn a_process_that_runs_something_else_in_the_end_gives_its_seat_back() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    computer.seats(1);
    assert_eq!(computer.runs(10, 1, None), ["release 1", "drop 1"]);
    // A script and its interpreter are asked for one after the other by the same process.
    computer.asks(11, "app");
    computer.seats(2);
    let interpreter = Event::Asked {
        ask: AskId(12),
        process: process(11, 1, 1000, Some("tool")),
        unanswered: FOR,
    };
    assert_eq!(computer.does(interpreter), ["hold 3", "ask 3"]);
    assert_eq!(computer.seats(3), ["allow 12"]);
    assert_eq!(
        computer.runs(11, 1, Some("tool")),
        ["open 3", "release 2", "drop 2"]
    );
}

#[test]
fn a_start_that_runs_before_it_is_answered_is_the_session_that_asked() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    assert_eq!(
        computer.runs(10, 1, Some("app")),
        ["open 1", "allow 10"],
        "whoever still waits for the answer"
    );
    // It runs: it is told of as any other program without a seat.
    assert_eq!(computer.denies(1), ["want 1"]);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 2 s"]);

    let mut computer = Computer::new();
    computer.asks(10, "app");
    assert_eq!(
        computer.runs(11, 1, Some("app")),
        ["open 1"],
        "another of the user's"
    );
    assert_eq!(computer.seats(1), ["allow 10"]);
}

#[test]
fn what_a_process_ran_before_it_was_held_does_not_let_go_of_its_start() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    // The start of the shell in it is reported late, or a look at all processes finds it.
    assert_eq!(computer.runs(10, 1, None), NOTHING);
    let mut found = process(10, 1, 1000, Some("shell"));
    found.since = Some(stamp(90));
    assert_eq!(computer.does(Event::Runs(found)), ["open 2", "want 2"]);
    assert_eq!(computer.denies(1), ["refuse 10 of 1", "drop 1"]);

    let mut computer = Computer::new();
    computer.asks(10, "app");
    computer.seats(1);
    let let_go = computer.now;
    computer.now = stamp(90);
    assert_eq!(computer.runs(10, 1, None), NOTHING);
    computer.now = let_go;
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1"]);
    assert!(computer.sessions.get(SessionId(1)).unwrap().seated);
}

#[test]
fn a_start_whose_program_is_of_no_product_any_more_keeps_no_seat() {
    let mut computer = Computer::new();
    computer.asks(10, "app#");
    assert!(computer.sessions.is_held(10));
    // Its rule is taken away meanwhile, and that of another program stays.
    assert_eq!(
        computer.does(Event::ProductsAre(vec!["app".into()])),
        NOTHING
    );
    assert_eq!(computer.seats(1), ["allow 10"]);
    assert!(computer.sessions.is_held(10), "what it runs has to be told");
    assert_eq!(computer.runs(10, 1, None), ["release 1", "drop 1"]);
    assert!(!computer.sessions.is_held(10));
}

#[test]
fn a_start_whose_process_is_found_to_be_part_of_the_product_is_allowed() {
    let mut computer = Computer::new();
    computer.asks_for(1000, 10, "app", AGAINST);
    // The rule of the launcher in it comes to the product meanwhile.
    let mut found = process(10, 1, 1000, Some("app"));
    found.since = Some(stamp(90));
    assert_eq!(computer.does(Event::Runs(found)), ["open 1", "allow 10"]);
}

#[test]
fn without_a_server_the_policy_answers() {
    let mut computer = Computer::new();
    computer.asks_for(1000, 10, "app", FOR);
    assert_eq!(computer.is_away(1), ["want 1", "allow 10"]);
    assert_eq!(
        computer.denies(1),
        NOTHING,
        "what was asked before it was let run"
    );
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1"]);
    assert!(!computer.sessions.get(SessionId(1)).unwrap().seated);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 1 s"]);

    // It may have been granted all the same.
    computer.asks_for(1000, 20, "app", AGAINST);
    assert_eq!(
        computer.is_away(2),
        ["refuse 20 of 2", "release 2", "drop 2"]
    );
}

#[test]
fn an_answer_that_never_comes_is_no_answer() {
    let mut computer = Computer::new();
    computer.asks_for(1000, 10, "app", FOR);
    computer.asks_for(1001, 20, "app", AGAINST);
    computer.passes(20);
    assert_eq!(
        computer.passes(10),
        [
            "want 1",
            "allow 10",
            "refuse 20 of 2",
            "release 2",
            "drop 2"
        ]
    );
}

#[test]
fn the_next_start_of_a_program_that_runs_unseated_asks_for_its_seat() {
    let mut computer = Computer::new();
    computer.seated(10);
    computer.loses(1);
    assert_eq!(computer.asks(11, "app"), ["ask 1"]);
    assert_eq!(computer.denies(1), ["refuse 11 of 1"], "and it runs on");
    assert_eq!(computer.asks(12, "app"), ["ask 1"]);
    assert_eq!(computer.seats(1), ["allow 12"]);
    computer.runs(12, 1, Some("app"));
    computer.exits(10);
    assert_eq!(computer.exits(12).len(), 2);
}

#[test]
fn what_a_running_program_starts_of_itself_is_never_held() {
    let mut computer = Computer::new();
    computer.seated(10);
    computer.loses(1);
    computer.forks(10, 11);
    assert_eq!(computer.asks(11, "app"), ["allow 11"]);
    let unseen = process(12, 10, 1000, Some("app"));
    assert_eq!(
        computer.asks_of(unseen, AGAINST),
        ["allow 12"],
        "its fork was not heard of yet"
    );
}

#[test]
fn counted_by_process_each_start_asks_for_a_seat() {
    let mut computer = Computer::new();
    assert_eq!(computer.asks(10, "app#"), ["hold 1", "ask 1"]);
    assert_eq!(computer.asks(20, "app#"), ["hold 2", "ask 2"]);
    assert_eq!(computer.denies(2), ["refuse 20 of 2", "drop 2"]);
    assert_eq!(computer.seats(1), ["allow 10"]);
    assert_eq!(computer.runs(10, 1, Some("app#")), ["open 1"]);
    assert_eq!(computer.exits(10).len(), 2);
}

#[test]
fn where_the_server_only_tracks_starts_run_unseated() {
    let mut computer = Computer::new();
    computer.asks_for(1000, 10, "app", AGAINST);
    let event = Event::Ungated {
        session: SessionId(1),
    };
    assert_eq!(computer.does(event), ["allow 10"]);
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1"]);
    assert_eq!(computer.exits(10).len(), 2);
}

#[test]
fn a_product_that_is_removed_holds_nobody() {
    let mut computer = Computer::new();
    computer.asks_for(1000, 10, "app", AGAINST);
    assert_eq!(
        computer.does(Event::ProductsAre(Vec::new())),
        ["allow 10", "release 1", "drop 1"]
    );
    assert!(!computer.sessions.knows(10));
}

#[test]
fn a_start_beside_what_runs_of_a_product_that_is_removed_is_let_go() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    computer.asks_for(1000, 11, "app", AGAINST);
    assert_eq!(
        computer.does(Event::ProductsAre(Vec::new())),
        ["allow 11"],
        "what runs goes on"
    );
    assert!(!computer.sessions.is_asking(SessionId(1)));
    assert_eq!(computer.exits(11), NOTHING);
    assert_eq!(computer.exits(10).len(), 2);
}

#[test]
fn a_full_table_is_answered_by_the_policy() {
    let mut computer = Computer::new();
    computer.sessions = Sessions::new(
        Limits {
            starts: 1,
            ..Limits::default()
        },
        0,
    );
    computer.asks(10, "app");
    assert_eq!(computer.asks_for(1001, 11, "app", FOR), ["allow 11"]);
    assert_eq!(computer.asks_for(1001, 11, "app", AGAINST), ["refuse 11"]);
    assert_eq!(computer.seats(1), ["allow 10"]);
    assert_eq!(
        computer.asks_for(1000, 12, "app", AGAINST),
        ["allow 12"],
        "it has its seat"
    );
    assert_eq!(computer.sessions.left_out(), 3);
}

#[test]
fn a_restarted_agent_takes_up_what_was_held_or_gives_its_seat_back() {
    let held = || {
        let mut before = Computer::new();
        before.asks(10, "app");
        let session = before.sessions.get(SessionId(1)).unwrap().clone();
        let starts: Vec<ProcessKey> = before.sessions.starts().map(|(_, key)| key).collect();
        let mut after = Computer::new();
        after.now = stamp(200);
        after.sessions.restore(session, &starts, stamp(150));
        after
    };
    let mut computer = held();
    let mut found = process(10, 1, 1000, Some("app"));
    found.since = Some(stamp(149));
    assert_eq!(computer.does(Event::Runs(found)), ["open 1"]);
    assert_eq!(computer.does(Event::Settled), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 54 s"]);

    let mut computer = held();
    assert_eq!(computer.does(Event::Settled), ["release 1", "drop 1"]);
}

#[test]
fn a_pid_that_is_used_again_asks_for_itself() {
    let mut computer = Computer::new();
    computer.asks(10, "app");
    let mut again = process(10, 1, 1000, Some("app"));
    again.key.start = 5_000;
    assert_eq!(
        computer.asks_of(again, FOR),
        ["release 1", "drop 1", "hold 2", "ask 2"]
    );
}
