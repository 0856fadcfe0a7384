//! `usher run`: a command runs on a seat; who comes second is refused with a reason, or waits.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    Ended, Folder, Running, finish, finish_within, said, signal, stderr, stdout, wait_for,
};

/// One seat of `tool`, and tokens of two users.
fn one_seat(folder: &Folder) -> (Running, String, String) {
    let running = Running::up(&folder.path("data"));
    running.ok(&[
        "product",
        "add",
        "tool",
        "--name",
        "The Tool",
        "--program",
        "sleep",
        "--seats",
        "1",
    ]);
    let (anna, bert) = (running.token_of("anna"), running.token_of("bert"));
    (running, anna, bert)
}

/// `usher run` of the tool by a user with their token; `more` are further options, and the command
/// behind `--`.
fn run(running: &Running, (user, token): (&str, &str), more: &[&str]) -> Command {
    let run = ["run", "--product", "tool", "--user", user, "--token", token];
    running.usher(&[&run[..], more].concat())
}

/// A command that runs until the file is there, and then ends with a code.
fn until(go: &Path, code: u8) -> String {
    let go = go.display();
    format!("while [ ! -e {go} ]; do sleep 0.01; done; exit {code}")
}

fn in_use(running: &Running) -> u64 {
    running.json(&["product", "show", "tool"])["in_use"]
        .as_u64()
        .unwrap()
}

#[test]
fn of_two_users_the_second_is_refused_with_a_reason_that_can_be_asked_about() {
    let folder = Folder::new();
    let (running, anna, bert) = one_seat(&folder);
    let go = folder.path("go");
    let script = until(&go, 9);
    let first = run(&running, ("anna", &anna), &["--", "sh", "-c", &script])
        .spawn()
        .unwrap();
    wait_for("anna's seat", || (in_use(&running) == 1).then_some(()));

    let second = || run(&running, ("bert", &bert), &["--", "echo", "never"]).ended();
    let output = second();
    assert_eq!(output.status.code(), Some(77), "{}", said(&output));
    assert_eq!(stdout(&output), "");
    let why = stderr(&output);
    let id = why
        .split('`')
        .nth(1)
        .unwrap()
        .strip_prefix("usher why ")
        .unwrap();
    let decision = running.json(&["why", id]);
    assert_eq!(decision["reason"], "no_seat");
    assert_eq!(decision["holders"][0]["user"], "anna");
    assert_eq!(running.json(&["denials"])["items"][0]["user"], "bert");

    std::fs::write(&go, "").unwrap();
    assert_eq!(finish(first).status.code(), Some(9));
    let output = second();
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "never\n")
    );
    assert_eq!(in_use(&running), 0);
}

#[test]
fn who_waits_gets_the_seat_of_the_first_when_it_ends() {
    let folder = Folder::new();
    let (running, anna, bert) = one_seat(&folder);
    let go = folder.path("go");
    let script = until(&go, 0);
    let first = run(&running, ("anna", &anna), &["--", "sh", "-c", &script])
        .spawn()
        .unwrap();
    wait_for("anna's seat", || (in_use(&running) == 1).then_some(()));
    let second = run(&running, ("bert", &bert), &["--wait", "--", "echo", "mine"])
        .spawn()
        .unwrap();
    wait_for("bert's place", || {
        let queue = running.json(&["queue"]);
        (queue["items"][0]["user"] == "bert").then_some(())
    });
    std::fs::write(&go, "").unwrap();
    assert_eq!(finish(first).status.code(), Some(0));
    let output = finish(second);
    assert_eq!(stdout(&output), "mine\n", "{}", said(&output));
    assert!(
        stderr(&output).contains("place 1 in the queue"),
        "{}",
        stderr(&output)
    );

    let sessions = running.json(&["usage", "--product", "tool"]);
    let word =
        |session: &serde_json::Value, field: &str| session[field].as_str().unwrap().to_owned();
    let mut uses: Vec<(String, String)> = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| (word(session, "user"), word(session, "program")))
        .collect();
    uses.sort_unstable();
    let expected = [("anna", "sh"), ("bert", "echo")];
    assert_eq!(
        uses,
        expected.map(|(user, program)| (user.to_owned(), program.to_owned()))
    );
}

