//! Restarts for memory: in a good moment, in time, and not again and again.

use std::time::Duration;

use usher_core::health::{MemoryGuard, MemoryOptions, MemorySeen, MemoryStep};

use super::at;

const LIMIT: u64 = 1_000;

fn guard() -> MemoryGuard {
    MemoryGuard::new(MemoryOptions {
        latest_after: Duration::from_secs(600),
        ..MemoryOptions::limited_to(LIMIT)
    })
}

fn seen(resident_bytes: u64, requests: u64, pack_runs: bool) -> MemorySeen {
    MemorySeen {
        resident_bytes,
        requests,
        pack_runs,
    }
}

#[test]
fn a_server_within_its_limit_is_let_be() {
    let mut guard = guard();
    for second in 0..10_000 {
        assert_eq!(guard.next(at(second), &seen(LIMIT, 0, false)), None);
    }
}

#[test]
fn a_restart_waits_for_few_requests_and_the_end_of_a_pack() {
    let mut guard = guard();
    let wait = Some(MemoryStep::Wait);
    assert_eq!(guard.next(at(0), &seen(LIMIT + 1, 50, false)), wait);
    assert_eq!(guard.next(at(1), &seen(LIMIT + 1, 50, false)), None);
    assert_eq!(guard.next(at(2), &seen(LIMIT + 1, 0, true)), None);
    let restart = Some(MemoryStep::Restart { at_latest: false });
    assert_eq!(guard.next(at(3), &seen(LIMIT + 1, 20, false)), restart);
    assert_eq!(guard.next(at(4), &seen(LIMIT, 2, false)), None);
}

#[test]
fn where_no_good_moment_comes_it_is_restarted_at_latest() {
    let mut guard = guard();
    let busy = seen(LIMIT + 1, 50, false);
    let steps: Vec<_> = (0..=601)
        .filter_map(|second| Some((second, guard.next(at(second), &busy)?)))
        .collect();
    let late = MemoryStep::Restart { at_latest: true };
    // It is over again at once: the next round begins.
    let expected = [(0, MemoryStep::Wait), (600, late), (601, MemoryStep::Wait)];
    assert_eq!(steps, expected);
}

#[test]
fn what_grows_at_once_again_is_restarted_three_times_an_hour_and_said_once() {
    let mut guard = guard();
    let steps: Vec<_> = (0..3_600)
        .filter_map(|second| guard.next(at(second), &seen(LIMIT + 1, 0, false)))
        .collect();
    let of = |wanted: MemoryStep| steps.iter().filter(|step| **step == wanted).count();
    assert_eq!(of(MemoryStep::Restart { at_latest: false }), 3);
    assert_eq!(of(MemoryStep::GiveUp), 1);
    let again: Vec<_> = (3_600..3_620)
        .filter_map(|second| guard.next(at(second), &seen(LIMIT + 1, 0, false)))
        .collect();
    assert!(again.contains(&MemoryStep::Restart { at_latest: false }));
}
