//! Waiting for a seat: tickets, long polls, the queue.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{DEADLINE, Server, asking, until};

#[tokio::test]
async fn who_is_refused_is_told_of_others_who_wait_and_not_of_their_own_request() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    server.ticket("cad", "bob").await;
    let refused = async |user| {
        let refused = server.checkout("cad", user).await;
        refused.body["detail"].as_str().unwrap().to_owned()
    };
    let own = refused("bob").await;
    assert!(own.contains("in use") && !own.contains("already"), "{own}");
    let other = refused("eve").await;
    assert!(other.contains("1 other waits already"), "{other}");
    server.ticket("cad", "eve").await;
    let own = refused("bob").await;
    assert!(own.contains("1 other waits already"), "{own}");
}

#[tokio::test]
async fn a_queued_request_gets_the_seat_that_comes_free_while_it_is_polled() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let first = server.ticket("cad", "bob").await;
    let second = server.ticket("cad", "eve").await;

    let waiting = server.get(&format!("/v1/tickets/{second}")).await;
    assert_eq!(
        (&waiting["state"], &waiting["position"], &waiting["product"]),
        (&json!("waiting"), &json!(2), &json!("cad"))
    );
    assert!(waiting["expires_at"].is_string());
    let queue = server.get("/v1/queue?product=cad").await;
    let places: Vec<_> = queue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["user"].as_str().unwrap(),
                entry["position"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(places, [("bob", 1), ("eve", 2)]);

    let poll = {
        let request = server.request(
            "GET",
            &format!("/v1/tickets/{first}?wait_seconds=15"),
            &server.admin,
        );
        tokio::spawn(crate::common::send(request))
    };
    // A poll that waits keeps the place longer than one that does not.
    until("the poll to arrive", async || {
        let ticket = server.get(&format!("/v1/tickets/{first}")).await;
        let until: usher_api::Timestamp = ticket["expires_at"].as_str()?.parse().unwrap();
        let left = until.duration_since(usher_api::Timestamp::now()).as_secs();
        (left > 31).then_some(())
    })
    .await;
    let freed = Instant::now();
    let back = server
        .call("DELETE", &format!("/v1/leases/{lease}"), None)
        .await;
    assert_eq!(back.status, 204);
    let granted = poll.await.unwrap();
    // Long before the poll ends by itself.
    assert!(
        freed.elapsed() < Duration::from_secs(10),
        "{:?}",
        freed.elapsed()
    );
    assert_eq!(granted.body["state"], "granted", "{}", granted.body);
    assert_eq!(granted.body["lease"]["user"], "bob");
    let held = granted.body["lease"]["id"].as_str().unwrap();
    let renewed = server
        .call("POST", &format!("/v1/leases/{held}/renew"), None)
        .await;
    assert_eq!(renewed.status, 200);
    let next = server.get(&format!("/v1/tickets/{second}")).await;
    assert_eq!(next["position"], 1);
}

#[tokio::test]
async fn a_poll_that_nothing_happens_to_ends_when_it_said() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let ticket = server.ticket("cad", "bob").await;
    let began = Instant::now();
    let waited = server
        .get(&format!("/v1/tickets/{ticket}?wait_seconds=1"))
        .await;
    assert_eq!(waited["state"], "waiting");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(began.elapsed() < DEADLINE);
}

#[tokio::test]
async fn who_leaves_the_queue_is_cancelled_and_the_next_moves_up() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let first = server.ticket("cad", "bob").await;
    let second = server.ticket("cad", "eve").await;
    for _ in 0..2 {
        let left = server
            .call("DELETE", &format!("/v1/tickets/{first}"), None)
            .await;
        assert_eq!(left.status, 204);
    }
    assert_eq!(
        server.get(&format!("/v1/tickets/{first}")).await["state"],
        "cancelled"
    );
    assert_eq!(
        server.get(&format!("/v1/tickets/{second}")).await["position"],
        1
    );
    for wrong in ["T00000001-1", "nonsense"] {
        for method in ["GET", "DELETE"] {
            let reply = server
                .call(method, &format!("/v1/tickets/{wrong}"), None)
                .await;
            assert_eq!((reply.status, reply.code()), (404, "unknown_ticket"));
        }
    }
}

