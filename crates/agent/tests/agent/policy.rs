//! Which policies are enforced: those of a server that signs nothing, and those whose signature is
//! wrong. What is signed rightly is tried on the built program.

use usher_api::{EnforcementStatus, Mode};

use crate::support::*;

fn enforced(server: &Server) {
    let mut book = server.book();
    book.policy.version += 1;
    for product in &mut book.policy.products {
        product.mode = Mode::Enforce;
    }
}

fn enforcement(agent: &Agent) -> EnforcementStatus {
    agent.status().enforcement.unwrap()
}

/// Whether a report since the last look said that enforcement is off.
fn was_told(server: &Server) -> bool {
    let mut book = server.book();
    let told = book
        .computers
        .iter()
        .any(|c| !c["enforcement_off"].is_null());
    book.computers.clear();
    told
}

#[test]
fn a_server_that_signs_nothing_is_believed_while_the_agent_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("unsigned")])]);
    enforced(&server);
    let agent = Agent::start(&server, folder.path());
    assert!(enforcement(&agent).on);
    agent.stop();

    server.book().away = true;
    let agent = Agent::start(&server, folder.path());
    let state = enforcement(&agent);
    assert!(!state.on, "what is on disk is nobody's word");
    assert!(state.why_off.unwrap().contains("not signed"));
    server.book().away = false;
    wait_for("the policy to come again", || {
        enforcement(&agent).on.then_some(())
    });
    assert!(!was_told(&server), "such a server knows no such field");
}

#[test]
fn a_policy_whose_signature_is_wrong_refuses_nobody_and_the_server_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("forged")])]);
    // The first key of RFC 8032, section 7.1, which has signed nothing here.
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    server.book().signed = Some((key.to_owned(), "0".repeat(128)));
    let agent = Agent::start(&server, folder.path());
    assert!(
        enforcement(&agent).on,
        "a policy that refuses nobody needs no trust"
    );
    enforced(&server);
    agent.refresh();
    let state = enforcement(&agent);
    assert!(state.why_off.unwrap().contains("signature"), "{}", state.on);
    wait_for("the server to be told", || was_told(&server).then_some(()));
    agent.stop();
    let agent = Agent::start(&server, folder.path());
    assert!(!enforcement(&agent).on, "nor after a restart");
}
