//! Who has no token is answered through the agent of the computer: what is theirs, why they were
//! refused, how many hold and wait, since when, and in which place they are themselves.

use std::io::{BufRead, BufReader};
use std::process::{Child, Output};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::accounts::{Accounts, end};
use crate::gated::{ANNA, BEN};
use crate::support::{Ended, finish, said, signal, stderr, stdout, usher, wait_for};

/// One more account.
const CLEO: u32 = 12_003;

/// A computer whose agent answers everyone on it, with a product of one seat.
struct Computer {
    accounts: Accounts,
}

impl Computer {
    /// None, with a line that says so, if accounts cannot be changed.
    fn new() -> Option<Computer> {
        let accounts = Accounts::new()?;
        accounts
            .running
            .ok(&["product", "add", "cad", "--seats", "1"]);
        Some(Computer { accounts })
    }

    fn says(&self, uid: u32, args: &[&str]) -> Output {
        self.accounts.command(uid, args).ended()
    }

    fn json(&self, uid: u32, args: &[&str]) -> Value {
        let output = self.says(uid, &[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// An account holds the seat until the child is ended.
    fn holds(&self, uid: u32) -> Child {
        let run = ["run", "--product", "cad", "--", "sleep", "600"];
        let child = self.accounts.command(uid, &run).spawn().unwrap();
        wait_for("the seat to be held", || {
            let status = self.accounts.running.json(&["status"]);
            (status["products"][0]["in_use"] == 1).then_some(())
        });
        child
    }

    /// An account is refused a seat: the decision that it was told.
    fn refused(&self, uid: u32) -> String {
        let output = self.says(uid, &["run", "--product", "cad", "--", "true"]);
        assert_eq!(output.status.code(), Some(77), "{}", said(&output));
        let text = stderr(&output);
        let (_, rest) = text.split_once("`usher why ").unwrap();
        rest.split_once('`').unwrap().0.to_owned()
    }
}

#[test]
fn who_is_refused_is_answered_without_a_token() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let holder = computer.holds(ANNA);
    let decision = computer.refused(BEN);
    let why = computer.says(BEN, &["why", &decision]);
    assert!(why.status.success(), "{}", said(&why));
    let text = stdout(&why);
    assert!(text.contains("One lease held the seats then"), "{text}");
    assert!(
        text.contains("Now: 1 of 1 seat of cad in use, the longest since"),
        "{text}"
    );
    assert!(!text.contains(&ANNA.to_string()), "{text}");
    // Another's is none of theirs, even if they know its name.
    let other = computer.says(ANNA, &["why", &decision]);
    assert!(!other.status.success(), "{}", said(&other));

    let leases = computer.says(BEN, &["leases"]);
    let text = said(&leases);
    assert!(leases.status.success(), "{text}");
    assert!(text.contains("You hold no seat."), "{text}");
    assert!(
        text.contains("In all: 1 of 1 seat of cad in use, the longest since"),
        "{text}"
    );
    let own = computer.json(ANNA, &["leases"]);
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
    assert!(own["only"]["account"].is_string(), "{own}");
    assert_eq!(
        computer.json(BEN, &["leases"])["items"],
        serde_json::json!([])
    );

    let status = stdout(&computer.says(ANNA, &["status"]));
    assert!(status.contains("You hold it."), "{status}");
    let denials = computer.json(BEN, &["denials"]);
    assert_eq!(denials["items"][0]["decision_id"], decision.as_str());
    assert_eq!(
        computer.json(ANNA, &["denials"])["items"],
        serde_json::json!([])
    );
    let usage = computer.json(ANNA, &["usage"]);
    assert_eq!(usage["items"][0]["product"], "cad", "{usage}");
    assert_eq!(
        computer.json(BEN, &["usage"])["items"],
        serde_json::json!([])
    );
    let summed = computer.json(ANNA, &["usage", "by-product", "--until", "today"]);
    assert_eq!(summed["items"][0]["sessions"], 1, "{summed}");
    let summed = said(&computer.says(BEN, &["usage", "by-product"]));
    assert!(
        summed.contains("You have used nothing in this time."),
        "{summed}"
    );
    end(holder);
}

#[test]
fn who_waits_is_told_their_place_among_all() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let mut children = vec![computer.holds(ANNA)];
    for (uid, ahead) in [(CLEO, 0), (BEN, 1)] {
        let run = ["run", "--product", "cad", "--wait", "--", "true"];
        children.push(computer.accounts.command(uid, &run).spawn().unwrap());
        wait_for("one more to wait", || {
            let status = computer.accounts.running.json(&["status"]);
            (status["products"][0]["queued"] == ahead + 1).then_some(())
        });
    }
    let queue = computer.json(BEN, &["queue"]);
    assert_eq!(queue["items"].as_array().unwrap().len(), 1, "{queue}");
    assert_eq!(queue["items"][0]["position"], 2, "{queue}");
    let text = said(&computer.says(BEN, &["queue"]));
    assert!(
        text.contains("2 requests wait, the longest since"),
        "{text}"
    );
    let status = stdout(&computer.says(BEN, &["status"]));
    assert!(status.contains("You wait in place 2."), "{status}");
    children.into_iter().rev().for_each(end);
}

#[test]
fn a_product_that_shows_its_holders_names_them_to_who_is_refused() {
    let Some(computer) = Computer::new() else {
        return;
    };
    computer
        .accounts
        .running
        .ok(&["product", "edit", "cad", "--show-holders", "yes"]);
    let holder = computer.holds(ANNA);
    let decision = computer.refused(BEN);
    let why = computer.json(BEN, &["why", &decision]);
    assert_eq!(why["holders"].as_array().unwrap().len(), 1, "{why}");
    end(holder);
}

#[test]
fn a_person_by_token_and_by_agent_is_one_person() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let holder = computer.holds(ANNA);
    let decision = computer.refused(BEN);
    let account = computer.json(BEN, &["denials"])["only"]["account"].clone();
    let realm = computer.json(BEN, &["denials"])["only"]["realm"].clone();
    let account = account.as_str().unwrap();
    // On this computer both say who they are.
    let token = computer.accounts.running.token_of(account);
    let server = computer.accounts.running.api.clone();
    let shown = ["--token", &token, "--server", &server];
    let why = computer.says(BEN, &[&["why", &decision][..], &shown].concat());
    assert!(why.status.success(), "{}", said(&why));
    let denials = computer.json(BEN, &[&["denials"][..], &shown].concat());
    assert_eq!(denials["items"][0]["decision_id"], decision.as_str());
    let leases = said(&computer.says(BEN, &[&["leases"][..], &shown].concat()));
    assert!(leases.contains("You hold no seat."), "{leases}");
    assert!(
        leases.contains("This shows only what is yours, as"),
        "{leases}"
    );
    assert!(leases.contains("In all: 1 of 1 seat of cad"), "{leases}");
    // Elsewhere a token of the same realm does.
    let create = ["token", "create", "--role", "client", "--user", account];
    let realm = ["--realm", realm.as_str().unwrap()];
    let token = computer
        .accounts
        .running
        .ok(&[&create[..], &realm].concat());
    let mut why = usher();
    why.args(["why", &decision, "--json", "--server", &server])
        .args(["--agent-socket", "/nonexistent", "--token", token.trim()]);
    let why = why.ended();
    assert!(why.status.success(), "{}", said(&why));
    let why: Value = serde_json::from_slice(&why.stdout).unwrap();
    assert_eq!(why["only"]["account"], account, "{why}");
    end(holder);
}

