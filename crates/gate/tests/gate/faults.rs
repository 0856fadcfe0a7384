//! Gates and guards that are killed or stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use usher_gate::{Answer, Options, Otherwise};
use usher_testing::undo::{self, Undo};

use crate::support::{
    Answered, FOR_EVER, Partner, Place, has_ended, options, prefix, signal, wait_for,
};
use crate::waits::{Pending, all_ran, none_waited_longer, start};

/// The guard notices within this that the gate is late.
const GUARDED: Duration = Duration::from_millis(400);

/// The same for the partner, if the guard cannot act.
const WATCHED: Duration = Duration::from_millis(1_250);

/// A gate that holds everything for long; all of it must come free in another way.
fn holding(place: &Place) -> Answered {
    let at_most = FOR_EVER;
    let otherwise = Otherwise::Refuse;
    Answered::start(place, &long(), move |_, _| {
        Some(Answer::Hold { at_most, otherwise })
    })
}

fn long() -> Options {
    Options {
        hold_limit: FOR_EVER,
        ..options()
    }
}

/// All starts that are held when `fault` comes go on within `bound`, and gate and guard end.
#[track_caller]
fn all_go_on(case: &str, bound: Duration, fault: impl FnOnce(&Answered)) {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = holding(&place);
    let pending = Pending::begin(&program, 50);
    gate.wait_for_questions(50);
    let begun = std::time::Instant::now();
    fault(&gate);
    let mut starts = pending.end();
    // Counted from the fault on: what came before was held on purpose.
    let longest = begun.elapsed();
    for start in &mut starts {
        start.took = start.took.min(longest);
    }
    none_waited_longer(&place, case, bound, &starts);
    all_ran(&starts);
    wait_for("the end of gate and guard", || {
        let both = [gate.gate.pid(), gate.gate.guard_pid()];
        both.iter().all(|&pid| has_ended(pid)).then_some(())
    });
    all_ran(&[start(&program)]);
}

#[test]
fn a_gate_that_is_killed_releases_all_that_wait() {
    let case = "the gate is killed, 50 starts pending";
    all_go_on(case, Duration::ZERO, |held| {
        signal(held.gate.pid(), Signal::KILL)
    });
}

#[test]
fn a_gate_that_is_stopped_is_ended_by_its_guard() {
    let case = "the gate is stopped, 50 starts pending";
    all_go_on(case, GUARDED, |held| {
        signal(held.gate.pid(), Signal::STOP);
    });
}

#[test]
fn a_gate_that_loops_is_ended_by_its_guard() {
    let case = "the gate loops for ever, 50 starts pending";
    all_go_on(case, GUARDED, |held| {
        signal(held.gate.pid(), Signal::USR1);
        wait_for("the gate to burn its processor", || {
            let burns = burned_ms(held.gate.pid()) >= 100;
            (burns || has_ended(held.gate.pid())).then_some(())
        });
    });
}

/// The processor's time that a process has taken in its own code.
fn burned_ms(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = fields
        .split(' ')
        .nth(11)
        .and_then(|ticks| ticks.parse().ok());
    ticks.map_or(0, |ticks: u64| ticks * 10)
}

#[test]
fn a_gate_that_is_stopped_with_its_guard_is_ended_by_the_partner() {
    let case = "gate and guard are stopped, 50 starts pending";
    all_go_on(case, WATCHED, |held| {
        signal(held.gate.guard_pid(), Signal::STOP);
        signal(held.gate.pid(), Signal::STOP);
        wait_for("the gate's end", || {
            has_ended(held.gate.pid()).then_some(())
        });
        signal(held.gate.guard_pid(), Signal::CONT);
    });
}

#[test]
fn a_gate_that_loops_while_its_guard_is_stopped_is_ended_by_the_partner() {
    let case = "the gate loops, its guard is stopped, 50 starts pending";
    all_go_on(case, WATCHED, |held| {
        signal(held.gate.guard_pid(), Signal::STOP);
        signal(held.gate.pid(), Signal::USR1);
        wait_for("the gate's end", || {
            has_ended(held.gate.pid()).then_some(())
        });
        signal(held.gate.guard_pid(), Signal::CONT);
    });
}