#[test]
fn of_two_who_wait_the_one_of_a_higher_priority_is_served_first() {
    let folder = Folder::new();
    let (running, anna, _) = one_seat(&folder);
    let lease = running.ok(&["checkout", "tool", "--user", "anna", "--ttl", "5m"]);
    let done = folder.path("done");
    let wait = |user: &str, priority: &str| {
        let echo = format!("echo {user} >> {}", done.display());
        let run = ["run", "--product", "tool", "--user", user, "--wait"];
        let words = ["--priority", priority, "--", "sh", "-c", &echo];
        let child = running.usher(&[&run[..], &words].concat()).spawn().unwrap();
        wait_for("the place", || {
            let queue = running.json(&["queue"])["items"].clone();
            let mut queue = queue.as_array().unwrap().iter();
            queue.any(|it| it["user"] == user).then_some(())
        });
        child
    };
    let waiting = [wait("bert", "0"), wait("carl", "50")];
    // A client may not go before others.
    let refused = run(
        &running,
        ("anna", &anna),
        &["--priority", "50", "--", "true"],
    )
    .ended();
    assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    let why = stderr(&refused);
    assert!(why.contains("only operators and admins"), "{why}");
    running.ok(&["checkin", lease.trim()]);
    for child in waiting {
        let output = finish(child);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(std::fs::read_to_string(done).unwrap(), "carl\nbert\n");
}

#[test]
fn waiting_ends_when_it_was_to_and_the_place_is_given_up() {
    let folder = Folder::new();
    let (running, _, bert) = one_seat(&folder);
    running.ok(&["checkout", "tool", "--user", "anna"]);
    let output = run(&running, ("bert", &bert), &["--wait=1s", "--", "true"]).ended();
    assert_eq!(output.status.code(), Some(75), "{}", said(&output));
    assert_eq!(
        running.json(&["queue"])["items"].as_array().unwrap().len(),
        0
    );
}

#[test]
fn the_seat_of_a_run_that_was_killed_comes_free_with_its_ttl() {
    let folder = Folder::new();
    let (running, anna, _) = one_seat(&folder);
    let child = run(&running, ("anna", &anna), &["--ttl", "6s"])
        .args(["--", "sleep", "60"])
        .spawn()
        .unwrap();
    wait_for("anna's seat", || (in_use(&running) == 1).then_some(()));
    let command = crate::support::child(child.id());
    let begun = Instant::now();
    signal(child.id(), Signal::SIGKILL);
    signal(command, Signal::SIGKILL);
    finish(child);
    wait_for("the end of the lease", || {
        (in_use(&running) == 0).then_some(())
    });
    assert!(
        begun.elapsed() > Duration::from_millis(900),
        "it ended before its ttl"
    );
}

#[test]
fn a_lease_lives_on_through_a_crash_of_the_server() {
    let folder = Folder::new();
    let (running, anna, _) = one_seat(&folder);
    let go = folder.path("go");
    let script = until(&go, 0);
    let words = ["--ttl", "6s", "--", "sh", "-c", &script];
    let child = run(&running, ("anna", &anna), &words).spawn().unwrap();
    wait_for("anna's seat", || (in_use(&running) == 1).then_some(()));
    let lease = running.json(&["leases"])["items"][0].clone();
    let server = running.role("server").unwrap();
    signal(server, Signal::SIGKILL);
    // Longer than the ttl: without renewals it would have ended.
    let until = Instant::now() + Duration::from_secs(8);
    wait_for("the time to pass", || {
        (Instant::now() > until).then_some(())
    });
    let now = running.json(&["leases"])["items"][0].clone();
    assert_eq!(now["id"], lease["id"]);
    std::fs::write(&go, "").unwrap();
    assert_eq!(finish(child).status.code(), Some(0));
    assert_eq!(in_use(&running), 0);
}

#[test]
fn who_waits_keeps_the_place_through_a_crash_of_the_server() {
    let folder = Folder::new();
    let (running, _, bert) = one_seat(&folder);
    let lease = running.ok(&["checkout", "tool", "--user", "anna", "--ttl", "5m"]);
    let words = ["--wait", "--", "echo", "mine"];
    let child = run(&running, ("bert", &bert), &words).spawn().unwrap();
    let place = || running.usher(&["queue", "--json"]).ended();
    let ticket = |output: &std::process::Output| {
        let queue: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        queue["items"][0]["id"].as_str().map(str::to_owned)
    };
    let before = wait_for("bert's place", || ticket(&place()));
    let server = running.role("server").unwrap();
    signal(server, Signal::SIGKILL);
    wait_for("another server", || {
        running.role("server").filter(|pid| *pid != server)
    });
    let after = wait_for("bert's place", || ticket(&place()));
    assert_eq!(after, before);
    running.ok(&["checkin", lease.trim()]);
    assert_eq!(stdout(&finish(child)), "mine\n");
}

#[test]
fn a_command_is_recognised_by_the_rules_of_a_product() {
    let folder = Folder::new();
    let (running, _, _) = one_seat(&folder);
    let output = running.usher(&["run", "--", "sleep", "0"]).ended();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        running.json(&["usage", "--product", "tool"])["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let (code, why) = running.fails(&["run", "--", "true"]);
    assert_eq!(code, 2);
    assert!(why.contains("no product's rules match"), "{why}");
}

#[test]
fn another_users_lease_does_not_exist_to_a_client() {
    let folder = Folder::new();
    let (running, anna, bert) = one_seat(&folder);
    let lease = running.ok(&["checkout", "tool", "--user", "anna", "--token", &anna]);
    let lease = lease.trim();
    assert_eq!(running.fails(&["renew", lease, "--token", &bert]).0, 1);
    running.ok(&["renew", lease, "--token", &anna]);
    assert_eq!(in_use(&running), 1);
    running.ok(&["checkin", lease, "--token", &anna]);
    running.ok(&["checkin", lease, "--token", &anna]);
    assert_eq!(in_use(&running), 0);
}

#[test]
fn a_lease_that_is_none_is_not_joined() {
    let folder = Folder::new();
    let (running, anna, bert) = one_seat(&folder);
    let lease = running.ok(&["checkout", "tool", "--user", "anna", "--token", &anna]);
    let joins = |lease: &str, token: &str| {
        let args = [
            "run", "--lease", lease, "--token", token, "--", "echo", "in",
        ];
        running.usher(&args).ended()
    };
    let held = joins(lease.trim(), &anna);
    assert_eq!(stdout(&held), "in\n", "{}", said(&held));
    for (lease, token) in [("L0-1", &anna), (lease.trim(), &bert)] {
        let output = joins(lease, token);
        assert_eq!(output.status.code(), Some(77), "{}", said(&output));
        assert_eq!(stdout(&output), "");
    }
    running.ok(&["checkin", lease.trim(), "--token", &anna]);
    assert_eq!(joins(lease.trim(), &anna).status.code(), Some(77));
}

#[test]
fn who_says_no_ttl_gets_and_waits_for_a_seat_of_a_product_that_allows_only_a_short_one() {
    let folder = Folder::new();
    let (running, anna, bert) = one_seat(&folder);
    running.ok(&["product", "edit", "tool", "--max-ttl", "3s"]);
    let run = |token: &str, more: &[&str], words: &[&str]| {
        let run = ["run", "--product", "tool", "--token", token];
        running
            .usher(&[&run[..], more, &["--"], words].concat())
            .spawn()
            .unwrap()
    };
    let first = run(&anna, &["--user", "anna"], &["sleep", "60"]);
    let leases = wait_for("anna's seat", || {
        let leases = running.json(&["leases"])["items"].clone();
        (leases[0]["user"] == "anna").then_some(leases)
    });
    assert!(leases[0]["ttl_seconds"].as_u64().unwrap() <= 3, "{leases}");
    let second = run(&bert, &["--user", "bert", "--wait"], &["true"]);
    wait_for("bert in the queue", || {
        let queue = running.json(&["queue"]);
        (queue["items"][0]["user"] == "bert").then_some(())
    });
    signal(first.id(), Signal::SIGTERM);
    finish(first);
    assert!(finish(second).status.success());
    // What is said is held to.
    let long = ["checkout", "tool", "--user", "anna", "--ttl", "5m"];
    let (_, why) = running.fails(&long);
    assert!(why.contains("allows at most 3"), "{why}");
}

/// One that is stopped takes connections and answers none.
#[test]
fn a_server_that_hangs_is_waited_for_no_longer_than_was_asked() {
    let folder = Folder::new();
    let (running, anna, _) = one_seat(&folder);
    let server = running.role("server").unwrap();
    signal(server, Signal::SIGSTOP);
    let mut command = run(&running, ("anna", &anna), &["--wait=1s", "--", "true"]);
    let ended = finish_within(command.spawn().unwrap(), Duration::from_secs(30));
    signal(server, Signal::SIGCONT);
    assert_eq!(ended.status.code(), Some(75), "{}", said(&ended));
}

#[test]
fn who_waits_waits_through_a_pause_and_no_longer_than_was_asked() {
    let folder = Folder::new();
    let (running, anna, _) = one_seat(&folder);
    running.ok(&["service", "pause", "server"]);
    wait_for("the pause", || {
        let state = running.json(&["status"])["server"]["state"].clone();
        (state == "paused").then_some(())
    });
    let wait = |how_long: &str| {
        let words = [how_long, "--", "echo", "ran"];
        run(&running, ("anna", &anna), &words).spawn().unwrap()
    };
    let in_vain = finish(wait("--wait=1s"));
    assert_eq!(in_vain.status.code(), Some(75), "{}", said(&in_vain));
    assert_eq!(stdout(&in_vain), "");
    let waits = wait("--wait=1m");
    running.ok(&["service", "continue", "server"]);
    let ended = finish(waits);
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert_eq!(stdout(&ended), "ran\n");
}
