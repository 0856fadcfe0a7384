//! A program of an enforced product starts only with a seat, whoever starts it and however: it is
//! held before its first instruction, and who is refused reads why on his terminal.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::gated::{ANNA, BEN, Computer, end};
use crate::support::{Ended, runs, said, signal, wait_for};

#[test]
fn the_second_of_two_is_refused_before_its_first_instruction_and_reads_why() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    assert!(runs(first.id()));
    assert_eq!(computer.status()["in_use"], 1);

    let second = computer.start(BEN, "0").unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(second.raw_os_error(), Some(nix::libc::EPERM));
    let status = computer.status();
    assert_eq!(
        (
            &status["in_use"],
            &status["unseated"],
            &status["denied_last_24h"]
        ),
        (&1.into(), &0.into(), &1.into())
    );

    // On a terminal, as a user would: `script` gives it one.
    let start = format!(
        "setpriv --reuid {BEN} --regid {BEN} --clear-groups {} 0",
        computer.program("solver").display()
    );
    let mut shell = Command::new("script");
    shell
        .args(["--quiet", "--return", "--command", &start, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let shown = shell.ended();
    assert!(!shown.status.success());
    let shown = said(&shown);
    assert!(
        shown.contains("usher: solver was not started: ")
            && shown.contains("usher why ")
            && shown.contains("usher notify --when-free solver"),
        "{shown}"
    );

    // Who has a seat may start it again: it is one use.
    let again = computer.start(ANNA, "0").unwrap().wait_with_output();
    assert!(again.unwrap().status.success());

    end(first);
    wait_for("the seat to come back", || {
        computer
            .start(BEN, "0")
            .ok()
            .map(|mut child| child.wait().unwrap())
    });
}

#[test]
fn what_a_lease_covers_starts_on_it() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let solver = computer.program("solver");
    let script = format!("({} 0; exec {} 0)", solver.display(), solver.display());
    let mut run = computer.running.usher(&["run", "--product", "solver"]);
    run.arg("--agent-socket").arg(&computer.socket);
    let output = run.args(["--", "sh", "-c", &script]).ended();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(computer.status()["denied_last_24h"], 0);
}

#[test]
fn what_happens_without_a_server_is_as_the_product_says() {
    let Some(computer) = Computer::with_seats("1", &["--on-unreachable", "refuse"]) else {
        return;
    };
    signal(computer.running.role("server").unwrap(), Signal::SIGSTOP);
    let refused = computer.start(ANNA, "0").unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(nix::libc::EPERM));
    signal(computer.running.role("server").unwrap(), Signal::SIGCONT);
    wait_for("a seat", || {
        computer
            .start(ANNA, "0")
            .ok()
            .map(|mut child| child.wait().unwrap())
    });
}

#[test]
fn whatever_ends_starts_go_on() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    computer.start(BEN, "0").unwrap_err();
    // The agent dies, and its gate with it: nobody is held, nobody is refused, what runs runs on.
    let agent = computer.running.role("agent").unwrap();
    signal(agent, Signal::SIGKILL);
    wait_for("a start without an agent", || {
        computer
            .start(BEN, "0")
            .ok()
            .map(|mut child| child.wait().unwrap())
    });
    assert!(runs(first.id()));
    // The next agent takes up who runs, with the seat, and holds starts again.
    computer.is_gated();
    wait_for("the one seat to be known", || {
        (computer.status()["in_use"] == 1).then_some(())
    });
    wait_for("the gate to refuse", || computer.start(BEN, "0").err());
    end(first);
}

#[test]
fn enforcement_that_is_switched_off_refuses_nobody() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    computer.start(BEN, "0").unwrap_err();
    let switch = |to: &str| {
        let socket = computer.socket.to_str().unwrap();
        let words = ["agent", "enforcement", to, "--agent-socket", socket];
        computer.running.ok(&words);
    };
    switch("off");
    wait_for("a start without enforcement", || {
        computer
            .start(BEN, "0")
            .ok()
            .map(|mut child| child.wait().unwrap())
    });
    switch("on");
    wait_for("the gate to refuse again", || {
        computer.start(BEN, "0").err()
    });
    end(first);
}
