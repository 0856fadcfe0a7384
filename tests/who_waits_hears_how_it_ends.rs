//! Who waits for a seat by `usher notify --when-free` hears how the wait ends, and what became of a
//! seat that was kept for them.

use std::process::Child;

use nix::sys::signal::Signal;

use crate::a_run_is_of_one_use::{Computer, kill};
use crate::accounts::end;
use crate::gated::{ANNA, BEN};
use crate::support::{Ended, finish, said, signal, stdout, wait_for};

impl Computer {
    fn when_free(&self, uid: u32) -> Child {
        let notify = ["notify", "--when-free", "cad"];
        self.accounts.command(uid, &notify).spawn().unwrap()
    }

    fn queued(&self, count: u64) {
        wait_for("the places in the queue", || {
            (self.status("queued") == count).then_some(())
        });
    }

    /// What the person was told lately.
    fn told(&self, uid: u32) -> String {
        let list = self.accounts.command(uid, &["notify", "--list"]).ended();
        stdout(&list)
    }

    /// A command of the person, which has to succeed.
    pub(crate) fn asks(&self, uid: u32, args: &[&str]) -> String {
        let output = self.accounts.command(uid, args).ended();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        stdout(&output)
    }
}

/// It has ended, and says that nothing is waited for any more.
fn waits_no_more(waits: Child) {
    let ended = finish(waits);
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    let told = stdout(&ended);
    assert!(
        told.contains("You no longer wait for a seat of cad"),
        "{told}"
    );
}

#[test]
fn who_gets_a_seat_by_a_run_meanwhile_is_told_that_they_wait_no_more() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let holder = computer.run(ANNA, &[]);
    computer.started(&[&holder]);
    // Its place is the first, so that the run has the seat.
    let run = computer.run(BEN, &["--wait"]);
    computer.queued(1);
    let waits = computer.when_free(BEN);
    computer.queued(2);
    end(holder);
    computer.started(&[&run]);
    waits_no_more(waits);
    computer.queued(0);
    end(run);
    computer.uses(0);
}

#[test]
fn who_holds_a_seat_that_a_further_start_shares_waits_for_none() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let run = computer.run(BEN, &[]);
    computer.started(&[&run]);
    for is_plain in [false, true] {
        let plain = is_plain.then(|| computer.plain(BEN));
        let told = computer.asks(BEN, &["notify", "--when-free", "cad"]);
        assert!(
            told.contains("You hold a seat of cad here: start it now, it shares it"),
            "{told}"
        );
        assert_eq!(computer.status("queued"), 0);
        plain.into_iter().for_each(kill);
    }
    // It is another's, or one of its own, that is waited for.
    let waits = computer.when_free(ANNA);
    computer.queued(1);
    end(run);
    let ended = finish(waits);
    assert!(
        stdout(&ended).contains("A seat of cad is free"),
        "{}",
        said(&ended)
    );
}

#[test]
fn a_seat_that_is_kept_is_told_from_one_that_is_used_and_from_one_that_is_over() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let kept = computer.asks(BEN, &["notify", "--when-free", "cad"]);
    assert!(kept.contains("is kept for you for"), "{kept}");
    let leases = || {
        let text = computer.asks(BEN, &["leases", "--json"]);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        answer["items"][0].clone()
    };
    let left = leases()["kept_seconds"].as_u64().unwrap();
    assert!((1..=300).contains(&left), "{left}");
    let shown = computer.asks(BEN, &["leases"]);
    assert!(
        shown.contains("not in use: kept for your next start for"),
        "{shown}"
    );
    // Asked again, it says what is left of it.
    let again = computer.asks(BEN, &["notify", "--when-free", "cad", "--json"]);
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    let again = again["kept_seconds"].as_u64().unwrap();
    assert!(again <= left, "{again} {left}");
    let told = computer.told(BEN);
    assert!(
        told.contains("A seat of cad is free. It is kept for you for 5 minutes."),
        "{told}"
    );

    let run = computer.run(BEN, &[]);
    computer.started(&[&run]);
    assert!(leases()["kept_seconds"].is_null(), "{}", leases());
    let told = computer.told(BEN);
    assert!(
        told.contains("A seat of cad was free. It was kept for you, and you have used it."),
        "{told}"
    );
    assert!(!told.contains("Start cad now"), "{told}");
    end(run);
    computer.uses(0);

    computer.asks(BEN, &["notify", "--when-free", "cad"]);
    let lease = leases()["id"].as_str().unwrap().to_owned();
    computer.asks(BEN, &["checkin", &lease]);
    let told = computer.told(BEN);
    assert!(
        told.contains("It was kept for you, and is kept no more."),
        "{told}"
    );
    assert!(!told.contains("Start cad now"), "{told}");
}

