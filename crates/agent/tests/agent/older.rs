//! A server of an older version, as after `usher upgrade --back`, is told all that it understands.

use crate::support::*;

#[test]
fn a_server_that_does_not_know_a_field_loses_no_record_for_it_and_is_told_it_once_it_does() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("older")])]);
    let later = [
        "unseated_ms",
        "duration_ms",
        "run_seconds",
        "package",
        "desktop_name",
    ];
    server.book().knows_not = later.to_vec();
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("older")));
    let others = sleeper(&folder.path().join(own("of-no-product")));
    let started = |count| {
        Running::lasting(&program).end();
        run(std::process::Command::new(&others).arg("1.1"));
        server.finished("app", count)
    };
    for count in 1..=2 {
        let session = started(count).pop().unwrap();
        assert!(session["duration_seconds"].is_u64(), "{session}");
        assert!(session.get("duration_ms").is_none(), "{session}");
    }
    wait_for("the starts of what is no product's", || {
        (server.book().starts(&own("of-no-product")) == 2).then_some(())
    });
    let refused = server.book().not_known;
    assert!((1..=later.len()).contains(&refused), "{refused} in vain");
    // The agent lets go of a record once it has read the answer, later than the server has booked it.
    wait_for("nothing to be left", || {
        (agent.status().outbox == 0).then_some(())
    });
    // It goes away, and comes back as a newer one.
    server.book().away = true;
    wait_for("the agent to notice", || {
        (!agent.status().connected).then_some(())
    });
    server.book().knows_not.clear();
    server.book().away = false;
    wait_for("the agent to be connected", || {
        agent.status().connected.then_some(())
    });
    let session = started(3).pop().unwrap();
    assert!(session["duration_ms"].is_u64(), "{session}");
}
