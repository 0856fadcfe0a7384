//! More than the gate has room for, and more than the computer has processors for.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, prlimit};
use usher_gate::{Answer, HELD_AT_MOST, Options, Otherwise};
use usher_testing::undo;

use crate::answers::EPERM;
use crate::support::{
    Answered, FOR_EVER, Partner, Place, has_ended, options, signal, usual, wait_for,
};
use crate::waits::{Pending, Stream, all_ran, none_waited_longer, start, went_at_once};

/// A shell that begins so many starts at once and waits for them.
fn begin_many(program: &Path, count: usize) -> Child {
    let script = "i=0; while [ $i -lt $2 ]; do \"$1\" & i=$((i+1)); done; wait";
    Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(program)
        .arg(count.to_string())
        .spawn()
        .unwrap()
}

#[test]
fn a_start_that_finds_every_place_taken_runs_at_once() {
    let Some(place) = Place::new() else { return };
    let (program, strict) = (place.program("true"), place.program("true.strict"));
    let patient = Options {
        hold_limit: FOR_EVER,
        ..options()
    };
    let gate = Answered::start(&place, &patient, move |_, _| {
        let (at_most, otherwise) = (FOR_EVER, Otherwise::Refuse);
        Some(Answer::Hold { at_most, otherwise })
    });
    let mut many = begin_many(&program, HELD_AT_MOST);
    gate.wait_for_questions(HELD_AT_MOST);
    assert_eq!(gate.figures().held, HELD_AT_MOST as u64);
    let others: Vec<_> = (0..50).map(|_| start(&program)).collect();
    went_at_once(&place, "every place is taken: the next ones", &others);
    all_ran(&others);
    assert_eq!(gate.figures().table_full, 50);

    let stat = rustix::fs::stat(&strict).unwrap();
    let file = usher_gate::FileState::of(&stat);
    let known = gate.gate.know(file, Otherwise::Refuse).unwrap();
    gate.done(known).unwrap();
    assert_eq!(start(&strict).outcome, Err(EPERM));

    let begun = Instant::now();
    let off = gate.gate.enforce(false).unwrap();
    gate.done(off).unwrap();
    println!("| all are let run at once: {:.0?}", begun.elapsed());
    // Before their hold is over: then they would be refused.
    let ended = wait_for("their end", || many.try_wait().unwrap());
    assert!(ended.success());
}

/// The kernel's queue is only filled while the gate does not read: nobody ends it as long as guard and
/// partner are stopped, too.
#[test]
fn a_start_that_finds_the_kernels_queue_full_runs_at_once() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    const BOUND: &str = "/proc/sys/fs/fanotify/max_queued_events";
    let usual = undo::restore_later(Path::new(BOUND)).unwrap();
    fs::write(BOUND, "16").unwrap();
    let partner = Partner::start(&place, "refuse");
    drop(usual);

    for pid in [partner.pid(), partner.guard, partner.gate] {
        signal(pid, Signal::STOP);
    }
    let starts = Pending::begin(&program, 80);
    wait_for("all but those in the queue", || {
        (starts.ended() >= 80 - 17).then_some(())
    });
    assert!(!has_ended(partner.gate));
    signal(partner.guard, Signal::CONT);
    all_ran(&starts.end());
}

#[test]
fn a_partner_that_takes_no_more_questions_delays_nobody() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let partner = Partner::start(&place, "run");
    signal(partner.pid(), Signal::STOP);
    let mut many = begin_many(&program, 4 * HELD_AT_MOST);
    let stream = Stream::begin(&program, 1, Duration::from_millis(10));
    let ended = wait_for("all of them", || many.try_wait().unwrap());
    assert!(ended.success());
    let starts = stream.end();
    none_waited_longer(
        &place,
        "more questions than a stopped partner has room for",
        Duration::ZERO,
        &starts,
    );
    all_ran(&starts);
    assert!(!has_ended(partner.gate), "the gate serves on");
}

/// The kernel refuses what it cannot hand over; so the gate has more descriptors than places.
#[test]
fn a_gate_without_a_descriptor_left_refuses_and_serves_on() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = Answered::start(&place, &options(), |_, _| Some(Answer::Run));
    all_ran(&[start(&program)]);
    let pid = i32::try_from(gate.gate.pid()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid);
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let current = Some(0);
    let none = Rlimit { current, maximum };
    let usual = prlimit(pid, Resource::Nofile, none).unwrap();
    assert_eq!(start(&program).outcome, Err(EPERM));
    prlimit(pid, Resource::Nofile, usual).unwrap();
    all_ran(&[start(&program)]);
    assert_eq!(gate.figures().unreadable, 1);
}

#[test]
fn two_thousand_starts_a_second_are_all_decided() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = Answered::start(&place, &options(), |_, _| Some(Answer::Run));
    let lasts = Duration::from_secs(3);
    let stream = Stream::begin(&program, 4, Duration::from_millis(2));
    // tidy: sleep, the starts go on for so long
    std::thread::sleep(lasts);
    let starts = stream.end();
    let rate = starts.len() as f64 / lasts.as_secs_f64();
    let case = format!("{rate:.0} starts a second, each asked about");
    none_waited_longer(&place, &case, Duration::ZERO, &starts);
    let figures = gate.figures();
    println!(
        "| the same, as the gate saw it: {:.1} ms",
        figures.longest_wait_us as f64 / 1e3
    );
    assert_eq!(figures.run, starts.len() as u64);
}

#[test]
fn a_fork_bomb_holds_up_nobody() {
    let Some(place) = Place::new() else { return };
    let (program, shell) = (place.program("true"), place.program("sh"));
    let bomb = place.path().join("bomb");
    let script =
        "[ $1 -gt 0 ] && { \"$SH\" \"$0\" $(($1-1)) & \"$SH\" \"$0\" $(($1-1)) & wait; }; :";
    fs::write(&bomb, script).unwrap();
    let gate = Answered::start(&place, &usual(), |_, _| Some(Answer::Run));
    let stream = Stream::begin(&program, 1, Duration::from_millis(10));
    let mut child = Command::new(&shell)
        .arg(&bomb)
        .arg("10")
        .env("SH", &shell)
        .spawn()
        .unwrap();
    let ended = wait_for("the bomb's end", || child.try_wait().unwrap());
    assert!(ended.success());
    let starts = stream.end();
    none_waited_longer(
        &place,
        "a fork bomb of 2,047 starts: others",
        Duration::ZERO,
        &starts,
    );
    all_ran(&starts);
    let figures = gate.figures();
    let longest = Duration::from_micros(figures.longest_wait_us);
    println!("| the same, as the gate saw it: {longest:.1?}");
    assert!(figures.run + figures.unanswered >= 2_047, "{figures:?}");
    let bound = place.control.bound(usual().first_word);
    assert!(longest < bound, "{longest:?} of {bound:?}");
}

#[test]
fn a_gate_that_may_not_be_started_says_why() {
    let none = Options {
        program: "/nowhere/usher".into(),
        ..options()
    };
    let error = usher_gate::Gate::start(&none).unwrap_err().to_string();
    assert!(
        error.starts_with("`/nowhere/usher gate` cannot be started"),
        "{error}"
    );
    let no_gate = Options {
        program: "/bin/true".into(),
        ..options()
    };
    let error = usher_gate::Gate::start(&no_gate).unwrap_err().to_string();
    assert!(
        error.starts_with("the gate did not serve within"),
        "{error}"
    );
}