#[test]
fn a_seat_that_somebody_else_gave_back_is_not_said_to_be_kept() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let when_free = ["notify", "--when-free", "cad"];
    let kept = computer.asks(BEN, &when_free);
    assert!(kept.contains("is kept for you for"), "{kept}");
    let leases = computer.asks(BEN, &["leases", "--json"]);
    let leases: serde_json::Value = serde_json::from_str(&leases).unwrap();
    let lease = leases["items"][0]["id"].as_str().unwrap();
    computer.accounts.running.ok(&["checkin", lease]);
    let holder = computer.run(ANNA, &[]);
    computer.started(&[&holder]);
    let waits = computer.when_free(BEN);
    computer.queued(1);
    let told = computer.told(BEN);
    assert!(!told.contains("Start cad now"), "{told}");
    end(holder);
    let ended = finish(waits);
    let told = stdout(&ended);
    assert!(told.contains("A seat of cad is free"), "{}", said(&ended));
}

#[test]
fn what_runs_without_a_seat_gets_the_one_that_its_user_waited_for() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let holder = computer.run(ANNA, &[]);
    computer.started(&[&holder]);
    let program = computer.plain(BEN);
    wait_for("it to run without a seat", || {
        (computer.status("unseated") == 1).then_some(())
    });
    let waits = computer.when_free(BEN);
    computer.queued(1);
    end(holder);
    waits_no_more(waits);
    assert_eq!(computer.programs(), (1, 1));
    assert_eq!((computer.in_use(), computer.status("unseated")), (1, 0));
    let told = computer.told(BEN);
    assert!(!told.contains("Start cad now"), "{told}");
    kill(program);
    computer.uses(0);
}

/// One that is stopped takes connections and answers none.
#[test]
fn who_goes_on_without_a_seat_holds_none_up_when_the_server_answers_again() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let holder = computer.run(ANNA, &[]);
    computer.started(&[&holder]);
    let waits = computer.run(BEN, &["--wait=15s"]);
    computer.queued(1);
    let server = computer.accounts.running.role("server").unwrap();
    signal(server, Signal::SIGSTOP);
    // As the product allows, it runs without a seat when its time is over.
    computer.started(&[&waits]);
    signal(server, Signal::SIGCONT);
    computer.queued(0);
    end(holder);
    computer.uses(0);
    let usage = computer.accounts.running.json(&["usage"]);
    let items = usage["items"].as_array().unwrap();
    let users: Vec<&str> = items.iter().filter_map(|it| it["user"].as_str()).collect();
    assert_eq!(users.len(), 1, "{usage}");
    end(waits);
}

#[test]
fn a_run_that_is_refused_is_told_of_later_once_for_a_decision() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let holder = computer.run(ANNA, &[]);
    computer.started(&[&holder]);
    for _ in 0..2 {
        let run = ["run", "--product", "cad", "--", "true"];
        let refused = computer.accounts.command(BEN, &run).ended();
        assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    }
    let told = computer.told(BEN);
    assert_eq!(told.matches("cad was not started").count(), 1, "{told}");
    assert!(told.contains("usher why D"), "{told}");
    assert!(!computer.told(ANNA).contains("cad"));
    // A script that asks again and again is no start.
    let ask = ["checkout", "cad"];
    let refused = computer.accounts.command(BEN, &ask).ended();
    assert!(!refused.status.success(), "{}", said(&refused));
    assert_eq!(computer.told(BEN), told);
    end(holder);
}
