//! Waiting for a seat on days on which no server answers, or none grants.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::fake::Fake;
use crate::support::{Ended, Folder, finish, signal, stderr, stdout, usher, wait_for};

fn waits(folder: &Folder, url: &str, wait: &str) -> Child {
    usher(folder)
        .args(["run", "--server", url, "--product", "tool", wait])
        .args(["--", "echo", "runs"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn who_waits_waits_for_a_server_that_is_away_until_it_answers() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.away = true);
    let child = waits(&folder, &fake.url, "--wait");
    wait_for("two askings", || {
        fake.with(|world| (world.count("POST /v1/checkouts") >= 2).then_some(()))
    });
    fake.with(|world| world.away = false);
    let output = finish(child);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), "runs\n".into())
    );
    insta::assert_snapshot!(stderr(&output), @r"
    usher: waiting: the reason is stopping
    usher: the server answers again
    ");
}

#[test]
fn who_waited_for_a_server_in_vain_is_told_so_and_may_try_again_later() {
    let folder = Folder::new();
    // A port that nobody has, as it is held by a socket that does not listen.
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    let output = finish(waits(&folder, &url, "--wait=1s"));
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.starts_with("usher: waiting: cannot reach"), "{said}");
    assert_eq!(said.matches("usher: waiting").count(), 1, "{said}");
    assert!(said.contains("usher: no server answered within"), "{said}");
    // Who does not wait is told at once.
    let mut checkout = usher(&folder);
    let output = checkout
        .args(["checkout", "tool", "--server", &url])
        .ended();
    assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
}

#[test]
fn who_waited_while_the_server_was_paused_is_told_of_the_pause() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.trouble = (1_000, "service_paused"));
    let output = finish(waits(&folder, &fake.url, "--wait=1s"));
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("usher: no seat was granted within"), "{said}");
    assert!(said.contains("service_paused"), "{said}");
    assert!(!said.contains("came free"), "{said}");
}

#[test]
fn who_is_in_the_queue_keeps_the_place_while_the_server_is_away() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("others".into()));
    let child = waits(&folder, &fake.url, "--wait");
    wait_for("a place in the queue", || {
        fake.with(|world| world.queue.front().cloned())
    });
    fake.with(|world| world.away = true);
    wait_for("some looks in vain", || {
        fake.with(|world| (world.count("GET /v1/tickets/") >= 7).then_some(()))
    });
    fake.with(|world| world.away = false);
    fake.free();
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("usher: waiting: "), "{said}");
    assert!(said.contains("usher: the server answers again"), "{said}");
    assert_eq!(fake.with(|world| world.count("POST /v1/checkouts")), 1);
}

#[test]
fn a_signal_that_ends_the_wait_has_it_said_that_nothing_was_started() {
    let folder = Folder::new();
    let fake = Fake::server(0);
    let child = waits(&folder, &fake.url, "--wait");
    wait_for("a place in the queue", || {
        fake.with(|world| world.queue.front().cloned())
    });
    signal(child.id(), Signal::SIGTERM);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(128 + 15));
    let said = stderr(&output);
    assert!(
        said.ends_with("usher: told to end before there was a seat; echo was not started\n"),
        "{said}"
    );
}

#[test]
fn who_is_in_the_queue_when_the_server_is_paused_is_told_so_and_what_the_wait_was_for_in_vain() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("others".into()));
    let paused = "usher: waiting: the service is paused and grants nothing\n";
    let polled = |more_than: usize| {
        wait_for("a poll", || {
            fake.with(|world| Some(world.polls).filter(|polls| *polls > more_than))
        })
    };
    // The poll that goes on is answered with it, and another follows.
    let is_told = |before: usize| {
        polled(before);
        let polls = fake.with(|world| {
            world.grants_nothing = true;
            world.polls
        });
        polled(polls);
    };
    let child = waits(&folder, &fake.url, "--wait=4s");
    is_told(0);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let said = stderr(&output);
    assert_eq!(said.matches(paused).count(), 1, "{said}");
    let in_vain = "usher: no seat was granted within 4 s: the service is paused";
    assert!(said.contains(in_vain), "{said}");
    // It is over before the wait is.
    let before = fake.with(|world| {
        world.grants_nothing = false;
        world.polls
    });
    let child = waits(&folder, &fake.url, "--wait");
    is_told(before);
    fake.with(|world| world.grants_nothing = false);
    fake.free();
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    let goes_on = "usher: the server grants seats again\n";
    assert!(said.contains(paused) && said.contains(goes_on), "{said}");
}

#[test]
fn a_wait_of_no_time_queues_nobody() {
    let folder = Folder::new();
    let fake = Fake::server(0);
    let output = finish(waits(&folder, &fake.url, "--wait=0"));
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.starts_with("usher: no seat is free, and --wait=0 waits for none"),
        "{said}"
    );
    assert_eq!(fake.with(|world| world.count("DELETE /v1/tickets/")), 0);
}

/// The same through the agent, which knows whether the product runs without a server.
fn waits_through(folder: &Folder, socket: &Path, wait: &str) -> Child {
    usher(folder)
        .args(["run", "--product", "tool", wait, "--agent-socket"])
        .arg(socket)
        .args(["--", "echo", "runs"])
        .spawn()
        .unwrap()
}

