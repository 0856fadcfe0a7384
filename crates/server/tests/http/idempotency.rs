//! The same key with the same body gets the first answer again.

use serde_json::{Value, json};

use crate::common::{Reply, Server, asking, send};

async fn keyed(server: &Server, path: &str, key: &str, body: Value) -> Reply {
    let request = server
        .request("POST", path, &server.admin)
        .header("Idempotency-Key", key)
        .json(&body);
    send(request).await
}

#[tokio::test]
async fn a_repeated_checkout_takes_no_second_seat_even_after_a_restart() {
    let server = Server::start();
    server.product("cad", 2).await;
    let first = keyed(&server, "/v1/checkouts", "k1", asking("cad", "ann")).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = keyed(&server, "/v1/checkouts", "k1", asking("cad", "ann")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = keyed(&server, "/v1/checkouts", "k1", asking("cad", "bob")).await;
    assert_eq!((other.status, other.code()), (409, "idempotency_conflict"));

    let server = Server::start_in(server.stop());
    let again = keyed(&server, "/v1/checkouts", "k1", asking("cad", "ann")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(server.get("/v1/products/cad").await["in_use"], 1);
}

#[tokio::test]
async fn a_refusal_and_a_place_in_the_queue_are_repeated_too() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let denied = keyed(&server, "/v1/checkouts", "k1", asking("cad", "bob")).await;
    let mut waits = asking("cad", "bob");
    waits["wait"] = json!(true);
    let queued = keyed(&server, "/v1/checkouts", "k2", waits.clone()).await;
    assert_eq!((denied.status, queued.status), (403, 202));
    server
        .call("DELETE", &format!("/v1/leases/{lease}"), None)
        .await;
    let again = keyed(&server, "/v1/checkouts", "k1", asking("cad", "bob")).await;
    assert_eq!((again.status, &again.body), (403, &denied.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let again = keyed(&server, "/v1/checkouts", "k2", waits).await;
    assert_eq!((again.status, &again.body), (202, &queued.body));
    let unknown = keyed(&server, "/v1/checkouts", "k3", asking("nothing", "bob")).await;
    let again = keyed(&server, "/v1/checkouts", "k3", asking("nothing", "bob")).await;
    assert_eq!((unknown.status, again.status), (404, 404));
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn every_other_post_takes_a_key() {
    let server = Server::start();
    let product = json!({ "id": "cad" });
    let first = keyed(&server, "/v1/products", "p", product.clone()).await;
    let again = keyed(&server, "/v1/products", "p", product).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotency-replayed"), "true");

    let entitlement = json!({ "product": "cad", "seats": 3 });
    let first = keyed(&server, "/v1/entitlements", "e", entitlement.clone()).await;
    let again = keyed(&server, "/v1/entitlements", "e", entitlement).await;
    assert_eq!((again.status, &again.body["id"]), (201, &first.body["id"]));
    assert_eq!(server.get("/v1/products/cad").await["seats"], 3);

    let token = json!({ "role": "viewer" });
    let first = keyed(&server, "/v1/tokens", "t", token.clone()).await;
    let again = keyed(&server, "/v1/tokens", "t", token).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = keyed(&server, "/v1/tokens", "t", json!({ "role": "admin" })).await;
    assert_eq!((other.status, other.code()), (409, "idempotency_conflict"));

    let lease = server.lease("cad", "ann").await;
    let path = format!("/v1/leases/{lease}/renew");
    let first = keyed(&server, &path, "r", json!({})).await;
    let again = keyed(&server, &path, "r", json!({})).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", first.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_key_belongs_to_who_sent_it_and_to_its_route() {
    let server = Server::start();
    server.product("cad", 5).await;
    let operator = server.token(json!({ "role": "operator" })).await;
    let mine = keyed(&server, "/v1/checkouts", "k", asking("cad", "ann")).await;
    let theirs = server
        .request("POST", "/v1/checkouts", &operator)
        .header("Idempotency-Key", "k")
        .json(&asking("cad", "bob"));
    let theirs = send(theirs).await;
    assert_eq!((mine.status, theirs.status), (201, 201));
    let other_route = keyed(&server, "/v1/products", "k", json!({ "id": "x" })).await;
    assert_eq!(other_route.status, 201);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let server = Server::start();
    server.product("cad", 1).await;
    for wrong in ["", &"k".repeat(256), "k\u{e9}y"] {
        let reply = keyed(&server, "/v1/checkouts", wrong, asking("cad", "ann")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{wrong}"
        );
    }
    let longest = keyed(
        &server,
        "/v1/checkouts",
        &"k".repeat(255),
        asking("cad", "ann"),
    )
    .await;
    assert_eq!(longest.status, 201);
}
