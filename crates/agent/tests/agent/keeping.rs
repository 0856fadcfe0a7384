//! Seats that are kept for a start, and places that are waited in for one, through the local socket.

use serde_json::{Value, json};

use crate::socket::{ask_as, can_ask};
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
