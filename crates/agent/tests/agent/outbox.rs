//! Bad days: the server away, answers lost, the agent killed. Each session reaches the server
//! once.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use crate::support::*;

fn sessions_once(server: &Server, product: &str, count: usize) {
    let sessions = server.finished(product, count);
    let numbers: BTreeSet<u64> = sessions
        .iter()
        .map(|s| s["session"].as_u64().unwrap())
        .collect();
    assert_eq!(sessions.len(), count);
    assert_eq!(numbers.len(), count, "a session was told twice");
}

#[test]
fn what_happens_while_the_server_is_away_reaches_it_once_when_it_is_back() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("away")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("away")));
    server.book().away = true;
    for _ in 0..5 {
        run(Command::new(&program).arg("0.02"));
    }
    wait_for("five records in the outbox", || {
        (agent.status().outbox >= 5).then_some(())
    });
    assert!(
        !wait_for("the agent to notice", || Some(agent.status())
            .filter(|s| !s.connected))
        .connected
    );
    server.book().away = false;
    sessions_once(&server, "app", 5);
    wait_for("an empty outbox", || {
        (agent.status().outbox == 0).then_some(())
    });
    sessions_once(&server, "app", 5);
}

#[test]
fn starts_that_were_allowed_without_a_server_are_counted_and_told_when_it_is_back() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("unreached")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("unreached")));
    run(Command::new(&program).arg("0.02"));
    sessions_once(&server, "app", 1);
    server.book().away = true;
    wait_for("the agent to notice", || {
        (!agent.status().connected).then_some(())
    });
    for _ in 0..2 {
        run(Command::new(&program).arg("0.02"));
    }
    wait_for("both in the outbox", || {
        (agent.status().outbox >= 2).then_some(())
    });
    agent.kill();
    server.book().away = false;
    let _agent = Agent::start(&server, folder.path());
    sessions_once(&server, "app", 3);
    let book = server.book();
    let told = &book.computers.last().unwrap()["unreached"];
    assert_eq!(told["starts"], 2, "{told}");
    assert_eq!(told["products"], serde_json::json!(["app"]));
    assert_eq!(book.computers[0]["unreached"], serde_json::Value::Null);
}

#[test]
fn an_answer_that_is_lost_costs_nothing() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("lost")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("lost")));
    server.book().lose_answers = 2;
    run(Command::new(&program).arg("0.1"));
    wait_for("the lost answers", || {
        (server.book().lose_answers == 0).then_some(())
    });
    wait_for("an empty outbox", || {
        (agent.status().outbox == 0).then_some(())
    });
    sessions_once(&server, "app", 1);
}

#[test]
fn an_agent_that_is_killed_loses_no_session_and_doubles_none() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[
        ("app", 9, &[&*named("killed")]),
        ("gone", 9, &[&*named("gone")]),
    ]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("killed")));
    let other = sleeper(&folder.path().join(own("gone")));
    let running = Running::lasting(&program);
    let ends_unseen = Running::lasting(&other);
    server.seated(2);
    wait_for("both leases", || {
        (agent.status().leases.len() == 2).then_some(())
    });
    agent.kill();
    ends_unseen.end();
    // tidy: sleep, what the agent did not see must have ended a second before it came back
    std::thread::sleep(Duration::from_millis(1100));
    let agent = Agent::start(&server, folder.path());
    // What still runs goes on with the same session and lease.
    wait_for("its lease", || {
        (agent.status().leases.len() == 1).then_some(())
    });
    sessions_once(&server, "gone", 1);
    assert!(server.book().finished("app").is_empty());
    running.end();
    sessions_once(&server, "app", 1);
    let session = server.book().finished("app").remove(0);
    assert!(
        session["duration_seconds"].as_u64().unwrap() >= 1,
        "{session}"
    );
    assert_eq!(server.book().count("checkout"), 2);
    server.seated(0);
}

#[test]
fn an_agent_that_is_stopped_keeps_the_seats_and_goes_on_when_it_is_back() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("stopped")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("stopped")));
    let running = Running::lasting(&program);
    server.seated(1);
    let socket = agent.public_socket();
    agent.stop();
    assert!(!socket.exists());
    server.seated(1);
    let _agent = Agent::start(&server, folder.path());
    running.end();
    sessions_once(&server, "app", 1);
    server.seated(0);
}

#[test]
fn another_server_is_asked_for_all_seats_anew() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("other")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("other")));
    let _running = Running::lasting(&program);
    server.seated(1);
    {
        let mut book = server.book();
        book.id = "s2".to_owned();
        book.seated.clear();
    }
    agent.refresh();
    server.seated(1);
}

#[test]
fn a_short_lease_is_kept_alive_and_a_lost_one_is_asked_for_anew() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("renew")])]);
    server.book().ttl_seconds = 1;
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("renew")));
    let _running = Running::lasting(&program);
    server.seated(1);
    wait_for("renewals", || {
        (server.book().count("renew") >= 3).then_some(())
    });
    server.book().seated.clear();
    server.seated(1);
}

#[test]
fn a_cloned_disk_becomes_a_computer_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("machine-id");
    std::fs::write(&machine, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n").unwrap();
    let server = Server::with(&[]);
    let first = Agent::start(&server, folder.path()).status().computer;
    let again = Agent::start(&server, folder.path()).status().computer;
    assert_eq!(first, again);
    std::fs::write(&machine, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n").unwrap();
    let cloned = Agent::start(&server, folder.path()).status().computer;
    assert_ne!(first, cloned);
}

#[test]
fn a_second_agent_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[]);
    let _agent = Agent::start(&server, folder.path());
    let mut options =
        usher_agent::AgentOptions::new(folder.path().join("data"), server.url.clone());
    options.token = Some("t".to_owned());
    let error = usher_agent::run(options, |_| {}).unwrap_err().to_string();
    assert!(error.contains("another agent runs"), "{error}");
}