#[test]
fn starts_that_come_to_a_stopped_gate_and_guard_go_on_within_the_bound() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let partner = Partner::start(&place, "run");
    all_ran(&[start(&program)]);
    signal(partner.guard, Signal::STOP);
    signal(partner.gate, Signal::STOP);
    let starts = Pending::begin(&program, 50).end();
    signal(partner.guard, Signal::CONT);
    let case = "50 starts come to a stopped gate and guard";
    none_waited_longer(&place, case, WATCHED, &starts);
    all_ran(&starts);
}

#[test]
fn a_gate_without_its_guard_ends() {
    let case = "the guard is killed, 50 starts pending";
    all_go_on(case, Duration::ZERO, |held| {
        signal(held.gate.guard_pid(), Signal::KILL);
    });
}

#[test]
fn a_gate_whose_guard_is_stopped_ends() {
    let case = "the guard is stopped, 50 starts pending";
    all_go_on(case, WATCHED, |held| {
        signal(held.gate.guard_pid(), Signal::STOP);
        // It stays stopped, and ends once it goes on.
        wait_for("the gate's end", || {
            has_ended(held.gate.pid()).then_some(())
        });
        signal(held.gate.guard_pid(), Signal::CONT);
    });
}

#[test]
fn a_start_that_comes_to_a_stopped_gate_goes_on_within_the_bound() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let partner = Partner::start(&place, "run");
    all_ran(&[start(&program)]);
    signal(partner.gate, Signal::STOP);
    let starts = Pending::begin(&program, 50).end();
    let case = "50 starts come to a stopped gate";
    none_waited_longer(&place, case, GUARDED, &starts);
    all_ran(&starts);
}

#[test]
fn a_gate_that_is_dropped_ends_with_its_guard() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = Answered::start(&place, &options(), |_, _| Some(Answer::Refuse));
    let both = [gate.gate.pid(), gate.gate.guard_pid()];
    drop(gate);
    assert!(both.iter().all(|&pid| has_ended(pid)));
    all_ran(&[start(&program)]);
}

#[test]
fn a_gate_that_is_to_end_releases_all_that_wait_whoever_has_a_part_in_it() {
    let case = "the partner ends the gate, 50 starts pending";
    all_go_on(case, Duration::ZERO, |held| held.gate.end());
}

/// A control group of the test's own; another process thaws and removes it.
struct ControlGroup {
    folder: PathBuf,
    _removed: Undo,
}

impl ControlGroup {
    fn new() -> Option<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
        let is_second = |root: &&Path| root.join("cgroup.controllers").exists();
        let root = roots.into_iter().find(is_second)?;
        let folder = root.join(format!("{}group", prefix()));
        let _removed = undo::remove_group_later(&folder).unwrap();
        fs::create_dir(&folder).ok()?;
        Some(Self { folder, _removed })
    }

    fn write(&self, file: &str, what: &str) {
        fs::write(self.folder.join(file), what).unwrap();
    }
}

#[test]
fn an_agent_that_is_frozen_with_all_its_processes_holds_nobody() {
    let Some(place) = Place::new() else { return };
    let Some(group) = ControlGroup::new() else {
        eprintln!("skipped: no control groups of version 2 here");
        return;
    };
    let program = place.program("true");
    // What thaws the group began before this process joins it, and is in another.
    group.write("cgroup.procs", "0");
    let partner = Partner::start(&place, "run");
    fs::write(group.folder.parent().unwrap().join("cgroup.procs"), "0").unwrap();
    let members = fs::read_to_string(group.folder.join("cgroup.procs")).unwrap();
    let members: Vec<&str> = members.lines().collect();
    assert!(members.contains(&partner.gate.to_string().as_str()));
    assert!(!members.contains(&partner.guard.to_string().as_str()));

    group.write("cgroup.freeze", "1");
    let starts = Pending::begin(&program, 50).end();
    let case = "agent and gate are frozen, 50 starts";
    none_waited_longer(&place, case, GUARDED, &starts);
    all_ran(&starts);
    group.write("cgroup.freeze", "0");
    drop(partner);
}
