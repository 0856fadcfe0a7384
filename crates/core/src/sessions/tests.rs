//! Sessions as people know them, one behaviour a test.

use super::*;
use crate::identify::ProgramRole;

mod gate;
mod one_use;

struct Computer {
    sessions: Sessions,
    now: Stamp,
}

fn stamp(seconds: u64) -> Stamp {
    Stamp {
        boot_ms: seconds * 1000,
        wall_ms: 1_700_000_000_000 + seconds as i64 * 1000,
    }
}

fn key(pid: u32) -> ProcessKey {
    ProcessKey {
        pid,
        start: u64::from(pid) + 1000,
    }
}

fn process(pid: u32, parent: u32, user: u32, product: Option<&str>) -> Process {
    let uses = product.map(|product| Use {
        product: product.trim_end_matches(['!', '#']).into(),
        counting: if product.ends_with('#') {
            Counting::Process
        } else {
            Counting::UserOnComputer
        },
        role: if product.ends_with('!') {
            ProgramRole::Helper
        } else {
            ProgramRole::Main
        },
    });
    Process {
        key: key(pid),
        parent,
        who: Who {
            counted: AccountKey::new(user),
            real: AccountKey::new(user),
        },
        program: Program {
            name: "app".into(),
            version: None,
        },
        uses,
        since: None,
    }
}

impl Computer {
    fn new() -> Self {
        Computer {
            sessions: Sessions::new(Limits::default(), 0),
            now: stamp(100),
        }
    }

    /// What follows, in short: `open 1`, `want 1`, `release 1`, `end 1 after 60 s`.
    fn does(&mut self, event: Event) -> Vec<String> {
        let mut effects = Vec::new();
        self.now.boot_ms += 1000;
        self.now.wall_ms += 1000;
        self.sessions.apply(self.now, event, &mut effects);
        effects
            .into_iter()
            .map(|effect| match effect {
                Effect::Opened(session) => format!("open {}", session.id.0),
                Effect::WantLease { session, gate } => {
                    let how = if gate { "ask" } else { "want" };
                    format!("{how} {}", session.0)
                }
                Effect::Held(session) => format!("hold {}", session.id.0),
                Effect::Dropped(id) => format!("drop {}", id.0),
                Effect::Allow(ask) => format!("allow {}", ask.0),
                Effect::Refuse { ask, session } => match session {
                    Some(id) => format!("refuse {} of {}", ask.0, id.0),
                    None => format!("refuse {}", ask.0),
                },
                Effect::ReleaseLease(id) => format!("release {}", id.0),
                Effect::Ended(session, at) => format!(
                    "end {} after {} s",
                    session.id.0,
                    (at.boot_ms - session.started.boot_ms) / 1000
                ),
                Effect::GoesOn { ended, by } => format!("{} goes on by {}", ended.0, by.0),
            })
            .collect()
    }

    fn runs(&mut self, pid: u32, parent: u32, product: Option<&str>) -> Vec<String> {
        self.does(Event::Runs(process(pid, parent, 1000, product)))
    }

    fn forks(&mut self, parent: u32, child: u32) -> Vec<String> {
        self.does(Event::Forked {
            parent,
            child: key(child),
        })
    }

    fn exits(&mut self, pid: u32) -> Vec<String> {
        self.does(Event::Exited { pid })
    }

    fn covers(&mut self, pid: u32, product: &str, lease: &str) -> Vec<String> {
        self.does(Event::Covered {
            root: key(pid),
            lease: lease.into(),
            product: product.into(),
        })
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn many_processes_of_one_product_by_one_user_are_one_session_and_one_lease() {
    let mut computer = Computer::new();
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1", "want 1"]);
    assert_eq!(computer.runs(11, 1, Some("app")), NOTHING);
    assert_eq!(computer.forks(10, 12), NOTHING);
    assert_eq!(computer.exits(10), NOTHING);
    assert_eq!(computer.exits(11), NOTHING);
    assert_eq!(computer.exits(12), ["release 1", "end 1 after 5 s"]);
}

#[test]
fn two_users_are_two_sessions() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    let other = computer.does(Event::Runs(process(11, 1, 1001, Some("app"))));
    assert_eq!(other, ["open 2", "want 2"]);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 2 s"]);
}

#[test]
fn an_hour_is_one_session_not_four() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    computer.now = stamp(100 + 3600);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 3600 s"]);
}

