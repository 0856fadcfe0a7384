//! Many at once: storms of starts, a fork bomb of bounded size.

use std::process::Command;

use crate::support::*;

#[test]
fn two_thousand_starts_in_a_storm_are_counted_and_a_miss_is_said() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("storm")));
    let script = format!(
        "i=0; while [ $i -lt 500 ]; do {p} 0.005 & {p} 0.005 & {p} 0.005 & {p} 0.005; i=$((i+1)); done; wait",
        p = program.display()
    );
    run(Command::new("/bin/sh").args(["-c", &script]));
    // On a computer that has far more to do than it can, some may be gone before the look.
    wait_for("2,000 starts, or a word on each of the rest", || {
        let starts = server.book().starts(&own("storm"));
        (starts == 2000 || accounts_for(&agent, 2000 - starts)).then_some(())
    });
}

#[test]
fn a_fork_bomb_of_one_product_is_one_session_that_ends() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join(own("bomb"));
    // Each level doubles: 2,047 shells, none of which execs.
    std::fs::write(
        &script,
        "#!/bin/sh\nbomb() { if [ $1 -gt 0 ]; then ( bomb $(($1-1)) ) & ( bomb $(($1-1)) ) & wait; fi; }\nbomb 10\n",
    )
    .unwrap();
    make_executable(&script);
    let server = Server::with(&[("app", 9, &[&*named("bomb")])]);
    let agent = Agent::start(&server, folder.path());
    run(&mut Command::new(&script));
    server.finished("app", 1);
    server.seated(0);
    assert_eq!(server.book().finished("app").len(), 1);
    wait_for("no session", || {
        (agent.status().sessions == 0).then_some(())
    });
}

#[test]
fn a_storm_of_a_product_by_one_user_ends_in_as_many_sessions_as_were_apart() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 9, &[&*named("many")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("many")));
    // One that lasts, and hundreds beside it: one session.
    let lasting = Running::lasting(&program);
    server.seated(1);
    let script = format!(
        "i=0; while [ $i -lt 300 ]; do {p} 0.002 & {p} 0.002; i=$((i+1)); done; wait",
        p = program.display()
    );
    run(Command::new("/bin/sh").args(["-c", &script]));
    assert_eq!(agent.status().sessions, 1);
    lasting.end();
    server.finished("app", 1);
    server.seated(0);
    assert_eq!(server.book().finished("app").len(), 1);
    assert_eq!(server.book().count("checkout"), 1);
}
