//! Products and entitlements.

use serde_json::json;

use crate::common::Server;

#[tokio::test]
async fn a_product_is_made_shown_changed_and_removed() {
    let server = Server::start();
    let whole = json!({
        "id": "acme-cad", "name": "Acme CAD 2026", "publisher": "Acme", "mode": "track",
        "programs": ["name=cad*", "path=/opt/acme/**"], "enabled": true,
        "max_ttl_seconds": 3600, "queue_limit": 5, "counting": "user",
        "on_unreachable": "refuse", "on_lost_lease": "end", "claim_seconds": 60,
        "idle_seconds": 1800, "on_idle": "release", "grace_seconds": 60,
    });
    let made = server
        .call("POST", "/v1/products", Some(whole.clone()))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = server.get("/v1/products/acme-cad").await;
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(&shown[field], value, "{field}");
    }
    assert_eq!((&shown["seats"], &shown["in_use"]), (&json!(0), &json!(0)));
    assert!(shown["created_at"].is_string());

    let twice = server.call("POST", "/v1/products", Some(whole)).await;
    assert_eq!((twice.status, twice.code()), (409, "product_exists"));

    let changed = json!({ "id": "acme-cad", "name": "Acme CAD" });
    let reply = server
        .call("PUT", "/v1/products/acme-cad", Some(changed.clone()))
        .await;
    assert_eq!(
        (reply.status, &reply.body["name"]),
        (200, &json!("Acme CAD"))
    );
    assert_eq!(reply.body["publisher"], "");
    assert_eq!(reply.body["created_at"], shown["created_at"]);
    let reply = server
        .call("PUT", "/v1/products/other", Some(changed.clone()))
        .await;
    assert_eq!(reply.status, 400, "the id cannot change");
    let reply = server
        .call("PUT", "/v1/products/other", Some(json!({ "id": "other" })))
        .await;
    assert_eq!((reply.status, reply.code()), (404, "unknown_product"));

    assert_eq!(
        server
            .call("DELETE", "/v1/products/acme-cad", None)
            .await
            .status,
        204
    );
    for (method, body) in [("GET", None), ("DELETE", None), ("PUT", Some(changed))] {
        let reply = server.call(method, "/v1/products/acme-cad", body).await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "unknown_product"),
            "{method}"
        );
    }
}

#[tokio::test]
async fn an_id_with_unusual_letters_is_found_by_its_encoded_path() {
    let server = Server::start();
    let id = "Ünï?#%&+";
    server.product(id, 1).await;
    let encoded = "/v1/products/%C3%9Cn%C3%AF%3F%23%25%26%2B";
    assert_eq!(server.get(encoded).await["id"], id);
    assert_eq!(server.checkout(id, "ann").await.status, 201);
}