#[test]
fn a_wall_clock_that_jumps_does_not_change_how_long_a_session_lasted() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    computer.now.wall_ms -= 86_400_000;
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 1 s"]);
}

#[test]
fn time_without_a_seat_is_a_quantity_of_its_own_that_a_later_seat_does_not_undo() {
    let mut computer = Computer::new();
    computer.runs(1, 0, Some("app"));
    let session = SessionId(1);
    let unseated = |computer: &Computer| {
        let session = computer.sessions.get(session).unwrap();
        session.unseated_ms_at(computer.now) / 1000
    };
    let lease = || "L1".into();
    assert_eq!(unseated(&computer), 0, "it is asked for");
    computer.does(Event::Unseated { session });
    computer.now.boot_ms += 60_000;
    assert_eq!(unseated(&computer), 61);
    computer.does(Event::Seated {
        session,
        lease: lease(),
    });
    computer.now.boot_ms += 600_000;
    assert_eq!(unseated(&computer), 62);
    computer.does(Event::Unseated { session });
    computer.does(Event::Unseated { session });
    assert_eq!(unseated(&computer), 63, "it had one until it was lost");
    computer.does(Event::Seated {
        session,
        lease: lease(),
    });
    assert_eq!(unseated(&computer), 64);
}

#[test]
fn who_was_never_answered_ran_without_a_seat_unless_it_was_over_at_once() {
    for (lasted_ms, unseated_ms) in [(1_000, 0), (60_000, 60_000)] {
        let mut computer = Computer::new();
        computer.runs(1, 0, Some("app"));
        let session = computer.sessions.get(SessionId(1)).unwrap().clone();
        let ends = Stamp {
            boot_ms: session.started.boot_ms + lasted_ms,
            ..computer.now
        };
        assert_eq!(session.unseated_ms_at(ends), unseated_ms);
        // A seat that comes late does not make up for it.
        computer.now = ends;
        let (session, lease) = (SessionId(1), "L1".into());
        computer
            .sessions
            .apply(ends, Event::Seated { session, lease }, &mut Vec::new());
        let seated = computer.sessions.get(session).unwrap();
        assert_eq!(seated.unseated_ms_at(ends), unseated_ms);
    }
}

#[test]
fn a_launcher_that_becomes_another_image_goes_on_with_the_session() {
    let mut computer = Computer::new();
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1", "want 1"]);
    assert_eq!(computer.runs(10, 1, Some("app")), NOTHING);
    assert_eq!(computer.runs(10, 1, None), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 3 s"]);
}

#[test]
fn a_child_that_becomes_something_else_is_not_part_of_it() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    computer.forks(10, 11);
    assert_eq!(computer.exits(10), NOTHING);
    assert_eq!(
        computer.runs(11, 10, None),
        ["release 1", "end 1 after 3 s"]
    );
    assert!(!computer.sessions.knows(11));
}

#[test]
fn exec_into_another_product_ends_the_one_and_begins_the_other() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    assert_eq!(
        computer.runs(10, 1, Some("other")),
        ["release 1", "end 1 after 1 s", "open 2", "want 2"]
    );
}