#[tokio::test]
async fn operators_may_rank_requests_and_clients_may_not() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    server.ticket("cad", "bob").await;
    let mut ranked = asking("cad", "eve");
    ranked["wait"] = json!(true);
    ranked["priority"] = json!(5);
    let reply = server
        .call("POST", "/v1/checkouts", Some(ranked.clone()))
        .await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.body["ticket"]["position"], 1);
    let client = server
        .token(json!({ "role": "client", "user": "eve" }))
        .await;
    let reply = server
        .call_as(&client, "POST", "/v1/checkouts", Some(ranked.clone()))
        .await;
    assert_eq!((reply.status, reply.code()), (403, "forbidden"));
    ranked["priority"] = json!(101);
    let reply = server.call("POST", "/v1/checkouts", Some(ranked)).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let server = Server::start();
    let product = json!({ "id": "cad", "queue_limit": 1 });
    server.call("POST", "/v1/products", Some(product)).await;
    let body = json!({ "product": "cad", "seats": 1 });
    server.call("POST", "/v1/entitlements", Some(body)).await;
    server.lease("cad", "ann").await;
    server.ticket("cad", "bob").await;
    let mut asked = asking("cad", "eve");
    asked["wait"] = json!(true);
    let reply = server.call("POST", "/v1/checkouts", Some(asked)).await;
    assert_eq!(
        (reply.status, reply.body["reason"].as_str().unwrap()),
        (403, "queue_full")
    );
}

#[tokio::test]
async fn who_waits_for_more_than_there_is_is_told_so_and_refused_in_words_that_they_know() {
    let server = Server::start();
    let product = json!({ "id": "cad", "impossible_seconds": 1 });
    let made = server.call("POST", "/v1/products", Some(product)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let owned = json!({ "product": "cad", "seats": 2 });
    let owned = server.call("POST", "/v1/entitlements", Some(owned)).await;
    let entitlement = owned.body["id"].as_str().unwrap();
    server.lease("cad", "ann").await;
    let wide =
        json!({ "product": "cad", "user": "bob", "computer": "pc1", "seats": 2, "wait": true });
    let wide = server.call("POST", "/v1/checkouts", Some(wide)).await;
    assert_eq!(wide.status, 202, "{}", wide.body);
    let ticket = format!(
        "/v1/tickets/{}",
        wide.body["ticket"]["id"].as_str().unwrap()
    );
    assert!(server.get(&ticket).await["passed_over"].is_null());

    let fewer = json!({ "product": "cad", "seats": 1 });
    let path = format!("/v1/entitlements/{entitlement}");
    let changed = server.call("PUT", &path, Some(fewer)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.header("x-request-id").len(), 16);
    // It may have been refused by now, on a computer that is busy.
    let seen = server.get(&ticket).await;
    if seen["state"] == "waiting" {
        let why = seen["passed_over"]["why"].as_str().unwrap();
        assert_eq!(
            why,
            "of cad fewer than 2 seats are owned now, in use or not, so others are served first"
        );
        assert!(seen["passed_over"]["denied_at"].is_string());
    }
    let denied = until("the refusal", async || {
        let seen = server.get(&ticket).await;
        (seen["state"] == "denied").then_some(seen)
    })
    .await;
    assert_eq!(denied["reason"], "impossible");
    let decision = denied["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{decision}")).await;
    assert_eq!(why["reason"], "impossible");

    // A build that does not know the word is told what it takes for the same.
    for (agent, state) in [
        ("usher/0.2.0", "cancelled"),
        ("usher/0.3.0", "denied"),
        ("curl/8.0", "denied"),
    ] {
        let request = server.request("GET", &ticket, &server.admin);
        let seen = crate::common::send(request.header("user-agent", agent)).await;
        assert_eq!(seen.body["state"], state, "{agent}");
    }
}
