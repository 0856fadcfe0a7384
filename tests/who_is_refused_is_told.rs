//! Who is refused a start is told why, even without a terminal, and may wait for a seat: it
//! is kept for their next start, and for nobody else's.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use usher_testing::control::Control;

use crate::gated::{ANNA, BEN, Computer, end};
use crate::support::{Ended, finish, runs, said, signal, stdout, usher, wait_for};

/// One more account.
const CLEO: u32 = 12_003;

/// Asks the agent's socket as an account; the status and the body.
fn ask(computer: &Computer, uid: u32, method: &str, path: &str) -> (u16, Value) {
    let output = Command::new("curl")
        .args(["-s", "-w", "\n%{http_code}", "-X", method, "--unix-socket"])
        .arg(&computer.socket)
        .arg(format!("http://localhost{path}"))
        .uid(uid)
        .gid(uid)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .ended();
    let text = stdout(&output);
    let (body, status) = text.rsplit_once('\n').unwrap();
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    (status.parse().unwrap(), body)
}

fn notices(computer: &Computer, uid: u32, query: &str) -> Vec<Value> {
    let (status, body) = ask(computer, uid, "GET", &format!("/v1/notices?{query}"));
    assert_eq!(status, 200, "{body}");
    body["items"].as_array().unwrap().clone()
}

/// The next notice of an account after another; it has to come.
fn next(computer: &Computer, uid: u32, after: &Value) -> Value {
    let after = after["id"].as_str().unwrap();
    let all = notices(computer, uid, &format!("wait_seconds=20&after={after}"));
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

/// Refuses a start of an account, and has him wait: what he was told.
fn refused_and_waits(computer: &Computer, uid: u32) -> Value {
    computer.start(uid, "0").unwrap_err();
    let told = notices(computer, uid, "wait_seconds=20").pop().unwrap();
    assert_eq!(
        (&told["kind"], &told["can_wait"]),
        (&"refused".into(), &true.into())
    );
    let path = format!("/v1/notices/{}/tell-me", told["id"].as_str().unwrap());
    let (status, answer) = ask(computer, uid, "POST", &path);
    assert_eq!(
        (status, &answer["state"]),
        (200, &"waiting".into()),
        "{answer}"
    );
    told
}

#[test]
fn who_is_refused_is_told_why_and_nobody_else_is() {
    let Some(computer) = Computer::with_seats("1", &["--name", "Solver 7"]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    assert!(notices(&computer, BEN, "wait_seconds=0").is_empty());
    computer.start(BEN, "0").unwrap_err();
    let told = notices(&computer, BEN, "wait_seconds=20");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["title"], "Solver 7 was not started");
    assert_eq!(
        told[0]["text"],
        "The only seat is in use. Try again later, or be told when one is free."
    );
    let decision = told[0]["decision_id"].as_str().unwrap();
    let why = computer.running.ok(&["why", decision]);
    assert!(why.contains("solver"), "{why}");
    for other in [ANNA, CLEO, 0] {
        assert!(notices(&computer, other, "wait_seconds=0").is_empty());
    }
    let path = format!("/v1/notices/{}/tell-me", told[0]["id"].as_str().unwrap());
    assert_eq!(ask(&computer, CLEO, "POST", &path).0, 404);
    end(first);
}

#[test]
fn a_seat_that_was_waited_for_is_kept_for_the_next_start_of_who_waited() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    let told = refused_and_waits(&computer, BEN);
    assert_eq!(computer.status()["queued"], 1);
    let control = Control::begin().unwrap();
    // Who waits and tries again is not asked whether he wants to wait.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (next(&computer, BEN, &told), Instant::now()));
        let ended = Instant::now();
        end(first);
        let (free, came) = waiting.join().unwrap();
        assert_eq!(free["kind"], "free", "{free}");
        let took = came - ended;
        println!("a seat was kept {took:?} after the end of who had it");
        // At once, and not when the agent asks the next time, 20 s later.
        let bound = control.bound(Duration::ZERO);
        assert!(took < bound, "{took:?} of {bound:?}");
    });
    // It is in use, and nobody else's.
    assert_eq!(computer.status()["in_use"], 1);
    computer.start(CLEO, "0").unwrap_err();
    let second = computer.start(BEN, "60").unwrap();
    assert!(runs(second.id()));
    let status = computer.status();
    assert_eq!(
        (&status["in_use"], &status["unseated"]),
        (&1.into(), &0.into())
    );
    end(second);
    wait_for("the seat to come back", || {
        (computer.status()["in_use"] == 0).then_some(())
    });
}