#[test]
fn helpers_neither_take_nor_keep_a_seat() {
    let mut computer = Computer::new();
    assert_eq!(computer.runs(9, 1, Some("app!")), NOTHING);
    computer.runs(10, 1, Some("app"));
    computer.forks(10, 11);
    assert_eq!(computer.runs(11, 10, Some("app!")), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 3 s"]);
    assert_eq!(computer.exits(11), NOTHING);
}

#[test]
fn counted_by_process_each_is_a_session_but_the_child_of_one() {
    let mut computer = Computer::new();
    assert_eq!(computer.runs(10, 1, Some("app#")), ["open 1", "want 1"]);
    assert_eq!(computer.runs(20, 1, Some("app#")), ["open 2", "want 2"]);
    computer.forks(10, 11);
    assert_eq!(computer.runs(11, 10, Some("app#")), NOTHING);
    assert_eq!(computer.exits(10), NOTHING);
    assert_eq!(computer.exits(11), ["release 1", "end 1 after 5 s"]);
}

#[test]
fn a_tree_under_a_lease_of_usher_run_never_asks_for_another_seat() {
    let mut computer = Computer::new();
    computer.covers(5, "app", "L1");
    computer.forks(5, 10);
    computer.runs(10, 5, None);
    computer.forks(10, 11);
    assert_eq!(computer.runs(11, 10, Some("app")), ["open 1"]);
    let session = computer.sessions.get(SessionId(1)).unwrap();
    assert_eq!(session.lease.as_deref(), Some("L1"));
    assert_eq!(computer.exits(11), ["end 1 after 1 s"]);
}

#[test]
fn a_cover_is_for_its_own_product_and_covers_may_lie_within_covers() {
    let mut computer = Computer::new();
    computer.covers(5, "app", "L1");
    computer.forks(5, 10);
    assert_eq!(computer.runs(10, 5, Some("other")), ["open 1", "want 1"]);
    computer.forks(5, 20);
    computer.covers(20, "other", "L2");
    computer.forks(20, 21);
    assert_eq!(computer.runs(21, 20, Some("other")), ["open 2"]);
    computer.forks(20, 22);
    assert_eq!(computer.runs(22, 20, Some("app")), ["open 3"]);
}

#[test]
fn what_outlives_its_cover_is_a_use_of_its_own() {
    let mut computer = Computer::new();
    computer.covers(5, "app", "L1");
    computer.forks(5, 10);
    computer.runs(10, 5, Some("app"));
    assert_eq!(computer.exits(5), ["end 1 after 1 s", "open 2", "want 2"]);
    assert_eq!(computer.exits(10), ["release 2", "end 2 after 1 s"]);
    assert!(!computer.sessions.knows(10));
}

#[test]
fn a_pid_that_is_used_again_is_another_process() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    let mut again = process(10, 1, 1001, Some("app"));
    again.key.start = 5000;
    assert_eq!(
        computer.does(Event::Runs(again)),
        ["release 1", "end 1 after 1 s", "open 2", "want 2"]
    );
}

/// The products that are known.
fn known(products: &[&str]) -> Event {
    Event::ProductsAre(products.iter().map(|it| (*it).into()).collect())
}

#[test]
fn what_runs_of_a_product_that_is_removed_is_one_use_to_its_end() {
    let mut computer = Computer::new();
    computer.runs(10, 1, Some("app"));
    computer.runs(11, 1, Some("other"));
    assert_eq!(computer.does(known(&["other"])), NOTHING);
    assert!(computer.sessions.knows(10));
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 3 s"]);
}

#[test]
fn a_use_whose_product_is_removed_and_added_again_goes_on_as_one() {
    for cover in [None, Some("L1")] {
        let mut computer = Computer::new();
        if let Some(lease) = cover {
            computer.covers(5, "app", lease);
            computer.forks(5, 10);
        }
        computer.runs(10, 5, Some("app"));
        assert_eq!(computer.does(known(&[])), NOTHING, "{cover:?}");
        assert_eq!(computer.does(known(&["app"])), NOTHING, "{cover:?}");
        // All that runs is looked at by the rules that came back.
        let mut found = process(10, 5, 1000, Some("app"));
        found.since = Some(stamp(101));
        assert_eq!(computer.does(Event::Runs(found)), NOTHING, "{cover:?}");
        assert_eq!(computer.does(Event::Settled), NOTHING, "{cover:?}");
        let end = computer.exits(10);
        assert_eq!(end.last().unwrap(), "end 1 after 5 s", "{cover:?}: {end:?}");
        assert_eq!(computer.sessions.open().count(), 0);
    }
}

fn restored(last_seen: u64) -> Computer {
    restored_with(last_seen, &[key(10)])
}

fn restored_with(last_seen: u64, may_run: &[ProcessKey]) -> Computer {
    let mut before = Computer::new();
    before.runs(10, 1, Some("app"));
    let session = before.sessions.get(SessionId(1)).unwrap().clone();
    let mut after = Computer::new();
    after.now = stamp(200);
    after.sessions.restore(session, may_run, stamp(last_seen));
    after
}

