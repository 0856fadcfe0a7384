//! Who hangs holds up the computer for a second, and no longer: a gate that hangs together with its
//! guard is ended by the agent, which has another one; and what an agent holds that cannot die is let
//! go by the gate.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use usher_testing::control::Control;
use usher_testing::undo;

use crate::gated::{ANNA, BEN, Computer, child_named, end, held};
use crate::support::{runs, signal, wait_for};

/// Four looks of one at the other.
const LATE: Duration = Duration::from_millis(1_250);

#[test]
fn starts_go_on_when_gate_and_guard_are_stopped_and_are_soon_held_again() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "50").unwrap();
    computer.start(BEN, "0").unwrap_err();
    let control = Control::begin().unwrap();
    let agent = computer.running.role("agent").unwrap();
    let hung = ["usher-guard", "usher-gate"].map(|name| child_named(name, agent).unwrap());
    for pid in hung {
        signal(pid, Signal::SIGSTOP);
    }
    let stopped = Instant::now();
    let mut second = computer.start(BEN, "0").unwrap();
    let (waited, bound) = (stopped.elapsed(), control.bound(LATE));
    assert!(waited < bound, "{waited:?} of {bound:?}");
    second.wait().unwrap();
    // The next gate refuses as the one before.
    wait_for("the gate to refuse", || computer.start(BEN, "0").err());
    wait_for("what hangs to be ended", || {
        hung.iter().all(|pid| !runs(*pid)).then_some(())
    });
    end(first);
}

/// The kernel ends no process that watches files until all starts of them are answered.
#[test]
fn starts_go_on_when_an_agent_is_killed_that_watches_their_file() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    // As long as it is nobody's, it is not asked about, and watched.
    let tool = computer.program("tool");
    assert!(Command::new(&tool).arg("0").status().unwrap().success());
    let rule = format!("path={}", tool.display());
    let add = [
        "product", "add", "tool", "--mode", "enforce", "--seats", "1",
    ];
    let to = ["--agent-socket", computer.socket.to_str().unwrap()];
    let rule = ["--program", &rule];
    computer
        .running
        .ok(&[&add[..], &rule[..], &to[..]].concat());

    let control = Control::begin().unwrap();
    let server = computer.running.role("server").unwrap();
    let stopped = undo::stop(server).unwrap();
    let start = std::thread::spawn(move || {
        let mut tool = Command::new(&tool)
            .arg("0")
            .uid(BEN)
            .gid(BEN)
            .spawn()
            .unwrap();
        let ran = Instant::now();
        tool.wait().unwrap();
        ran
    });
    wait_for("the start to be held", || (held() == 1).then_some(()));
    // tidy: sleep, by then the agent has said that it is to be held
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(held(), 1);
    let killed = Instant::now();
    signal(computer.running.role("agent").unwrap(), Signal::SIGKILL);
    let waited = start.join().unwrap().duration_since(killed);
    drop(stopped);
    let bound = control.bound(LATE);
    assert!(waited < bound, "{waited:?} of {bound:?}");
}
