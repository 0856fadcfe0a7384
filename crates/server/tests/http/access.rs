//! Who may do what: tokens, roles, and what belongs to whom.

use serde_json::json;

use crate::common::{Server, asking, send};

#[tokio::test]
async fn without_a_token_only_health_and_the_description_answer() {
    let server = Server::start();
    for path in ["/v1/health", "/openapi.json"] {
        let reply = send(server.http.get(server.url(path))).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    for (method, path) in [
        ("GET", "/v1/status"),
        ("POST", "/v1/checkouts"),
        ("GET", "/metrics"),
        ("GET", "/v1/nothing"),
    ] {
        let request = server
            .http
            .request(method.parse().unwrap(), server.url(path));
        let reply = send(request).await;
        assert_eq!(
            (reply.status, reply.code()),
            (401, "unauthorized"),
            "{path}"
        );
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let wrong = server
        .call_as("usher_wrong", "GET", "/v1/status", None)
        .await;
    assert_eq!((wrong.status, wrong.code()), (401, "unauthorized"));
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked_at_once() {
    let server = Server::start();
    let made = server
        .call(
            "POST",
            "/v1/tokens",
            Some(json!({ "role": "viewer", "name": "wall board" })),
        )
        .await;
    assert_eq!(made.status, 201);
    let (token, id) = (
        made.body["token"].as_str().unwrap(),
        made.body["id"].as_str().unwrap(),
    );
    assert!(token.starts_with("usher_") && token.len() > 40);
    assert_eq!(
        server
            .call_as(token, "GET", "/v1/status", None)
            .await
            .status,
        200
    );

    let listed = server.get("/v1/tokens").await;
    let listed = listed["items"].as_array().unwrap();
    let entry = listed.iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!(
        (&entry["role"], &entry["name"]),
        (&json!("viewer"), &json!("wall board"))
    );
    assert!(entry.get("token").is_none() && entry["revoked_at"].is_null());
    let file = std::fs::read(server.data().join("cache.db")).unwrap();
    let holds = |needle: &[u8]| file.windows(needle.len()).any(|part| part == needle);
    assert!(!holds(token.as_bytes()), "a secret is at rest");

    for _ in 0..2 {
        let revoked = server
            .call("DELETE", &format!("/v1/tokens/{id}"), None)
            .await;
        assert_eq!(revoked.status, 204);
    }
    let refused = server.call_as(token, "GET", "/v1/status", None).await;
    assert_eq!((refused.status, refused.code()), (401, "unauthorized"));
    let unknown = server.call("DELETE", "/v1/tokens/K0", None).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_token"));
    let page = server.get("/v1/tokens?limit=1").await;
    let next = page["next"].as_str().unwrap();
    let rest = server.get(&format!("/v1/tokens?cursor={next}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert!(rest["next"].is_null());
}

#[tokio::test]
async fn a_token_is_bound_as_its_role_says_and_to_nothing_else() {
    let server = Server::start();
    for wrong in [
        json!({ "role": "client" }),
        json!({ "role": "agent", "user": "ann" }),
        json!({ "role": "viewer", "user": "ann" }),
        json!({ "role": "client", "user": "ann", "computer": "pc1" }),
        json!({ "role": "client", "user": "" }),
        json!({ "role": "boss" }),
        json!({ "role": "viewer", "expires_at": "2020-01-01T00:00:00Z" }),
        json!({ "role": "viewer", "colour": "red" }),
    ] {
        let reply = server.call("POST", "/v1/tokens", Some(wrong.clone())).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_client_acts_for_its_own_user_and_others_leases_do_not_exist_for_it() {
    let server = Server::start();
    server.product("cad", 3).await;
    let ann = server
        .token(json!({ "role": "client", "user": "ann" }))
        .await;
    let bob = server
        .token(json!({ "role": "client", "user": "bob" }))
        .await;
    let foreign = server
        .call_as(&bob, "POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    assert_eq!((foreign.status, foreign.code()), (403, "forbidden"));
    let mut disguised = asking("cad", "bob");
    disguised["subject"] = json!({ "authority": "usher", "id": "ann" });
    let reply = server
        .call_as(&bob, "POST", "/v1/checkouts", Some(disguised))
        .await;
    assert_eq!((reply.status, reply.code()), (403, "forbidden"));

    let granted = server
        .call_as(&ann, "POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let lease = granted.body["lease"]["id"].as_str().unwrap();
    let decision = granted.body["decision_id"].as_str().unwrap();
    let renew = format!("/v1/leases/{lease}/renew");
    let end = format!("/v1/leases/{lease}");
    for (method, path) in [("POST", &renew), ("DELETE", &end)] {
        let reply = server.call_as(&bob, method, path, None).await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "unknown_lease"),
            "{path}"
        );
    }
    let why = format!("/v1/decisions/{decision}");
    assert_eq!(
        server.call_as(&bob, "GET", &why, None).await.code(),
        "unknown_decision"
    );
    assert_eq!(server.call_as(&ann, "GET", &why, None).await.status, 200);
    let listed = |reply: crate::common::Reply| reply.body["items"].as_array().unwrap().len();
    for path in ["/v1/leases", "/v1/sessions"] {
        assert_eq!(
            listed(server.call_as(&bob, "GET", path, None).await),
            0,
            "{path}"
        );
        assert_eq!(
            listed(server.call_as(&ann, "GET", path, None).await),
            1,
            "{path}"
        );
        let other = format!("{path}?user=ann");
        assert_eq!(listed(server.call_as(&bob, "GET", &other, None).await), 0);
    }
    assert_eq!(server.call_as(&ann, "POST", &renew, None).await.status, 200);
    // An operator's checkout for the same name is the same person.
    let operator = server.token(json!({ "role": "operator" })).await;
    assert_eq!(
        server.call_as(&operator, "DELETE", &end, None).await.status,
        204
    );
    assert_eq!(server.call_as(&ann, "DELETE", &end, None).await.status, 204);
    let after = server.call_as(&bob, "DELETE", &end, None).await;
    assert_eq!((after.status, after.code()), (404, "unknown_lease"));
}

#[tokio::test]
async fn somebody_of_the_same_name_elsewhere_is_somebody_else() {
    let server = Server::start();
    server.product("cad", 3).await;
    let ann = server
        .token(json!({ "role": "client", "user": "ann" }))
        .await;
    let mut local = asking("cad", "ann");
    local["subject"] = json!({ "authority": "computer:pc1", "id": "1000" });
    let granted = server.call("POST", "/v1/checkouts", Some(local)).await;
    assert_eq!(granted.status, 201);
    let lease = granted.body["lease"]["id"].as_str().unwrap();
    let reply = server
        .call_as(&ann, "DELETE", &format!("/v1/leases/{lease}"), None)
        .await;
    assert_eq!(reply.status, 404);
    let listed = server.call_as(&ann, "GET", "/v1/leases", None).await;
    assert_eq!(listed.body["items"], json!([]));
    let mut renamed = asking("cad", "mallory");
    renamed["subject"] = json!({ "authority": "usher", "id": "ann" });
    let reply = server.call("POST", "/v1/checkouts", Some(renamed)).await;
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn an_agent_acts_for_its_own_computer_only() {
    let server = Server::start();
    server.product("cad", 3).await;
    let agent = server
        .token(json!({ "role": "agent", "computer": "pc1" }))
        .await;
    let other = server
        .token(json!({ "role": "agent", "computer": "pc2" }))
        .await;
    let granted = server
        .call_as(&agent, "POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    assert_eq!(granted.status, 201);
    let foreign = server
        .call_as(&other, "POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    assert_eq!((foreign.status, foreign.code()), (403, "forbidden"));
    let lease = granted.body["lease"]["id"].as_str().unwrap();
    let end = format!("/v1/leases/{lease}");
    assert_eq!(
        server.call_as(&other, "DELETE", &end, None).await.status,
        404
    );
    assert_eq!(
        server.call_as(&agent, "DELETE", &end, None).await.status,
        204
    );
}

#[tokio::test]
async fn a_ticket_belongs_to_who_waits() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let bob = server
        .token(json!({ "role": "client", "user": "bob" }))
        .await;
    let eve = server
        .token(json!({ "role": "client", "user": "eve" }))
        .await;
    let ticket = server.ticket("cad", "bob").await;
    let path = format!("/v1/tickets/{ticket}");
    assert_eq!(server.call_as(&bob, "GET", &path, None).await.status, 200);
    for method in ["GET", "DELETE"] {
        let reply = server.call_as(&eve, method, &path, None).await;
        assert_eq!((reply.status, reply.code()), (404, "unknown_ticket"));
    }
}

#[tokio::test]
async fn each_role_is_refused_what_is_above_it() {
    let server = Server::start();
    server.product("cad", 1).await;
    let client = server
        .token(json!({ "role": "client", "user": "ann" }))
        .await;
    let agent = server
        .token(json!({ "role": "agent", "computer": "pc1" }))
        .await;
    let viewer = server.token(json!({ "role": "viewer" })).await;
    let operator = server.token(json!({ "role": "operator" })).await;
    let sync = json!({ "computer": { "id": "pc1", "name": "pc1" }, "incarnation": 1 });
    let product = json!({ "id": "other" });
    let cases: &[(&str, &str, &str, Option<serde_json::Value>)] = &[
        (&client, "GET", "/v1/programs", None),
        (&client, "GET", "/v1/entitlements", None),
        (&client, "GET", "/v1/events", None),
        (&client, "GET", "/metrics", None),
        (&client, "POST", "/v1/agents/sync", Some(sync.clone())),
        (&agent, "GET", "/metrics", None),
        (&viewer, "POST", "/v1/checkouts", Some(asking("cad", "ann"))),
        (&viewer, "DELETE", "/v1/leases/L00000001-1", None),
        (&viewer, "POST", "/v1/leases/L00000001-1/renew", None),
        (&viewer, "GET", "/v1/tickets/T00000001-1", None),
        (&viewer, "DELETE", "/v1/tickets/T00000001-1", None),
        (&viewer, "POST", "/v1/agents/sync", Some(sync)),
        (&operator, "POST", "/v1/products", Some(product.clone())),
        (&operator, "PUT", "/v1/products/cad", Some(product)),
        (&operator, "DELETE", "/v1/products/cad", None),
        (
            &operator,
            "POST",
            "/v1/entitlements",
            Some(json!({ "product": "cad", "seats": 1 })),
        ),
        (&operator, "DELETE", "/v1/entitlements/E1", None),
        (&operator, "GET", "/v1/tokens", None),
        (
            &operator,
            "POST",
            "/v1/tokens",
            Some(json!({ "role": "admin" })),
        ),
        (&operator, "DELETE", "/v1/tokens/K1", None),
        (&operator, "GET", "/v1/backup", None),
        (&operator, "GET", "/v1/snapshots", None),
    ];
    for (token, method, path, body) in cases {
        let reply = server.call_as(token, method, path, body.clone()).await;
        assert_eq!(
            (reply.status, reply.code()),
            (403, "forbidden"),
            "{method} {path}"
        );
    }
    for (token, path) in [
        (&client, "/v1/products"),
        (&client, "/v1/status"),
        (&client, "/v1/queue"),
        (&agent, "/v1/denials"),
        (&agent, "/v1/products/cad"),
        (&viewer, "/v1/queue"),
        (&viewer, "/v1/usage"),
        (&viewer, "/metrics"),
        (&operator, "/v1/entitlements"),
    ] {
        assert_eq!(
            server.call_as(token, "GET", path, None).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_lost_admin_token_is_made_anew_at_the_next_start() {
    let server = Server::start();
    let former = server.admin.clone();
    let path = server.data().join("admin.token");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let folder = server.stop();
    std::fs::remove_file(folder.path().join("admin.token")).unwrap();
    let server = Server::start_in(folder);
    assert_ne!(server.admin, former);
    assert_eq!(server.call("GET", "/v1/tokens", None).await.status, 200);
    let old = server.call_as(&former, "GET", "/v1/tokens", None).await;
    assert_eq!(
        old.status, 200,
        "who holds the former one is not locked out"
    );
}

#[tokio::test]
async fn a_revoked_admin_token_is_replaced_in_its_file_at_once() {
    let server = Server::start();
    let tokens = server.get("/v1/tokens").await;
    let id = tokens["items"][0]["id"].as_str().unwrap();
    let other = server.token(json!({ "role": "admin" })).await;
    let path = format!("/v1/tokens/{id}");

    let revoked = server.call_as(&other, "DELETE", &path, None).await;

    assert_eq!(revoked.status, 204);
    let file = std::fs::read_to_string(server.data().join("admin.token")).unwrap();
    assert_ne!(file.trim(), server.admin);
    let listed = server.call_as(file.trim(), "GET", "/v1/tokens", None).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    let lost = server.call("GET", "/v1/tokens", None).await;
    assert_eq!(lost.status, 401);
    // Others leave the file alone.
    let items = listed.body["items"].as_array().unwrap();
    let other_id = items.iter().find(|item| item["name"] == "").unwrap()["id"].clone();
    let path = format!("/v1/tokens/{}", other_id.as_str().unwrap());
    let revoked = server.call_as(file.trim(), "DELETE", &path, None).await;
    assert_eq!(revoked.status, 204);
    let same = std::fs::read_to_string(server.data().join("admin.token")).unwrap();
    assert_eq!(same, file);
}