#[test]
fn a_restarted_agent_goes_on_with_the_sessions_of_programs_that_still_run() {
    let mut computer = restored(150);
    let mut found = process(10, 1, 1000, Some("app"));
    found.since = Some(stamp(101));
    assert_eq!(computer.does(Event::Runs(found)), NOTHING);
    assert_eq!(computer.does(Event::Settled), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 102 s"]);
}

#[test]
fn a_process_that_the_agent_never_wrote_down_still_belongs_to_its_session() {
    let mut computer = restored(150);
    let mut found = process(12, 1, 1000, Some("app"));
    found.since = Some(stamp(120));
    assert_eq!(computer.does(Event::Runs(found)), NOTHING);
    assert_eq!(computer.does(Event::Settled), NOTHING);
    assert_eq!(computer.sessions.open().count(), 1);
}

#[test]
fn a_session_that_ended_unseen_ends_when_it_was_last_seen() {
    let mut computer = restored(150);
    assert_eq!(
        computer.does(Event::Settled),
        ["release 1", "end 1 after 49 s"]
    );
}

#[test]
fn a_process_that_began_while_nobody_watched_is_a_session_of_its_own() {
    let mut computer = restored_with(150, &[]);
    let mut found = process(12, 1, 1000, Some("app"));
    found.since = Some(stamp(180));
    assert_eq!(
        computer.does(Event::Runs(found)),
        ["release 1", "end 1 after 49 s", "open 2", "want 2"]
    );
}

#[test]
fn what_begins_before_a_restored_session_is_found_again_goes_on_with_it() {
    let mut computer = restored(150);
    assert_eq!(computer.runs(12, 1, Some("app")), NOTHING);
    let mut found = process(10, 1, 1000, Some("app"));
    found.since = Some(stamp(101));
    assert_eq!(computer.does(Event::Runs(found)), NOTHING);
    assert_eq!(computer.does(Event::Settled), NOTHING);
    assert_eq!(computer.exits(12), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 104 s"]);
}

#[test]
fn what_ends_before_a_restored_session_is_found_again_does_not_end_it() {
    let mut computer = restored(150);
    assert_eq!(computer.runs(12, 1, Some("app")), NOTHING);
    assert_eq!(computer.exits(12), NOTHING);
    let mut found = process(10, 1, 1000, Some("app"));
    found.since = Some(stamp(101));
    assert_eq!(computer.does(Event::Runs(found)), NOTHING);
    assert_eq!(computer.does(Event::Settled), NOTHING);
    assert_eq!(computer.exits(10), ["release 1", "end 1 after 104 s"]);
}

#[test]
fn a_restored_session_that_is_not_found_again_ends_with_what_went_on_with_it() {
    let mut computer = restored(150);
    assert_eq!(computer.runs(12, 1, Some("app")), NOTHING);
    assert_eq!(computer.exits(12), NOTHING);
    assert_eq!(
        computer.does(Event::Settled),
        ["release 1", "end 1 after 101 s"]
    );
}

#[test]
fn a_process_that_is_found_to_run_for_longer_than_its_session_is_where_it_began() {
    let mut computer = Computer::new();
    // It is seen to start before all that run already are looked at.
    assert_eq!(computer.runs(10, 1, Some("app")), ["open 1", "want 1"]);
    let mut found = process(12, 1, 1000, Some("app"));
    found.since = Some(stamp(95));
    assert_eq!(computer.does(Event::Runs(found)), NOTHING);
    assert_eq!(computer.exits(10), NOTHING);
    assert_eq!(computer.exits(12), ["release 1", "end 1 after 9 s"]);
}

#[test]
fn a_fork_bomb_fills_a_bounded_table_and_the_session_still_ends() {
    let mut computer = Computer::new();
    computer.sessions = Sessions::new(
        Limits {
            processes: 100,
            covers: 10,
            ..Limits::default()
        },
        0,
    );
    computer.runs(10, 1, Some("app"));
    for child in 11..1000 {
        assert_eq!(computer.forks(10, child), NOTHING);
    }
    assert_eq!(computer.sessions.left_out(), 989 - 99);
    for child in 11..1000 {
        assert_eq!(computer.exits(child), NOTHING);
    }
    assert_eq!(computer.exits(10).len(), 2);
}