#[test]
fn a_product_that_may_run_without_a_server_does_whatever_way_the_server_is_away() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    let ran = |child: Child, said: &str| {
        let output = finish(child);
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(0), "runs\n".into()),
            "{}",
            stderr(&output)
        );
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        stderr(&output)
    };
    let silent = "no server answers; tool runs without a seat";
    // It hangs, and the wait is over before that is sure.
    fake.with(|world| world.hangs = true);
    let said = ran(waits_through(&folder, &socket, "--wait=3s"), silent);
    assert!(said.contains("no answer yet"), "{said}");
    // It is away from the beginning.
    fake.with(|world| (world.hangs, world.away) = (false, true));
    let away = "tool runs without a seat";
    ran(waits_through(&folder, &socket, "--wait"), away);
    // It goes while somebody is in the queue.
    fake.with(|world| {
        world.away = false;
        world.leases.push("others".into());
    });
    let child = waits_through(&folder, &socket, "--wait=4s");
    wait_for("a place in the queue", || {
        fake.with(|world| world.queue.front().cloned())
    });
    fake.with(|world| world.away = true);
    let said = ran(child, silent);
    assert!(
        said.contains("tool runs without a seat if it has not answered for 20 s"),
        "{said}"
    );
    // It is paused: who waits does so for a seat, and runs when the time for that is over.
    fake.with(|world| {
        world.away = false;
        world.trouble = (1_000, "service_paused");
    });
    let said = ran(
        waits_through(&folder, &socket, "--wait=1s"),
        "no seat is granted now",
    );
    assert!(
        said.contains("usher: waiting: the reason is service_paused; tool runs"),
        "{said}"
    );
}

#[test]
fn who_waits_ends_without_a_seat_no_earlier_than_their_time_is_over() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    fake.with(|world| (world.hangs, world.on_unreachable) = (true, "refuse"));
    let begun = Instant::now();
    let output = finish(waits_through(&folder, &socket, "--wait=3s"));
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    assert!(begun.elapsed() >= Duration::from_secs(3));
    let said = stderr(&output);
    assert!(said.contains("no server answered within 3 s"), "{said}");
}

#[test]
fn who_waits_for_nothing_is_not_held_up_by_a_server_that_hangs() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    fake.with(|world| world.hangs = true);
    for (policy, code) in [("refuse", 69), ("run", 0)] {
        fake.with(|world| world.on_unreachable = policy);
        let begun = Instant::now();
        let output = finish(waits_through(&folder, &socket, "--wait=0"));
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        // Who does not wait is held up for 20 seconds.
        assert!(begun.elapsed() < Duration::from_secs(18), "{policy}");
    }
}

#[test]
fn of_products_that_are_needed_together_each_has_to_run_without_a_server() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    fake.with(|world| {
        world.away = true;
        world.refuses = "strict";
    });
    let run = |also: &[&str], wait: &[&str]| {
        let output = usher(&folder)
            .args(["run", "--product", "tool"])
            .args(also)
            .args(wait)
            .arg("--agent-socket")
            .arg(&socket)
            .args(["--", "echo", "runs"])
            .ended();
        (output.status.code(), stdout(&output), stderr(&output))
    };
    let (code, ran, said) = run(&["--also", "strict"], &[]);
    assert_eq!((code, &*ran), (Some(75), ""), "{said}");
    assert!(said.contains("echo was not started"), "{said}");
    // Waiting helps, and is told how.
    assert!(
        said.contains("To wait for the server: usher run --product tool --also strict=1"),
        "{said}"
    );
    let (code, ran, said) = run(&["--also", "lenient", "--also", "strict=2"], &["--wait=1s"]);
    assert_eq!((code, &*ran), (Some(75), ""), "{said}");
    let (code, ran, said) = run(&["--also", "lenient"], &[]);
    assert_eq!((code, &*ran), (Some(0), "runs\n"), "{said}");
    assert!(
        said.contains("tool runs without a seat, as its policy and that of lenient allow"),
        "{said}"
    );
}

#[test]
fn who_waits_is_told_when_a_pause_is_over() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.trouble = (1, "service_paused"));
    let output = finish(waits(&folder, &fake.url, "--wait"));
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), "runs\n".into())
    );
    insta::assert_snapshot!(stderr(&output), @r"
    usher: waiting: the reason is service_paused
    usher: the server grants seats again
    ");
}

#[test]
fn who_waits_waits_for_an_agent_that_restarts() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let mut child = waits_through(&folder, &socket, "--wait");
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    assert_eq!(
        first,
        format!(
            "usher: waiting: no Usher agent answers at {}\n",
            socket.display()
        )
    );
    let _agent = Fake::agent(1, &socket);
    let output = finish(child);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), "runs\n".into())
    );
    let mut second = String::new();
    said.read_line(&mut second).unwrap();
    assert_eq!(second, "usher: the agent answers again\n");
    // For no longer than they wait.
    let output = finish(waits_through(
        &folder,
        &folder.path("none.sock"),
        "--wait=1s",
    ));
    assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("no Usher agent answers"), "{said}");
    assert!(said.contains("echo was not started"), "{said}");
}
