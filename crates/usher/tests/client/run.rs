//! `usher run` and `usher checkout`.

use crate::fake::Fake;
use crate::support::{Ended, Folder, finish, stderr, stdout, usher, wait_for};

#[test]
fn the_command_runs_on_a_seat_that_is_given_back_and_its_exit_code_is_passed_on() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let run = |script: &str| {
        let output = usher(&folder)
            .args([
                "run",
                "--server",
                &fake.url,
                "--product",
                "tool",
                "--",
                "sh",
                "-c",
                script,
            ])
            .ended();
        (output.status.code(), stdout(&output))
    };
    assert_eq!(
        run("echo \"on $USHER_LEASE\"; exit 7"),
        (Some(7), "on l-1\n".into())
    );
    assert_eq!(run("kill -TERM $$"), (Some(128 + 15), String::new()));
    assert_eq!(
        fake.with(|world| (world.leases.len(), world.count("DELETE /v1/leases/"))),
        (0, 2)
    );
}

#[test]
fn a_refusal_says_why_and_nothing_is_started() {
    let folder = Folder::new();
    let fake = Fake::server(0);
    let file = folder.path("started");
    let output = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--",
            "touch",
        ])
        .arg(&file)
        .ended();
    assert_eq!(output.status.code(), Some(77));
    let started = file.display().to_string();
    insta::assert_snapshot!(stderr(&output).replace(&started, "FILE"), @r"
    usher: the only seat of tool is in use: wait for one with --wait; touch was not started
      To wait for a seat: usher run --product tool --wait -- touch FILE
      For an administrator: `usher why d-3` tells how the seats were held, and what would help.
    ");
    assert!(!file.exists());
}

#[test]
fn a_command_that_cannot_be_started_takes_no_seat() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    for (command, code) in [
        ("no-such-command", 127),
        ("/no/such/command", 127),
        ("/etc/passwd", 126),
    ] {
        let output = usher(&folder)
            .args([
                "run",
                "--server",
                &fake.url,
                "--product",
                "tool",
                "--",
                command,
            ])
            .ended();
        assert_eq!(output.status.code(), Some(code), "{command}");
        let said = stderr(&output);
        assert!(
            said.contains(&format!("{command} was not started")),
            "{said}"
        );
    }
    // Nor does one of a line that is wrong, which says so, too.
    let output = usher(&folder)
        .args(["run", "--seats", "0", "--", "true"])
        .ended();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("usher: --seats is 0; true was not started\n"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fake.with(|world| world.asked.clone()), Vec::<String>::new());
}

#[test]
fn a_file_that_the_system_cannot_start_gives_its_seat_back() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let file = folder.path("broken");
    std::fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = usher(&folder)
        .args(["run", "--server", &fake.url, "--product", "tool", "--"])
        .arg(&file)
        .ended();
    assert_eq!(output.status.code(), Some(127));
    assert_eq!(fake.with(|world| world.leases.len()), 0);
}

#[test]
fn who_waits_gets_the_seat_when_it_comes_free() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("others".into()));
    let child = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--wait",
            "--",
            "echo",
            "at last",
        ])
        .spawn()
        .unwrap();
    wait_for("a place in the queue", || {
        fake.with(|world| world.queue.front().cloned())
    });
    fake.free();
    let output = finish(child);
    assert_eq!(stdout(&output), "at last\n");
    assert_eq!(
        stderr(&output),
        "usher: waiting for a seat of tool, place 1 in the queue, expected wait 1 min 30 s\n"
    );
    assert_eq!(fake.with(|world| world.leases.len()), 0);
}

#[test]
fn who_has_waited_as_long_as_asked_leaves_the_queue() {
    let folder = Folder::new();
    let fake = Fake::server(0);
    let output = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--wait=1s",
            "--",
            "true",
        ])
        .ended();
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no seat came free within 1 s; true was not started\n"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        fake.with(|world| (world.queue.len(), world.count("DELETE /v1/tickets/"))),
        (0, 1)
    );
}

