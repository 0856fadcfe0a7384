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

#[tokio::test]
async fn a_realm_that_leaves_out_the_id_of_its_computer_is_refused() {
    let server = Server::start();
    for realm in ["computer", "Computer", "computer:"] {
        let ann = json!({ "role": "client", "user": "ann", "realm": realm });
        let refused = server.call("POST", "/v1/tokens", Some(ann)).await;
        assert_eq!(refused.status, 400, "{realm}: {}", refused.body);
    }
}

#[tokio::test]
async fn a_client_and_an_agent_are_shown_what_is_their_own_and_that_it_is_all() {
    let server = Server::start();
    server.product("cad", 1).await;
    let ann = json!({ "role": "client", "user": "ann", "realm": "Corp.Example" });
    let ann = server.token(ann).await;
    let agent = server
        .token(json!({ "role": "agent", "computer": "pc1" }))
        .await;
    let of = |computer: &str, name: &str, wait: bool| {
        json!({ "product": "cad", "user": name, "computer": computer, "wait": wait,
            "subject": { "authority": "corp.example", "id": name } })
    };
    let ask = |body: serde_json::Value| server.call("POST", "/v1/checkouts", Some(body));
    assert_eq!(ask(of("pc1", "bob", false)).await.status, 201);
    let refused = ask(of("pc1", "ann", false)).await;
    let decision = refused.body["decision_id"].as_str().unwrap().to_owned();
    assert_eq!(ask(of("pc2", "ann", false)).await.status, 403);
    assert_eq!(ask(of("pc1", "bob", true)).await.status, 202);
    assert_eq!(ask(of("pc1", "ann", true)).await.status, 202);

    let realm = "realm=CORP.example&account=Ann";
    for (token, query, leases, waiting, refused) in [
        (&ann, "", 0, 1, 1),
        (&agent, "", 1, 2, 1),
        (&agent, realm, 0, 1, 1),
        (&agent, "realm=computer:pc2&account=ann", 0, 0, 0),
    ] {
        for (path, count) in [
            ("/v1/leases", leases),
            ("/v1/queue", waiting),
            ("/v1/denials", refused),
        ] {
            let path = format!("{path}?{query}");
            let reply = server.call_as(token, "GET", &path, None).await;
            let items = reply.body["items"].as_array().unwrap();
            assert_eq!(items.len(), count, "{path}: {}", reply.body);
            assert!(reply.body["only"].is_object(), "{}", reply.body);
        }
    }
    let queue = server.call_as(&ann, "GET", "/v1/queue", None).await;
    assert_eq!(queue.body["items"][0]["position"], 2, "{}", queue.body);
    assert!(server.get("/v1/leases").await["only"].is_null());

    let path = format!("/v1/decisions/{decision}");
    let why = server.call_as(&ann, "GET", &path, None).await.body;
    assert_eq!(why["holders"], json!([]), "{why}");
    assert_eq!(why["unnamed_leases"], 1, "{why}");
    assert!(why["longest_since"].is_string(), "{why}");
    let of_ann = format!("{path}?{realm}");
    assert_eq!(
        server.call_as(&agent, "GET", &of_ann, None).await.status,
        200
    );
    let of_bob = format!("{path}?realm=corp.example&account=bob");
    let reply = server.call_as(&agent, "GET", &of_bob, None).await;
    assert_eq!((reply.status, reply.code()), (404, "unknown_decision"));
    let product = json!({ "id": "cad", "show_holders": true });
    assert_eq!(
        server
            .call("PUT", "/v1/products/cad", Some(product))
            .await
            .status,
        200
    );
    let why = server.call_as(&ann, "GET", &path, None).await.body;
    assert_eq!(why["holders"][0]["user"], "bob", "{why}");
    let status = server.call_as(&ann, "GET", "/v1/status", None).await.body;
    assert!(status["products"][0]["held_since"].is_string(), "{status}");
    assert!(
        status["products"][0]["waiting_since"].is_string(),
        "{status}"
    );
}

