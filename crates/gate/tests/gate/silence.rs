//! A partner that does not answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use usher_gate::{Answer, FileId, FileState, Otherwise};

use crate::answers::EPERM;
use crate::support::{Answered, Partner, Place, signal, usual, wait_for, wait_for_held};
use crate::waits::{Pending, all_ran, none_waited_longer, start, went_at_once};

/// The first word's deadline.
const FIRST: Duration = Duration::from_millis(50);

/// Starts it until it is refused: a word of a partner on a busy computer may come too late.
#[track_caller]
fn is_refused(program: &Path) {
    wait_for("a refusal", || {
        (start(program).outcome == Err(EPERM)).then_some(())
    });
}

#[test]
fn a_partner_that_never_answers_delays_one_start_and_then_none() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = Answered::start(&place, &usual(), |_, _| None);
    let first = start(&program);
    let others: Vec<_> = (0..200).map(|_| start(&program)).collect();
    none_waited_longer(
        &place,
        "the partner never answers: the first start",
        FIRST,
        &[first],
    );
    went_at_once(&place, "the partner never answers: the next ones", &others);
    assert!(first.took >= Duration::from_millis(50), "{first:?}");
    all_ran(&others);
    assert_eq!(gate.figures().unanswered, 201);
}

#[test]
fn a_partner_that_speaks_again_is_waited_for_again() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let speaks = Arc::new(AtomicBool::new(false));
    let does = speaks.clone();
    let _gate = Answered::start(&place, &usual(), move |_, _| {
        does.load(Ordering::Relaxed).then_some(Answer::Refuse)
    });
    all_ran(&[start(&program), start(&program)]);
    speaks.store(true, Ordering::Relaxed);
    // Its first word may come too late for some.
    is_refused(&program);
}

#[test]
fn a_file_that_may_not_run_unseen_is_refused_when_the_partner_is_silent() {
    let Some(place) = Place::new() else { return };
    let (strict, other) = (place.program("true"), place.program("true.2"));
    let gate = Answered::start(&place, &usual(), |_, _| None);
    let file = FileState::of(&rustix::fs::stat(&strict).unwrap());
    let known = gate.gate.know(file, Otherwise::Refuse).unwrap();
    gate.done(known).unwrap();
    let refused = [start(&strict), start(&strict)];
    assert!(refused.iter().all(|start| start.outcome == Err(EPERM)));
    none_waited_longer(
        &place,
        "the partner never answers: refused",
        FIRST,
        &refused,
    );
    assert_eq!(start(&other).outcome, Ok(()));
    let forgotten = gate.gate.forget_known(file.id).unwrap();
    gate.done(forgotten).unwrap();
    assert_eq!(start(&strict).outcome, Ok(()));
}

/// As an inode is that was given to another file, or a file that was written to.
#[test]
fn another_file_with_the_inode_of_one_that_may_not_run_unseen_runs() {
    let Some(place) = Place::new() else { return };
    let strict = place.program("true");
    let gate = Answered::start(&place, &usual(), |_, _| None);
    let file = FileState::of(&rustix::fs::stat(&strict).unwrap());
    let known = gate.gate.know(file, Otherwise::Refuse).unwrap();
    gate.done(known).unwrap();
    assert_eq!(start(&strict).outcome, Err(EPERM));
    std::fs::copy("/bin/true", &strict).unwrap();
    let other = FileState::of(&rustix::fs::stat(&strict).unwrap());
    assert_eq!(other.id, file.id);
    assert_eq!(start(&strict).outcome, Ok(()));
}

#[test]
fn more_files_than_there_is_room_for_are_said_not_to_be_known() {
    let Some(place) = Place::new() else { return };
    let gate = Answered::start(&place, &usual(), |_, _| None);
    let know = |inode| {
        let file = FileState {
            id: FileId { device: 1, inode },
            changed: (0, 0),
        };
        let known = gate.gate.know(file, Otherwise::Refuse).unwrap();
        gate.done(known)
    };
    for inode in 0..usher_gate::KNOWN_AT_MOST as u64 {
        assert_eq!(know(inode), Ok(()));
    }
    assert_eq!(know(0), Ok(()));
    assert_eq!(know(u64::MAX), Err(rustix::io::Errno::NOSPC));
    let all = gate.gate.forget_all_known().unwrap();
    gate.done(all).unwrap();
    assert_eq!(know(u64::MAX), Ok(()));
}

#[test]
fn a_partner_that_is_stopped_holds_nobody() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let partner = Partner::start(&place, "refuse");
    is_refused(&program);
    signal(partner.pid(), Signal::STOP);
    let first = Pending::begin(&program, 50).end();
    none_waited_longer(
        &place,
        "the partner is stopped, 50 starts at once",
        FIRST,
        &first,
    );
    let others: Vec<_> = (0..100).map(|_| start(&program)).collect();
    went_at_once(&place, "the partner is stopped: the next ones", &others);
    all_ran(&first);
    all_ran(&others);
    signal(partner.pid(), Signal::CONT);
    is_refused(&program);
}

/// So it is with one that was killed and cannot die: the kernel keeps an agent until all are answered
/// whose files it watches.
#[test]
fn a_partner_that_is_stopped_keeps_nobody_by_what_it_promised_before() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let partner = Partner::start(&place, "hold");
    let pending = Pending::begin(&program, 50);
    wait_for_held(50);
    // tidy: sleep, the partner has said by then that they are to be held
    std::thread::sleep(Duration::from_millis(300));
    signal(partner.pid(), Signal::STOP);
    let begun = Instant::now();
    let mut starts = pending.end();
    let longest = begun.elapsed();
    assert!(
        longest > Duration::from_millis(500),
        "they were held: {longest:?}"
    );
    for start in &mut starts {
        start.took = start.took.min(longest);
    }
    let case = "the partner is stopped, 50 starts held by it";
    none_waited_longer(&place, case, Duration::from_millis(1_250), &starts);
    all_ran(&starts);
}

#[test]
fn a_partner_that_is_killed_releases_all_that_wait() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let partner = Partner::start(&place, "silent");
    let pending = Pending::begin(&program, 50);
    signal(partner.pid(), Signal::KILL);
    let starts = pending.end();
    none_waited_longer(
        &place,
        "the partner is killed, 50 starts pending",
        FIRST,
        &starts,
    );
    all_ran(&starts);
    drop(partner);
    all_ran(&[start(&program)]);
}
