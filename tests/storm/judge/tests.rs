//! The judge itself: it sees each wrong thing, and no other.

use std::time::Duration;

use super::Case;
use crate::storm::books::{Books, Lease, Refusals, Session};
use crate::storm::policies::Policies;
use crate::storm::products::PRODUCTS;
use crate::storm::users::{Outcome, Start};
use crate::storm::weather::{Log, Owned};

/// A refusal, and two runs of a program one after another with their sessions and leases, on a
/// product with one seat.
fn told() -> (Vec<Start>, Books, Log) {
    let start = |began_ms, took_ms, outcome| Start {
        user: 1,
        product: 9,
        second: false,
        began_ms,
        took: Duration::from_millis(took_ms),
        outcome,
    };
    let starts = vec![
        start(10_000, 5, Outcome::Ran { ended_ms: 12_000 }),
        start(11_000, 5, Outcome::Refused),
        start(20_000, 5, Outcome::Ran { ended_ms: 23_000 }),
    ];
    let session = |from_ms, until_ms| Session {
        user: 1,
        product: 9,
        program: PRODUCTS[9].program(false),
        from_ms,
        until_ms: Some(until_ms),
        has_seat: true,
    };
    let lease = |granted, ended, granted_ms| Lease {
        product: 9,
        seats: 1,
        granted,
        ended: Some(ended),
        granted_ms,
    };
    let refusals = Refusals {
        user: 1,
        product: 9,
        first_ms: 11_004,
        last_ms: 11_004,
    };
    let books = Books {
        sessions: vec![session(10_005, 12_000), session(20_005, 23_000)],
        leases: vec![lease(1, 2, 10_004), lease(3, 4, 20_004)],
        refusals: vec![refusals],
    };
    let mut log = Log::default();
    log.owned.push(Owned {
        product: 9,
        asked_ms: 0,
        answered_ms: 0,
        seats: 1,
    });
    (starts, books, log)
}

fn wrongs(change: impl FnOnce(&mut Vec<Start>, &mut Books)) -> Vec<String> {
    let (mut starts, mut books, log) = told();
    change(&mut starts, &mut books);
    let case = Case {
        starts: &starts,
        log: &log,
        policies: Policies::steady(),
        books: &books,
        beyond: Duration::from_secs(1),
    };
    case.wrong()
}

#[test]
fn the_judge_sees_each_wrong_thing_and_no_other() {
    let none: Vec<String> = Vec::new();
    assert_eq!(wrongs(|_, _| {}), none);
    let sees = |what: &str, change: fn(&mut Vec<Start>, &mut Books)| {
        let wrong = wrongs(change);
        assert!(
            wrong.iter().any(|line| line.starts_with(what)),
            "{what}: {wrong:#?}"
        );
    };
    sees("seats: 2 of 1", |_, books| books.leases[0].ended = Some(4));
    sees("seats: 2 of 1", |_, books| books.leases[0].ended = None);
    sees("deadline", |starts, _| {
        starts[2].took = Duration::from_secs(5)
    });
    sees("neither", |starts, _| {
        starts[1].outcome = Outcome::Failed(2)
    });
    sees("refused without a reason", |_, books| {
        books.refusals.clear()
    });
    sees("lost", |_, books| drop(books.sessions.pop()));
    sees("open", |_, books| books.sessions[1].until_ms = None);
    sees("twice at once", |_, books| {
        books.sessions.push(books.sessions[1].clone())
    });
    sees("of no run", |starts, _| starts.truncate(2));
    sees("of no run", |_, books| books.sessions[0].from_ms = 9_000);
    sees("does not end with a run", |_, books| {
        books.sessions[0].until_ms = Some(13_000)
    });
    sees("lost", |_, books| books.sessions[1].until_ms = Some(21_000));
}

/// As it was in a storm: a start that was held begins before it is decided, and two sessions that
/// end within a second may each be of either run.
#[test]
fn a_start_that_was_held_has_the_session_that_began_with_it() {
    let product = (0..PRODUCTS.len())
        .find(|at| PRODUCTS[*at].is_per_process)
        .unwrap();
    let wrong = wrongs(|starts, books| {
        let start = |began_ms, took_ms, ended_ms| Start {
            user: 1,
            product,
            second: false,
            began_ms,
            took: Duration::from_millis(took_ms),
            outcome: Outcome::Ran { ended_ms },
        };
        let session = |from_ms, until_ms| Session {
            user: 1,
            product,
            program: PRODUCTS[product].program(false),
            from_ms,
            until_ms: Some(until_ms),
            has_seat: false,
        };
        *starts = vec![start(12_821, 240, 14_411), start(13_067, 7, 13_906)];
        books.sessions = vec![session(12_815, 14_411), session(13_066, 13_906)];
        books.leases.clear();
        books.refusals.clear();
    });
    assert_eq!(wrong, Vec::<String>::new());
}