#[test]
fn who_has_no_token_is_shown_what_there_is_to_choose_from() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let add = ["product", "add", "mesh", "--name", "Mesher", "--seats", "3"];
    computer.accounts.running.ok(&add);
    let holder = computer.holds(ANNA);
    let listed = computer.json(BEN, &["product", "list"]);
    let shown: Vec<(&str, u64, u64, u64)> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let count = |field: &str| it[field].as_u64().unwrap();
            let id = it["id"].as_str().unwrap();
            (id, count("seats"), count("in_use"), count("queued"))
        })
        .collect();
    assert_eq!(shown, [("cad", 1, 1, 0), ("mesh", 3, 0, 0)]);
    let text = said(&computer.says(BEN, &["product", "list"]));
    assert!(text.contains("Mesher"), "{text}");
    let text = said(&computer.says(BEN, &["product", "show", "cad"]));
    assert!(text.contains("1 of 1 seat of cad in use"), "{text}");
    assert!(!text.contains(&ANNA.to_string()), "{text}");
    let none = computer.says(BEN, &["product", "show", "cat"]);
    assert_eq!(none.status.code(), Some(1), "{}", said(&none));
    end(holder);
}

#[test]
fn what_a_person_has_by_the_agent_is_summed_kept_and_given_back_by_their_token_too() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let running = &computer.accounts.running;
    let account = computer.json(BEN, &["leases"])["only"]["account"].clone();
    let token = running.token_of(account.as_str().unwrap());
    let shown = ["--token", &token, "--server", &running.api];
    let with_token = |args: &[&str]| computer.says(BEN, &[args, &shown].concat());
    running.ok(&["product", "add", "pack", "--seats", "4"]);
    let by_agent = computer.json(BEN, &["checkout", "pack", "--ttl", "1m"]);
    let by_token = with_token(&["checkout", "pack", "--ttl", "1m", "--json"]);
    assert!(by_token.status.success(), "{}", said(&by_token));
    let by_token: Value = serde_json::from_slice(&by_token.stdout).unwrap();
    let summed = with_token(&["usage", "by-product", "--json"]);
    let summed: Value = serde_json::from_slice(&summed.stdout).unwrap();
    assert_eq!(summed["items"].as_array().unwrap().len(), 1, "{summed}");
    assert_eq!(summed["items"][0]["sessions"], 2, "{summed}");
    for lease in [&by_agent["id"], &by_token["id"]] {
        let lease = lease.as_str().unwrap();
        for command in ["renew", "checkin"] {
            let done = with_token(&[command, lease]);
            assert!(done.status.success(), "{command} {lease}: {}", said(&done));
        }
    }
    assert_eq!(running.json(&["leases"])["items"], serde_json::json!([]));
}

