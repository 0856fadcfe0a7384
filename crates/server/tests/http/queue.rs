//! Waiting for a seat: tickets, long polls, the queue.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{DEADLINE, Server, asking, until};

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
