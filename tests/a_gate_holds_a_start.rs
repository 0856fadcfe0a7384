//! A program of an enforced product starts only with a seat, whoever starts it and however: it is
//! held before its first instruction, and who is refused reads why on his terminal.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::gated::{ANNA, BEN, Computer, end};
use crate::support::{Ended, children, runs, said, signal, wait_for};

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

/// Solver of one user on a terminal of its own, what is written there, and its pid.
struct OnTerminal {
    script: Child,
    shown: PathBuf,
    solver: u32,
}

impl OnTerminal {
    fn start(computer: &Computer, uid: u32) -> OnTerminal {
        let solver = computer.program("solver");
        let start = format!(
            "exec setpriv --reuid {uid} --regid {uid} --clear-groups {} 55",
            solver.display()
        );
        let shown = computer.place.join("shown");
        let script = Command::new("script")
            .args(["--quiet", "--flush", "--command", &start, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(fs::File::create(&shown).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let solver = wait_for("the solver on its terminal", || {
            let child = *children(script.id()).first()?;
            let runs = fs::read_link(format!("/proc/{child}/exe")).ok()?;
            (runs == solver).then_some(child)
        });
        OnTerminal {
            script,
            shown,
            solver,
        }
    }

    fn shows(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.shown).unwrap()).into_owned()
    }
}

impl Computer {
    fn owns(&self, seats: &str) {
        let owned = self.running.json(&["entitlement", "list"]);
        let id = owned["items"][0]["id"].as_str().unwrap();
        self.running
            .ok(&["entitlement", "edit", id, "--seats", seats]);
    }

    /// One of two seats is owned no more, and the one that an account has is taken by an
    /// administrator.
    fn takes_the_seat_of(&self, uid: u32) {
        self.owns("1");
        let leases = self.running.json(&["leases"]);
        let leases = leases["items"].as_array().unwrap();
        let user = uid.to_string();
        let of_it = leases.iter().find(|lease| lease["user"] == user);
        let of_it = of_it.unwrap_or_else(|| panic!("{leases:?}"));
        self.running.ok(&["checkin", of_it["id"].as_str().unwrap()]);
        wait_for("the program to be known as unseated", || {
            (self.status()["unseated"] == 1).then_some(())
        });
    }
}

#[test]
fn a_program_whose_seat_an_administrator_took_runs_on_without_one() {
    let more = ["--max-ttl", "3s", "--grace-seconds", "10s"];
    let Some(computer) = Computer::with_seats("2", &more) else {
        return;
    };
    let anna = OnTerminal::start(&computer, ANNA);
    let ben = computer.start(BEN, "60").unwrap();
    computer.takes_the_seat_of(ANNA);
    // tidy: sleep, longer than the grace that other products have
    std::thread::sleep(Duration::from_secs(12));
    assert!(runs(anna.solver));
    assert_eq!(anna.shows(), "");
    // Its next seat is the next one that is free.
    computer.owns("2");
    wait_for("a seat for what runs", || {
        let status = computer.status();
        (status["in_use"] == 2 && status["unseated"] == 0).then_some(())
    });
    assert!(runs(anna.solver));
    signal(anna.solver, Signal::SIGKILL);
    end(anna.script);
    end(ben);
}

#[test]
fn a_program_that_may_not_run_without_its_seat_is_asked_first_and_then_ended_alone() {
    let more = [
        "--max-ttl",
        "3s",
        "--grace-seconds",
        "10s",
        "--on-lost-lease",
        "end",
    ];
    let Some(computer) = Computer::with_seats("2", &more) else {
        return;
    };
    let mut anna = OnTerminal::start(&computer, ANNA);
    let ben = computer.start(BEN, "55").unwrap();
    computer.takes_the_seat_of(ANNA);
    wait_for("its user to be asked", || {
        anna.shows()
            .contains("usher: the seat of solver is lost")
            .then_some(())
    });
    let asked = std::time::Instant::now();
    assert!(runs(anna.solver));
    wait_for("it to end", || (!runs(anna.solver)).then_some(()));
    assert!(
        asked.elapsed() > Duration::from_secs(9),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(
        anna.shows().matches("usher:").count(),
        1,
        "{}",
        anna.shows()
    );
    anna.script.wait().unwrap();
    // Who has a seat is not touched.
    assert!(runs(ben.id()));
    wait_for("the record of it", || {
        (computer.status()["unseated"] == 0).then_some(())
    });
    end(ben);
}