#[test]
fn a_seat_that_was_free_at_once_is_kept_for_the_next_start_of_who_asked() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let (_, kept) = ask(&computer, BEN, "POST", "/v1/products/solver/tell-me");
    assert_eq!(kept["state"], "granted", "{kept}");
    computer.start(CLEO, "0").unwrap_err();
    let own = computer.start(BEN, "60").unwrap();
    let status = computer.status();
    assert_eq!(
        (&status["in_use"], &status["unseated"]),
        (&1.into(), &0.into())
    );
    end(own);
    wait_for("the seat to come back", || {
        (computer.status()["in_use"] == 0).then_some(())
    });
}

#[test]
fn a_seat_that_is_not_used_in_time_goes_to_the_next() {
    let Some(computer) = Computer::with_seats("1", &["--claim-seconds", "2s"]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    let told = refused_and_waits(&computer, BEN);
    end(first);
    let free = next(&computer, BEN, &told);
    assert_eq!(free["kind"], "free");
    assert_eq!(computer.status()["in_use"], 1);
    let missed = next(&computer, BEN, &free);
    assert_eq!(missed["kind"], "missed", "{missed}");
    wait_for("the seat to come back", || {
        computer
            .start(CLEO, "0")
            .ok()
            .map(|mut child| child.wait().unwrap())
    });
}

#[test]
fn who_leaves_holds_up_nobody() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    refused_and_waits(&computer, BEN);
    // Again is the same wait; a product that is not known is none.
    let tell_me = "/v1/products/solver/tell-me";
    let (_, again) = ask(&computer, BEN, "POST", tell_me);
    assert_eq!(again["state"], "waiting");
    assert_eq!(computer.status()["queued"], 1);
    assert_eq!(
        ask(&computer, BEN, "POST", "/v1/products/none/tell-me").0,
        404
    );
    assert_eq!(ask(&computer, BEN, "DELETE", tell_me).0, 204);
    wait_for("the place to be left", || {
        (computer.status()["queued"] == 0).then_some(())
    });
    // What is free is kept at once, and given back at once.
    end(first);
    wait_for("a free seat", || {
        (computer.status()["in_use"] == 0).then_some(())
    });
    let (_, kept) = ask(&computer, BEN, "POST", tell_me);
    assert_eq!(kept["state"], "granted", "{kept}");
    assert_eq!(computer.status()["in_use"], 1);
    assert_eq!(ask(&computer, BEN, "DELETE", tell_me).0, 204);
    wait_for("the kept seat to come back", || {
        (computer.status()["in_use"] == 0).then_some(())
    });
}

#[test]
fn an_agent_that_dies_costs_nobody_their_place_or_their_seat() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    let told = refused_and_waits(&computer, BEN);
    computer.loses_its_agent();
    assert_eq!(computer.status()["queued"], 1);
    end(first);
    let free = next(&computer, BEN, &told);
    assert_eq!(free["kind"], "free", "{free:?}");
    computer.loses_its_agent();
    computer.start(CLEO, "0").unwrap_err();
    let second = computer.start(BEN, "60").unwrap();
    assert_eq!(computer.status()["in_use"], 1);
    end(second);
}

#[test]
fn a_terminal_is_enough_to_wait_for_a_seat() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let first = computer.start(ANNA, "60").unwrap();
    let notify = |args: &[&str]| {
        let mut notify = usher();
        notify.arg("notify").args(args);
        notify.arg("--agent-socket").arg(&computer.socket);
        notify.uid(BEN).gid(BEN).env("HOME", "/nonexistent");
        notify
    };
    assert!(stdout(&notify(&["--list"]).ended()).contains("There were no notices"));
    let next = notify(&["--once"]).spawn().unwrap();
    // It waits from when it has read what is kept; until then a refusal is of before.
    wait_for("a notice", || {
        computer.start(BEN, "0").unwrap_err();
        (!runs(next.id())).then_some(())
    });
    let told = stdout(&finish(next));
    assert!(
        told.starts_with("solver was not started. ")
            && told.ends_with("usher notify --when-free solver\n"),
        "{told}"
    );
    assert!(stdout(&notify(&["--list"]).ended()).contains("solver was not started"));

    let waits = notify(&["--when-free", "solver"]).spawn().unwrap();
    wait_for("a place in the queue", || {
        (computer.status()["queued"] == 1).then_some(())
    });
    signal(waits.id(), Signal::SIGINT);
    assert_eq!(finish(waits).status.code(), Some(130));
    wait_for("the place to be left", || {
        (computer.status()["queued"] == 0).then_some(())
    });

    let waits = notify(&["--when-free", "solver"]).spawn().unwrap();
    wait_for("a place in the queue", || {
        (computer.status()["queued"] == 1).then_some(())
    });
    end(first);
    let output = finish(waits);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        stdout(&output).contains("A seat of solver is free"),
        "{}",
        said(&output)
    );
    assert!(computer.start(BEN, "0").unwrap().wait().unwrap().success());
}