#[test]
fn a_script_takes_keeps_and_gives_back_a_seat_without_a_token() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let running = &computer.accounts.running;
    running.ok(&["product", "add", "pack", "--seats", "2"]);
    let checkout = ["checkout", "cad", "--also", "pack=2", "--ttl", "1m"];
    let held = computer.json(BEN, &checkout);
    let lease = held["id"].as_str().unwrap();
    assert_eq!(held["also"][0]["seats"], 2, "{held}");
    let own = computer.json(BEN, &["leases"]);
    assert_eq!(own["items"].as_array().map(Vec::len), Some(2), "{own}");
    let renewed = computer.says(BEN, &["renew", lease]);
    assert!(renewed.status.success(), "{}", said(&renewed));
    // It is nobody else's to keep, or to end.
    for command in ["renew", "checkin"] {
        let other = computer.says(ANNA, &[command, lease]);
        assert_eq!(other.status.code(), Some(1), "{}", said(&other));
    }
    let given_back = computer.says(BEN, &["checkin", lease]);
    assert!(given_back.status.success(), "{}", said(&given_back));
    assert_eq!(running.json(&["leases"])["items"], serde_json::json!([]));
}

#[test]
fn a_run_takes_all_the_products_that_it_needs_or_none_and_gives_them_back_together() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let running = &computer.accounts.running;
    running.ok(&["product", "add", "pack", "--seats", "2"]);
    let leases = || {
        let leases = running.json(&["leases"]);
        let mut held: Vec<(String, u64)> = leases["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                let product = it["product"].as_str().unwrap().to_owned();
                (product, it["seats"].as_u64().unwrap())
            })
            .collect();
        held.sort_unstable();
        held
    };
    let run = ["run", "--product", "cad", "--also", "pack=2", "--", "sleep"];
    let mut first = computer
        .accounts
        .command(BEN, &[&run[..], &["600"]].concat());
    let first = first.spawn().unwrap();
    let both = [("cad".to_owned(), 1), ("pack".to_owned(), 2)];
    wait_for("both", || (leases() == both).then_some(()));
    // There is no second of the other product: then this one is not taken either.
    let refused = computer.says(ANNA, &[&run[..], &["0"]].concat());
    assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    assert_eq!(leases(), both);
    end(first);
    wait_for("none", || leases().is_empty().then_some(()));
}

#[test]
fn who_has_no_token_asks_for_nobody_else() {
    let Some(computer) = Computer::new() else {
        return;
    };
    for asked in [
        &["checkout", "cad", "--user", "anna"][..],
        &["checkout", "cad", "--priority", "5"],
        &["run", "--product", "cad", "--user", "anna", "--", "true"],
        &["run", "--product", "cad", "--computer", "pc7", "--", "true"],
        &["run", "--product", "cad", "--priority", "5", "--", "true"],
    ] {
        let refused = computer.says(BEN, asked);
        assert_eq!(
            refused.status.code(),
            Some(77),
            "{asked:?}: {}",
            said(&refused)
        );
        assert!(
            said(&refused).contains("a token that may ask so"),
            "{}",
            said(&refused)
        );
    }
    let usage = computer.accounts.running.json(&["usage"]);
    assert_eq!(usage["items"], serde_json::json!([]), "nothing was run");
}

#[test]
fn who_waits_twice_and_gives_up_once_still_waits() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let holder = computer.holds(ANNA);
    let waits = |count: u64| {
        wait_for("the queue", || {
            let status = computer.accounts.running.json(&["status"]);
            (status["products"][0]["queued"] == count).then_some(())
        });
    };
    let notify = || {
        let mut notify = computer
            .accounts
            .command(BEN, &["notify", "--when-free", "cad"]);
        let child = notify.spawn().unwrap();
        waits(1);
        child
    };
    let first = notify();
    // It is known of the second once that has been told that it waits.
    let mut second = notify();
    let mut said = String::new();
    let mut out = BufReader::new(second.stdout.take().unwrap());
    out.read_line(&mut said).unwrap();
    assert!(said.contains("You wait for a seat of cad"), "{said}");
    signal(second.id(), Signal::SIGINT);
    assert_eq!(finish(second).status.code(), Some(130));
    waits(1);
    end(holder);
    let told = finish(first);
    assert!(
        stdout(&told).contains("A seat of cad"),
        "{}",
        crate::support::said(&told)
    );
}
