//! Entitlements: what is owned, from when to when, and what people say of it.

use serde_json::{Value, json};

use crate::common::Server;

#[tokio::test]
async fn an_entitlement_has_a_name_of_its_own_a_price_and_what_people_say_of_it() {
    let server = Server::start();
    server.product("cad", 0).await;
    let said = json!({
        "name": "cad-2026", "price": { "amount": 1200.5, "currency": "EUR", "per": "year" },
        "contract": "A-4711", "cost_centre": "4200", "notice_days": 90, "note": "for the lab",
    });
    let with = |more: &Value| {
        let mut body = json!({ "product": "cad", "seats": 2 });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        body
    };
    let post = async |more: &Value| {
        server
            .call("POST", "/v1/entitlements", Some(with(more)))
            .await
    };
    let made = post(&said).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let is_said = |shown: &Value| {
        for (field, value) in said.as_object().unwrap() {
            assert_eq!(&shown[field], value, "{field}");
        }
    };
    is_said(&made.body);
    let path = format!("/v1/entitlements/{}", made.body["id"].as_str().unwrap());
    let put = async |more: &Value| server.call("PUT", &path, Some(with(more))).await;

    let twice = post(&said).await;
    assert_eq!((twice.status, twice.code()), (409, "name_taken"));
    // A program of the version before changes what it knows, and loses nothing.
    let kept = put(&json!({ "overdraft": 1 })).await;
    assert_eq!((kept.status, &kept.body["overdraft"]), (200, &json!(1)));
    is_said(&kept.body);
    is_said(&server.get("/v1/entitlements").await["items"][0]);

    let other = post(&json!({ "name": "cad-2027" })).await;
    assert_eq!(other.status, 201, "{}", other.body);
    let taken = put(&json!({ "name": "cad-2027" })).await;
    assert_eq!((taken.status, taken.code()), (409, "name_taken"));
    let renamed = put(&json!({ "name": "cad-2028", "price": null, "notice_days": 0 })).await;
    assert_eq!(renamed.body["name"], "cad-2028");
    assert_eq!(
        (&renamed.body["price"], &renamed.body["notice_days"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(renamed.body["contract"], "A-4711");
    for wrong in [
        json!({ "name": "E12" }),
        json!({ "name": " cad" }),
        json!({ "price": { "amount": -1, "currency": "EUR", "per": "year" } }),
        json!({ "price": { "amount": 1, "currency": "euro", "per": "year" } }),
        json!({ "price": { "amount": 1, "currency": "EUR", "per": "week" } }),
        json!({ "notice_days": 4000 }),
        json!({ "colour": "red" }),
    ] {
        let refused = put(&wrong).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid_request"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn an_entitlement_is_entered_shown_changed_and_removed() {
    let server = Server::start();
    server.product("cad", 0).await;
    let body = json!({
        "product": "cad", "seats": 2, "overdraft": 1, "from": "2020-01-01", "to": "2199-12-31",
    });
    let made = server.call("POST", "/v1/entitlements", Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, allotment) = (
        made.body["id"].as_str().unwrap(),
        made.body["allotment"].as_str().unwrap(),
    );
    assert!(id.starts_with('E') && allotment.starts_with('A'));
    let date = |value: &Value| {
        let date: usher_api::Timestamp = value.as_str().unwrap().parse().unwrap();
        date.to_string()
    };
    assert_eq!(date(&made.body["from"]), "2020-01-01T00:00:00Z");
    assert_eq!(
        date(&made.body["to"]),
        "2200-01-01T00:00:00Z",
        "to the last day's end"
    );
    assert_eq!(server.get("/v1/products/cad").await["seats"], 3);

    let lease = server.lease("cad", "ann").await;
    let shown = server.get(&format!("/v1/entitlements/{id}")).await;
    assert_eq!(
        (&shown["in_use"], &shown["metric"]),
        (&json!(1), &json!("concurrent"))
    );
    let listed = server.get("/v1/leases").await;
    assert_eq!(listed["items"][0]["allotments"], json!([allotment]));

    let path = format!("/v1/entitlements/{id}");
    let moved = json!({ "product": "none", "seats": 1 });
    assert_eq!(server.call("PUT", &path, Some(moved)).await.status, 400);
    let none = json!({ "product": "cad", "seats": 0 });
    let reply = server.call("PUT", &path, Some(none.clone())).await;
    assert_eq!((reply.status, &reply.body["seats"]), (200, &json!(0)));
    let still = server
        .call("POST", &format!("/v1/leases/{lease}/renew"), None)
        .await;
    assert_eq!(still.status, 200, "nobody is thrown out");

    assert_eq!(server.call("DELETE", &path, None).await.status, 204);
    for (method, body) in [("GET", None), ("DELETE", None), ("PUT", Some(none))] {
        let reply = server.call(method, &path, body).await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "unknown_entitlement"),
            "{method}"
        );
    }
    for wrong in ["E", "E01", "1", "E4294967296", "Ex"] {
        let reply = server
            .call("GET", &format!("/v1/entitlements/{wrong}"), None)
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "unknown_entitlement"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn an_entitlement_shrunk_below_its_use_throws_nobody_out_and_lets_nobody_in() {
    let server = Server::start();
    server.product("cad", 3).await;
    let id = server.get("/v1/entitlements").await["items"][0]["id"].clone();
    let path = format!("/v1/entitlements/{}", id.as_str().unwrap());
    let mut leases = Vec::new();
    for user in ["ann", "bob", "eve"] {
        leases.push(server.lease("cad", user).await);
    }
    let smaller = json!({ "product": "cad", "seats": 1 });
    assert_eq!(server.call("PUT", &path, Some(smaller)).await.status, 200);
    for lease in &leases {
        let renewed = server
            .call("POST", &format!("/v1/leases/{lease}/renew"), None)
            .await;
        assert_eq!(renewed.status, 200);
    }
    for lease in &leases[..2] {
        server
            .call("DELETE", &format!("/v1/leases/{lease}"), None)
            .await;
        assert_eq!(
            server.checkout("cad", "dan").await.body["reason"],
            "no_seat"
        );
    }
    server
        .call("DELETE", &format!("/v1/leases/{}", leases[2]), None)
        .await;
    assert_eq!(server.checkout("cad", "dan").await.status, 201);
}

#[tokio::test]
async fn an_entitlement_of_no_seats_is_entered_and_kept_and_lets_nobody_in() {
    let server = Server::start();
    let product = json!({ "id": "cad" });
    server.call("POST", "/v1/products", Some(product)).await;
    let none = json!({ "product": "cad", "seats": 0, "contract": "A-1" });
    let made = server.call("POST", "/v1/entitlements", Some(none)).await;
    assert_eq!(
        (made.status, &made.body["seats"]),
        (201, &json!(0)),
        "{}",
        made.body
    );
    assert_eq!(made.body["contract"], "A-1");
    assert_eq!(server.checkout("cad", "eve").await.status, 403);
    let path = format!("/v1/entitlements/{}", made.body["id"].as_str().unwrap());
    let one = json!({ "product": "cad", "seats": 1 });
    assert_eq!(server.call("PUT", &path, Some(one)).await.status, 200);
    assert_eq!(server.checkout("cad", "eve").await.status, 201);
}

#[tokio::test]
async fn a_day_of_validity_stays_a_day_in_its_zone_and_who_changed_it_is_kept() {
    let server = Server::start();
    server.product("cad", 1).await;
    let terms = json!({
        "product": "cad", "seats": 2, "from": "2026-03-29", "to": "2026-12-31",
        "time_zone": "Europe/Berlin",
    });
    let made = server
        .call("POST", "/v1/entitlements", Some(terms.clone()))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["from_day"], "2026-03-29");
    assert_eq!(made.body["to_day"], "2026-12-31");
    assert_eq!(made.body["time_zone"], "Europe/Berlin");
    assert_eq!(made.body["from"], "2026-03-28T23:00:00Z");
    assert_eq!(made.body["to"], "2026-12-31T23:00:00Z");
    let nowhere = json!({ "product": "cad", "seats": 2, "time_zone": "Europe/Nowhere" });
    let refused = server.call("POST", "/v1/entitlements", Some(nowhere)).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("Europe/Nowhere")
    );

    let request = made.header("x-request-id").to_owned();
    let data = server.stop();
    let file = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    let (kind, what): (String, String) = file
        .query_row(
            "SELECT actor_kind, what FROM changes WHERE request = ?1",
            [&request],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((kind.as_str(), what.as_str()), ("token", "entitlement_put"));
    let days: (String, String) = file
        .query_row(
            "SELECT from_day, to_zone FROM entitlements WHERE from_day IS NOT NULL",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(days, ("2026-03-29".to_owned(), "Europe/Berlin".to_owned()));
}
