//! A gate that hangs together with its guard holds up the computer for a second, and no longer: the
//! agent ends it, and has another one.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::gated::{ANNA, BEN, Computer, child_named, end};
use crate::support::{signal, wait_for};

/// Four looks of the agent, and what a start takes on a busy computer.
const BOUND: Duration = Duration::from_millis(1_250 + 500);

#[test]
fn starts_go_on_when_gate_and_guard_are_stopped_and_are_soon_held_again() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "50").unwrap();
    computer.start(BEN, "0").unwrap_err();
    let agent = computer.running.role("agent").unwrap();
    for name in ["usher-guard", "usher-gate"] {
        signal(child_named(name, agent).unwrap(), Signal::SIGSTOP);
    }
    let stopped = Instant::now();
    let mut second = computer.start(BEN, "0").unwrap();
    assert!(stopped.elapsed() < BOUND, "{:?}", stopped.elapsed());
    second.wait().unwrap();
    // The next gate refuses as the one before.
    wait_for("the gate to refuse", || computer.start(BEN, "0").err());
    end(first);
}
