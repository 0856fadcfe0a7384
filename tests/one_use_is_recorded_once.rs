//! What one person runs of a product on one lease is one session in the record, from the first start to
//! the last end, however each part of it was started.

use std::process::Child;

use serde_json::Value;

use crate::a_run_is_of_one_use::{Computer, kill};
use crate::accounts::end;
use crate::gated::{ANNA, BEN};
use crate::support::wait_for;

impl Computer {
    /// A `usher run` of the product's own program.
    fn run_tool(&self, uid: u32, more: &[&str]) -> Child {
        let tool = self.accounts.folder.path("tool");
        let run = ["run", "--product", "cad"];
        let tool = ["--", tool.to_str().unwrap(), "600"];
        let args = [&run[..], more, &tool].concat();
        self.accounts.command(uid, &args).spawn().unwrap()
    }

    /// So many programs are seen to run, each with a seat.
    fn runs_seated(&self, count: u64) {
        wait_for("its programs to have seats", || {
            let (programs, seated) = self.programs();
            (programs == count && seated as u64 == count).then_some(())
        });
    }

    /// What is recorded of a person, once nothing runs and the server has all of it.
    fn recorded(&self, user: u32) -> Vec<Value> {
        let socket = self.accounts.socket.to_str().unwrap();
        wait_for("all of it to be recorded", || {
            let status = ["agent", "status", "--agent-socket", socket];
            let status = self.accounts.running.json(&status);
            let is_idle = status["sessions"] == 0 && status["outbox"] == 0;
            (is_idle && self.in_use() == 0).then_some(())
        });
        let usage = self.accounts.running.json(&["usage", "--product", "cad"]);
        let user = user.to_string();
        let all = usage["items"].as_array().unwrap().iter();
        all.filter(|it| it["user"] == *user).cloned().collect()
    }
}

#[test]
fn a_plain_start_and_a_run_are_one_session_whichever_is_first_and_last() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let mut uses = 0;
    for is_plain_first in [true, false] {
        for is_plain_last in [true, false] {
            let (plain, run);
            if is_plain_first {
                plain = computer.plain(ANNA);
                computer.runs_seated(1);
                run = computer.run_tool(ANNA, &[]);
            } else {
                run = computer.run_tool(ANNA, &[]);
                computer.runs_seated(1);
                plain = computer.plain(ANNA);
            }
            computer.runs_seated(2);
            assert_eq!(computer.in_use(), 1);
            if is_plain_last {
                end(run);
                computer.runs_seated(1);
                kill(plain);
            } else {
                kill(plain);
                computer.runs_seated(1);
                end(run);
            }
            uses += 1;
            let recorded = computer.recorded(ANNA);
            let what = format!("{is_plain_first} {is_plain_last}: {recorded:#?}");
            assert_eq!(recorded.len(), uses, "{what}");
        }
    }
    // One seat would have been enough for all of it.
    let edit = ["product", "edit", "cad", "--mode", "enforce", "--dry-run"];
    let told = computer.accounts.running.ok(&edit);
    assert!(told.contains("At most 1 seat "), "{told}");
}

#[test]
fn a_use_is_one_session_if_its_product_is_removed_and_added_again_meanwhile() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let socket = computer.accounts.socket.to_str().unwrap().to_owned();
    let running = &computer.accounts.running;
    for (so_far, is_plain) in [(0, true), (1, false)] {
        let program = match is_plain {
            true => computer.plain(ANNA),
            false => computer.run_tool(ANNA, &[]),
        };
        computer.runs_seated(1);
        running.ok(&[
            "product",
            "remove",
            "cad",
            "--yes",
            "--agent-socket",
            &socket,
        ]);
        let still = running.json(&["usage", "--product", "cad", "--running"]);
        let still = still["items"].as_array().unwrap().len();
        assert_eq!(still, 1, "it runs on in its seat: {is_plain}");
        computer.adds_the_product("user-on-computer", "1");
        computer.runs_seated(1);
        match is_plain {
            true => kill(program),
            false => end(program),
        }
        let recorded = computer.recorded(ANNA);
        assert_eq!(recorded.len(), so_far + 1, "{is_plain}: {recorded:#?}");
    }
}

#[test]
fn two_runs_that_wait_and_are_let_in_at_once_are_one_session() {
    let Some(computer) = Computer::with("user-on-computer", "2") else {
        return;
    };
    let holders = [
        computer.run(BEN, &["--own-seat"]),
        computer.run(BEN, &["--own-seat"]),
    ];
    computer.started(&holders.each_ref());
    let runs = [
        computer.run_tool(ANNA, &["--wait"]),
        computer.run_tool(ANNA, &["--wait"]),
    ];
    wait_for("a place", || (computer.status("queued") == 1).then_some(()));
    holders.into_iter().for_each(end);
    computer.started(&runs.each_ref());
    computer.uses(1);
    runs.into_iter().for_each(end);
    let recorded = computer.recorded(ANNA);
    assert_eq!(recorded.len(), 1, "{recorded:#?}");
}

#[test]
fn a_run_on_a_seat_that_was_kept_is_one_session_whatever_it_runs() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    for (so_far, is_tool) in [(0, false), (1, true)] {
        computer.asks(BEN, &["notify", "--when-free", "cad"]);
        let run = match is_tool {
            true => computer.run_tool(BEN, &[]),
            false => computer.run(BEN, &[]),
        };
        computer.started(&[&run]);
        end(run);
        let recorded = computer.recorded(BEN);
        assert_eq!(recorded.len(), so_far + 1, "{is_tool}: {recorded:#?}");
    }
}

#[test]
fn seats_of_their_own_and_counted_processes_are_sessions_of_their_own() {
    for (counting, more) in [("user-on-computer", &["--own-seat"][..]), ("process", &[])] {
        let Some(computer) = Computer::with(counting, "2") else {
            return;
        };
        let plain = computer.plain(ANNA);
        computer.runs_seated(1);
        let run = computer.run_tool(ANNA, more);
        computer.runs_seated(2);
        assert_eq!(computer.in_use(), 2, "{counting}");
        end(run);
        kill(plain);
        let recorded = computer.recorded(ANNA);
        assert_eq!(recorded.len(), 2, "{counting}: {recorded:#?}");
    }
}
