//! Seats that are kept for a start, and places that are waited in for one, through the local socket.

use serde_json::{Value, json};

use crate::socket::{ask_as, can_ask, request};
use crate::support::*;

#[test]
fn a_seat_that_is_kept_for_a_start_is_given_back_by_its_person_and_nobody_else() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 1, &["name=none-of-these"])]);
    let agent = Agent::start(&server, folder.path());
    let tell_me = "/v1/products/app/tell-me";
    assert_eq!(ask_as(1234, &agent, "POST", tell_me, None).0, 200);
    wait_for("a seat that is kept", || {
        let (_, told) = ask_as(1234, &agent, "POST", tell_me, None);
        (told["state"] == "granted").then_some(())
    });
    let checkin = |uid| ask_as(uid, &agent, "DELETE", "/v1/leases/R2", None);
    let (status, problem) = checkin(1235);
    assert_eq!((status, &problem["code"]), (404, &json!("unknown_lease")));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`usher leases`"), "{detail}");
    assert_eq!((checkin(1234).0, checkin(1234).0), (204, 204));
    wait_for("the seat to go back", || {
        let book = server.book();
        let deleted = |(method, path, _): &(String, String, Value)| {
            method == "DELETE" && path == "/v1/leases/R2"
        };
        book.requests.iter().any(deleted).then_some(())
    });
}

#[test]
fn a_place_that_is_of_a_process_is_left_when_that_is_killed() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 1, &["name=none-of-these"])]);
    server.book().holds_tickets = true;
    let agent = Agent::start(&server, folder.path());
    let left = || {
        let book = server.book();
        let deleted = |(method, path, _): &&(String, String, Value)| {
            method == "DELETE" && path.starts_with("/v1/tickets/")
        };
        book.requests.iter().filter(deleted).count()
    };
    // Who asks is `curl`, which ends with the answer.
    let bound = "/v1/products/app/tell-me?while_running=true";
    assert_eq!(ask_as(1234, &agent, "POST", bound, None).0, 200);
    wait_for("the place to be left", || (left() == 1).then_some(()));
    // A script that asked for it does not stand by.
    let asked = || {
        let book = server.book();
        let checkout = |(method, path, _): &&(String, String, Value)| {
            method == "POST" && path == "/v1/checkouts"
        };
        book.requests.iter().filter(checkout).count()
    };
    let tell_me = "/v1/products/app/tell-me";
    let (_, told) = ask_as(1234, &agent, "POST", tell_me, None);
    let place = told["ticket"].clone();
    assert!(place.is_string(), "{told}");
    assert_eq!(ask_as(1235, &agent, "POST", bound, None).0, 200);
    wait_for("the other's place to be left", || {
        (left() == 2).then_some(())
    });
    // Each that ended was looked for as often, and the script's place is the one that it had.
    let before = asked();
    let (_, told) = ask_as(1234, &agent, "POST", tell_me, None);
    assert_eq!((&told["ticket"], asked()), (&place, before), "{told}");
}

#[test]
fn what_is_left_or_given_back_while_no_server_takes_it_is_so_once_one_does() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 1, &["name=none-of-these"])]);
    server.book().holds_tickets = true;
    let agent = Agent::start(&server, folder.path());
    let mut waits = request("x");
    waits["wait"] = json!(true);
    for asked in [&waits, &request("x")] {
        let (_, answer) = ask_as(1234, &agent, "POST", "/v1/checkouts", Some(asked));
        assert!(answer["decision"].is_string(), "{answer}");
    }
    server.book().away = true;
    let gone = ["/v1/tickets/T1", "/v1/leases/R1"];
    for path in gone {
        let (status, problem) = ask_as(1234, &agent, "DELETE", path, None);
        let code = &problem["code"];
        assert_eq!(
            (status, code),
            (503, &json!("server_unreachable")),
            "{path}"
        );
    }
    assert!(server.book().given_back.is_empty());
    // Also by the agent's next run.
    agent.kill();
    let _agent = Agent::start(&server, folder.path());
    server.book().away = false;
    wait_for("both to be given back", || {
        let book = server.book();
        gone.iter()
            .all(|path| book.given_back.contains(*path))
            .then_some(())
    });
}

#[test]
fn a_seat_that_is_kept_is_one_as_the_server_says_and_else_is_waited_for() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 1, &["name=none-of-these"])]);
    let agent = Agent::start(&server, folder.path());
    let told = || ask_as(1234, &agent, "POST", "/v1/products/app/tell-me", None).1;
    wait_for("a seat that is kept", || {
        (told()["state"] == "granted").then_some(())
    });
    // Somebody else gives it back.
    server.book().ended.insert("R2".to_owned());
    server.book().holds_tickets = true;
    let waits = told();
    assert_eq!(waits["state"], "waiting", "{waits}");
    assert_eq!(waits["kept_seconds"], Value::Null);
}