#[tokio::test]
async fn a_person_is_shown_by_an_agent_what_they_hold_elsewhere_and_nobody_else_is() {
    let server = Server::start();
    server.product("cad", 4).await;
    let agent = |computer: &str| json!({ "role": "agent", "computer": computer });
    let agent = server.token(agent("pc1")).await;
    let ann = json!({ "role": "client", "user": "Ann", "realm": "corp.example" });
    let ann = server.token(ann).await;
    let of = |computer: &str, realm: &str, name: &str| {
        json!({ "product": "cad", "user": name, "computer": computer, "wait": true,
            "subject": { "authority": realm, "id": name } })
    };
    for (body, status) in [
        (of("pc2", "corp.example", "ann"), 201),
        (of("pc2", "corp.example", "bob"), 201),
        (of("pc2", "computer:pc2", "ann"), 201),
        (
            json!({ "product": "cad", "user": "ann", "computer": "pc2" }),
            201,
        ),
        (of("pc3", "corp.example", "ann"), 202),
    ] {
        let reply = server.call("POST", "/v1/checkouts", Some(body)).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
    let ids = async |token: &str, path: &str| -> Vec<String> {
        let reply = server.call_as(token, "GET", path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let items = reply.body["items"].as_array().unwrap().iter();
        items
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    for list in ["/v1/leases", "/v1/queue"] {
        let by_token = ids(&ann, list).await;
        assert_eq!(by_token.len(), 1, "{list}");
        let by_agent = ids(&agent, &format!("{list}?realm=corp.example&account=ANN")).await;
        assert_eq!(by_agent, by_token, "{list}: one person by both");
        // Others' are not theirs, and what no account of this computer can be is nobody's here.
        for (realm, account) in [
            ("corp.example", "cleo"),
            ("computer:pc2", "ann"),
            ("computer:pc1", "ann"),
            ("usher", "ann"),
        ] {
            let path = format!("{list}?realm={realm}&account={account}");
            assert_eq!(ids(&agent, &path).await, Vec::<String>::new(), "{path}");
        }
        // Without a person it is the computer's.
        assert_eq!(ids(&agent, list).await, Vec::<String>::new(), "{list}");
    }
    // What was is told of the computer alone.
    let history = "/v1/sessions?realm=corp.example&account=ann";
    let reply = server.call_as(&agent, "GET", history, None).await;
    assert_eq!(reply.body["only"]["computer"], "pc1", "{}", reply.body);
}

#[tokio::test]
async fn a_person_is_shown_by_the_name_that_their_token_was_made_for() {
    let server = Server::start();
    server.product("cad", 1).await;
    let made = json!({ "role": "client", "user": "Ann.Lee", "realm": "corp.example" });
    let made = server.call("POST", "/v1/tokens", Some(made)).await;
    assert_eq!(made.body["user"], "Ann.Lee", "{}", made.body);
    let token = made.body["token"].as_str().unwrap().to_owned();
    let ask = Some(asking("cad", "ann.lee"));
    let granted = server.call_as(&token, "POST", "/v1/checkouts", ask).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let leases = server.get("/v1/leases").await;
    assert_eq!(leases["items"][0]["user"], "Ann.Lee", "{leases}");
    let tokens = server.get("/v1/tokens").await;
    let id = &made.body["id"];
    let mut items = tokens["items"].as_array().unwrap().iter();
    let kept = items.find(|token| token["id"] == *id).unwrap();
    assert_eq!(kept["user"], "Ann.Lee", "{kept}");
}

#[tokio::test]
async fn a_client_token_of_a_realm_takes_seats_as_the_person_that_agents_know() {
    let server = Server::start();
    server.product("cad", 2).await;
    let ann = json!({ "role": "client", "user": "Ann", "realm": "corp.example" });
    let ann = server.token(ann).await;
    let granted = server
        .call_as(&ann, "POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let own = "/v1/leases?realm=corp.example&account=ANN";
    let leases = server.get(own).await;
    assert_eq!(leases["items"].as_array().unwrap().len(), 1, "{leases}");
    let lease = granted.body["lease"]["id"].as_str().unwrap();
    let path = format!("/v1/leases/{lease}");
    assert_eq!(
        server.call_as(&ann, "DELETE", &path, None).await.status,
        204
    );
    for wrong in [
        json!({ "role": "viewer", "realm": "corp.example" }),
        json!({ "role": "client", "user": "ann", "realm": "" }),
        json!({ "role": "client", "user": "ann", "realm": "USHER" }),
    ] {
        let reply = server.call("POST", "/v1/tokens", Some(wrong)).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
    }
}
