//! Checkouts, renewals, checkins.

use serde_json::json;

use crate::common::{Server, asking};

#[tokio::test]
async fn a_seat_is_granted_renewed_and_given_back_twice() {
    let server = Server::start();
    server.product("cad", 2).await;
    let granted = server
        .call(
            "POST",
            "/v1/checkouts",
            Some(json!({
                "product": "cad", "user": "ann", "computer": "pc1", "seats": 2,
                "ttl_seconds": 60, "program": { "name": "cad.bin", "version": "2.1" },
            })),
        )
        .await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    assert_eq!(granted.header("content-type"), "application/json");
    assert_eq!(granted.header("idempotency-replayed"), "");
    assert_eq!(granted.body["decision"], "granted");
    let lease = &granted.body["lease"];
    assert_eq!(
        (&lease["product"], &lease["user"], &lease["computer"]),
        (&json!("cad"), &json!("ann"), &json!("pc1"))
    );
    assert_eq!(
        (&lease["seats"], &lease["ttl_seconds"]),
        (&json!(2), &json!(60))
    );
    let instant = |field: &str| {
        let text = lease[field].as_str().unwrap();
        text.parse::<usher_api::Timestamp>().unwrap()
    };
    let life = instant("expires_at").as_millisecond() - instant("granted_at").as_millisecond();
    assert_eq!(life, 60_000);

    let id = lease["id"].as_str().unwrap();
    let path = format!("/v1/leases/{id}/renew");
    let renewed = server.call("POST", &path, None).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    assert_eq!(renewed.body["id"], lease["id"]);
    assert_eq!(renewed.body["user"], "ann");
    assert_eq!(renewed.body["ttl_seconds"], 60);

    let listed = server.get("/v1/leases?product=cad").await;
    assert_eq!(listed["items"][0]["id"], lease["id"]);
    assert!(
        listed["items"][0]["allotments"][0]
            .as_str()
            .unwrap()
            .starts_with('A')
    );
    assert_eq!(server.get("/v1/leases?user=bob").await["items"], json!([]));
    assert_eq!(
        server.get("/v1/leases?computer=pc1").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    for _ in 0..2 {
        let back = server
            .call("DELETE", &format!("/v1/leases/{id}"), None)
            .await;
        assert_eq!(back.status, 204);
    }
    let gone = server.call("POST", &path, None).await;
    assert_eq!((gone.status, gone.code()), (404, "unknown_lease"));
    assert_eq!(server.get("/v1/leases").await["items"], json!([]));
}

#[tokio::test]
async fn a_lease_that_never_was_cannot_be_given_back() {
    let server = Server::start();
    server.product("cad", 1).await;
    let real = server.lease("cad", "ann").await;
    let (incarnation, number) = real.split_once('-').unwrap();
    let other_life = format!("L{:08x}-{number}", 1);
    let later = format!("{incarnation}-999999");
    for id in [
        other_life.as_str(),
        later.as_str(),
        "L",
        "nonsense",
        "%00",
        "..%2f",
    ] {
        let reply = server
            .call("DELETE", &format!("/v1/leases/{id}"), None)
            .await;
        assert_eq!((reply.status, reply.code()), (404, "unknown_lease"), "{id}");
        let reply = server
            .call("POST", &format!("/v1/leases/{id}/renew"), None)
            .await;
        assert_eq!((reply.status, reply.code()), (404, "unknown_lease"), "{id}");
    }
}

#[tokio::test]
async fn a_refusal_says_why_and_what_to_do() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.product("none", 0).await;
    server.lease("cad", "ann").await;

    let denied = server.checkout("cad", "bob").await;
    assert_eq!((denied.status, denied.code()), (403, "denied"));
    assert_eq!(denied.body["decision"], "denied");
    assert_eq!(denied.body["reason"], "no_seat");
    assert!(
        denied.body["decision_id"]
            .as_str()
            .unwrap()
            .starts_with('D')
    );
    let detail = denied.body["detail"].as_str().unwrap();
    assert!(
        detail.contains("the only seat of cad is in use"),
        "{detail}"
    );

    let denied = server.checkout("none", "bob").await;
    assert_eq!(denied.body["reason"], "no_entitlement");

    let unknown = server.checkout("nothing", "bob").await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_product"));

    let body = json!({ "product": "cad", "seats": 1, "to": "2020-01-01" });
    let expired = server
        .call(
            "PUT",
            "/v1/products/none",
            Some(json!({ "id": "none", "enabled": false })),
        )
        .await;
    assert_eq!(expired.status, 200, "{}", expired.body);
    assert_eq!(
        server.checkout("none", "bob").await.body["reason"],
        "product_disabled"
    );
    server.product("old", 0).await;
    let mut body = body;
    body["product"] = json!("old");
    assert_eq!(
        server
            .call("POST", "/v1/entitlements", Some(body))
            .await
            .status,
        201
    );
    assert_eq!(
        server.checkout("old", "bob").await.body["reason"],
        "entitlement_expired"
    );
    let tomorrow = json!({ "product": "old", "seats": 1, "from": "9999-01-01" });
    let entered = server.call("POST", "/v1/entitlements", Some(tomorrow));
    assert_eq!(entered.await.status, 201);
    let denied = server.checkout("old", "eve").await;
    assert_eq!(denied.body["reason"], "not_yet_valid");
    let detail = denied.body["detail"].as_str().unwrap();
    assert!(detail.contains("not valid yet"), "{detail}");
}

#[tokio::test]
async fn a_ttl_over_the_products_maximum_is_refused() {
    let server = Server::start();
    let product = json!({ "id": "cad", "max_ttl_seconds": 100 });
    server.call("POST", "/v1/products", Some(product)).await;
    let body = json!({ "product": "cad", "seats": 1 });
    server.call("POST", "/v1/entitlements", Some(body)).await;
    let mut asked = asking("cad", "ann");
    asked["ttl_seconds"] = json!(101);
    let reply = server
        .call("POST", "/v1/checkouts", Some(asked.clone()))
        .await;
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
    asked["ttl_seconds"] = json!(100);
    let reply = server.call("POST", "/v1/checkouts", Some(asked)).await;
    assert_eq!(reply.status, 201);
}

#[tokio::test]
async fn what_was_granted_is_there_after_a_restart() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let (id, admin) = (
        server.get("/v1/status").await["server"]["id"].clone(),
        server.admin.clone(),
    );
    let server = Server::start_in(server.stop());
    assert_eq!(server.admin, admin, "the admin's token stays");
    assert_eq!(server.get("/v1/status").await["server"]["id"], id);
    assert_eq!(
        server.get("/v1/leases").await["items"][0]["id"],
        json!(lease)
    );
    let renewed = server
        .call("POST", &format!("/v1/leases/{lease}/renew"), None)
        .await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    assert_eq!(
        server.checkout("cad", "bob").await.body["reason"],
        "no_seat"
    );
}