#[tokio::test]
async fn products_and_entitlements_are_listed_page_by_page() {
    let server = Server::start();
    for number in 0..5 {
        server.product(&format!("p{number}"), 1).await;
    }
    for path in ["/v1/products", "/v1/entitlements"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = server.get(&format!("{path}?limit=2{cursor}")).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            seen.extend(items.iter().map(|item| {
                let name = item.get("product").unwrap_or(&item["id"]);
                name.as_str().unwrap().to_owned()
            }));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4"], "{path}");
    }
    let of_one = server.get("/v1/entitlements?product=p3").await;
    assert_eq!(of_one["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_product_removed_while_leases_are_out_lets_them_run_on() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let ticket = server.ticket("cad", "bob").await;
    assert_eq!(
        server.call("DELETE", "/v1/products/cad", None).await.status,
        204
    );
    let renewed = server
        .call("POST", &format!("/v1/leases/{lease}/renew"), None)
        .await;
    assert_eq!(
        (renewed.status, &renewed.body["product"]),
        (200, &json!("cad"))
    );
    assert_eq!(
        server.get(&format!("/v1/tickets/{ticket}")).await["state"],
        "cancelled"
    );
    let status = server.get("/v1/status").await;
    assert_eq!(
        status["products"][0]["in_use"], 1,
        "it is shown while it is in use"
    );
    assert_eq!(
        server.checkout("cad", "eve").await.code(),
        "unknown_product"
    );
    assert_eq!(
        server
            .call("DELETE", &format!("/v1/leases/{lease}"), None)
            .await
            .status,
        204
    );
    assert_eq!(server.get("/v1/status").await["products"], json!([]));
    server.product("cad", 1).await;
    assert_eq!(server.checkout("cad", "eve").await.status, 201);
}

#[tokio::test]
async fn what_cannot_be_owned_or_made_is_refused() {
    let server = Server::start();
    server.product("cad", 1).await;
    let entitlements = [
        (
            json!({ "product": "cad", "seats": -1 }),
            400,
            "invalid_request",
        ),
        (
            json!({ "product": "cad", "seats": 1_000_000_001_u32 }),
            400,
            "invalid_request",
        ),
        (
            json!({ "product": "cad", "seats": 1, "metric": "core" }),
            400,
            "unsupported_metric",
        ),
        (
            json!({ "product": "cad", "seats": 1, "metric": "dongle" }),
            400,
            "invalid_request",
        ),
        (
            json!({ "product": "none", "seats": 1 }),
            404,
            "unknown_product",
        ),
        (
            json!({ "product": "cad", "seats": 1, "from": "2026-02-01", "to": "2026-01-31" }),
            400,
            "invalid_request",
        ),
        (
            json!({ "product": "cad", "seats": 1, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" }),
            400,
            "invalid_request",
        ),
        (
            json!({ "product": "cad", "seats": 1, "from": "soon" }),
            400,
            "invalid_request",
        ),
    ];
    for (body, status, code) in entitlements {
        let reply = server
            .call("POST", "/v1/entitlements", Some(body.clone()))
            .await;
        assert_eq!((reply.status, reply.code()), (status, code), "{body}");
    }
    let one_day = json!({ "product": "cad", "seats": 1, "from": "2026-01-31", "to": "2026-01-31" });
    assert_eq!(
        server
            .call("POST", "/v1/entitlements", Some(one_day))
            .await
            .status,
        201
    );
    for body in [
        json!({ "id": "" }),
        json!({ "id": "a b" }),
        json!({ "id": "a/b" }),
        json!({ "id": "a\u{1}b" }),
        json!({ "id": "x".repeat(256) }),
        json!({ "id": "x", "max_ttl_seconds": 0 }),
        json!({ "id": "x", "programs": [""] }),
        json!({ "id": "x", "programs": ["name=a,role=boss"] }),
        json!({ "id": "x", "mode": "block" }),
        json!({ "id": "x", "colour": "red" }),
        json!({}),
    ] {
        let reply = server
            .call("POST", "/v1/products", Some(body.clone()))
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_rule_that_hits_what_a_computer_needs_is_not_enforced_unless_it_is_meant() {
    let server = Server::start();
    let body = |mode: &str, rules: &[&str]| json!({ "id": "cad", "mode": mode, "programs": rules });
    let post = |body| server.call("POST", "/v1/products", Some(body));
    let put = |body| server.call("PUT", "/v1/products/cad", Some(body));

    let refused = post(body("enforce", &["name=cad", "name=*sh"])).await;
    assert_eq!((refused.status, refused.code()), (422, "dangerous_rule"));
    let hits = refused.body["would_hit"].as_array().unwrap();
    let bash = json!({ "path": "/usr/bin/bash", "what": "a shell", "rule": "name=*sh" });
    assert!(hits.contains(&bash), "{}", refused.body);
    assert!(hits.len() <= 100);
    let nothing = server.get("/v1/products").await;
    assert_eq!(nothing["items"], json!([]), "it was not made");

    assert_eq!(post(body("track", &["name=*sh"])).await.status, 201);
    let refused = put(body("enforce", &["name=*sh"])).await;
    assert_eq!(refused.status, 422, "it goes to enforce");
    assert_eq!(put(body("enforce", &["name=cad"])).await.status, 200);
    let refused = put(body("enforce", &["name=cad", "/usr/bin/python3.42"])).await;
    assert_eq!(refused.status, 422, "a program is added");
    assert_eq!(refused.body["would_hit"][0]["path"], "/usr/bin/python3.42");

    let mut forced = body("enforce", &["name=cad", "name=dash"]);
    forced["force"] = json!(true);
    let taken = put(forced).await;
    assert_eq!((taken.status, taken.body.get("force")), (200, None));
    let shown = server.get("/v1/products/cad").await;
    assert_eq!(shown.get("force"), None, "it is no part of a product");
    let mut renamed = body("enforce", &["name=cad", "name=dash"]);
    renamed["name"] = json!("CAD");
    assert_eq!(put(renamed).await.status, 200, "what was forced stays");
}