#[test]
fn a_seat_is_renewed_while_the_command_runs_and_asked_for_anew_where_it_was_lost() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let end = folder.path("end");
    let script = format!("while [ ! -e {} ]; do sleep 0.02; done", end.display());
    let child = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--ttl",
            "1s",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .spawn()
        .unwrap();
    wait_for("renewals", || {
        fake.with(|world| (world.count("POST /v1/leases/l-1/renew") >= 2).then_some(()))
    });
    fake.with(|world| world.forget = true);
    wait_for("another seat", || {
        fake.with(|world| (world.count("POST /v1/leases/l-2/renew") >= 1).then_some(()))
    });
    std::fs::write(&end, "").unwrap();
    assert_eq!(finish(child).status.code(), Some(0));
    assert_eq!(fake.with(|world| world.count("DELETE /v1/leases/l-2")), 1);
}

#[test]
fn a_lost_seat_ends_the_command_only_where_the_product_says_so() {
    let folder = Folder::new();
    for (policy, code) in [("end", 128 + 15), ("run", 0)] {
        let fake = Fake::server(1);
        fake.with(|world| world.on_lost_lease = policy);
        let end = folder.path(policy);
        let script = format!("while [ ! -e {} ]; do sleep 0.02; done", end.display());
        let child = usher(&folder)
            .args([
                "run",
                "--server",
                &fake.url,
                "--product",
                "tool",
                "--ttl",
                "1s",
                "--",
                "sh",
                "-c",
                &script,
            ])
            .spawn()
            .unwrap();
        wait_for("the seat", || {
            fake.with(|world| world.leases.first().cloned())
        });
        fake.with(|world| {
            world.forget = true;
            world.seats = 0;
        });
        wait_for("the second asking", || {
            fake.with(|world| (world.count("POST /v1/checkouts") == 2).then_some(()))
        });
        if policy == "run" {
            std::fs::write(&end, "").unwrap();
        }
        let output = finish(child);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{policy}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_request_whose_outcome_is_not_known_is_repeated_under_its_key() {
    let folder = Folder::new();
    for code in ["outcome_unknown", "busy"] {
        let fake = Fake::server(1);
        fake.with(|world| world.trouble = (2, code));
        let output = usher(&folder)
            .args(["checkout", "tool", "--server", &fake.url])
            .ended();
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(0), "l-1\n".into())
        );
        let asked = fake.with(|world| world.asked.clone());
        assert_eq!(asked.len(), 3);
        assert!(
            asked
                .iter()
                .all(|ask| *ask == asked[0] && !ask.contains(" none ")),
            "{asked:?}"
        );
    }
}

#[test]
fn through_the_agent_no_token_is_needed_and_the_cover_stands_before_the_command_starts() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    let started = folder.path("started");
    let tool = folder.path("tool");
    std::fs::write(
        &tool,
        format!("#!/bin/sh\ntouch {}\necho hello\n", started.display()),
    )
    .unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fake.with(|world| world.not_yet = Some(started.clone()));
    // No product is named: the agent recognises the file.
    let output = usher(&folder)
        .args(["run", "--agent-socket"])
        .arg(&socket)
        .arg("--")
        .arg(&tool)
        .ended();
    assert_eq!(stdout(&output), "hello\n", "{}", stderr(&output));
    fake.with(|world| {
        assert_eq!(
            (world.count("POST /v1/covers"), world.count("late POST")),
            (1, 0),
            "{:?}",
            world.asked
        );
        assert_eq!(
            (world.leases.len(), world.count("DELETE /v1/leases/l-1")),
            (0, 1)
        );
    });
    let output = usher(&folder)
        .args(["run", "--agent-socket"])
        .arg(&socket)
        .args(["--", "true"])
        .ended();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no product's rules match"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_seat_that_cannot_be_given_back_is_said_to_come_free_as_it_does() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let agent = Fake::agent(1, &socket);
    agent.with(|world| world.keeps = true);
    let output = usher(&folder)
        .args(["run", "--product", "tool", "--agent-socket"])
        .arg(&socket)
        .args(["--", "true"])
        .ended();
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(stderr(&output), @"usher: the seat could not be given back now, as no server answers; the agent of this computer gives it back as soon as one does");
    // Without an agent nobody knows later that it is to go back.
    let server = Fake::server(1);
    server.with(|world| world.keeps = true);
    let output = usher(&folder)
        .args(["run", "--product", "tool", "--server", &server.url])
        .args(["--", "true"])
        .ended();
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(stderr(&output), @"usher: the seat could not be given back now, as no server answers; it comes free by itself within 1 s");
}
