//! Programs that an agent holds until there is a seat.

use serde_json::{Value, json};

use crate::common::{Reply, Server, reach, steer};

fn subject(name: &str) -> Value {
    json!({ "authority": "computer:c1", "id": format!("uid-{name}"), "name": name })
}

fn starts(sequence: u64, session: u64, name: &str) -> Value {
    json!({
        "sequence": sequence, "kind": "checkout", "session": session, "product": "cad",
        "subject": subject(name), "ttl_seconds": 60, "gate": true,
    })
}

async fn sync(server: &Server, token: &str, item: Value) -> Value {
    let body = json!({
        "computer": { "id": "c1", "name": "pc1" }, "incarnation": 1, "items": [item],
    });
    let reply = server
        .call_as(token, "POST", "/v1/agents/sync", Some(body))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["results"][0].clone()
}

async fn product(server: &Server, mode: &str) -> Reply {
    let product = json!({ "id": "cad", "mode": mode, "claim_seconds": 120 });
    let made = server.call("POST", "/v1/products", Some(product)).await;
    let seats = json!({ "product": "cad", "seats": 1 });
    server.call("POST", "/v1/entitlements", Some(seats)).await;
    made
}

async fn agent(server: &Server) -> String {
    let token = json!({ "role": "agent", "computer": "c1" });
    server.token(token).await
}

/// Seats in use, programs without one, and refusals.
async fn counts(server: &Server) -> [u64; 3] {
    let status = server.get("/v1/status").await;
    let of = |field: &str| status["products"][0][field].as_u64().unwrap();
    [of("in_use"), of("unseated"), of("denied_last_24h")]
}

#[tokio::test]
async fn a_held_start_without_a_seat_is_refused_and_the_refusal_can_be_explained() {
    let server = Server::start();
    product(&server, "enforce").await;
    let agent = agent(&server).await;
    let first = sync(&server, &agent, starts(1, 1, "ann")).await;
    assert_eq!(first["outcome"], "granted", "{first}");
    let refused = sync(&server, &agent, starts(2, 2, "bob")).await;
    assert_eq!(
        (&refused["outcome"], &refused["reason"]),
        (&json!("denied"), &json!("no_seat"))
    );
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("the only seat of cad is in use"),
        "{detail}"
    );
    assert_eq!(counts(&server).await, [1, 0, 1]);

    let id = refused["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(
        (&why["decision"], &why["user"], &why["computer"]),
        (&json!("denied"), &json!("bob"), &json!("pc1"))
    );
    assert_eq!(why["holders"][0]["user"], "ann");

    // A new question is the same refusal, counted; the same one sent twice is not even that.
    let anew = sync(&server, &agent, starts(3, 3, "bob")).await;
    assert_eq!(anew["decision_id"], id);
    let again = sync(&server, &agent, starts(3, 3, "bob")).await;
    assert_eq!(
        (&again["outcome"], &again["decision_id"]),
        (&json!("denied"), &json!(id))
    );
    let denials = server.get("/v1/denials?product=cad").await;
    let rows = denials["items"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["count"]), (1, &json!(2)), "{denials}");
}

#[tokio::test]
async fn programs_of_a_product_that_is_only_tracked_are_refused_nothing() {
    let server = Server::start();
    product(&server, "track").await;
    let agent = agent(&server).await;
    sync(&server, &agent, starts(1, 1, "ann")).await;
    let second = sync(&server, &agent, starts(2, 2, "bob")).await;
    assert_eq!(second["outcome"], "unseated", "{second}");
    assert_eq!(counts(&server).await, [1, 1, 0]);
}

#[tokio::test]
async fn a_seat_that_came_free_for_who_waited_is_the_seat_of_their_next_start() {
    let data = {
        let server = Server::start();
        product(&server, "enforce").await;
        let agent = agent(&server).await;
        sync(&server, &agent, starts(1, 1, "ann")).await;
        let body = json!({
            "product": "cad", "user": "bob", "computer": "c1", "wait": true, "ttl_seconds": 120,
            "subject": { "authority": "computer:c1", "id": "uid-bob" },
        });
        let ticket = server
            .call_as(&agent, "POST", "/v1/checkouts", Some(body))
            .await;
        assert_eq!(ticket.status, 202, "{}", ticket.body);
        let ends = json!({ "sequence": 2, "kind": "checkin", "session": 1 });
        sync(&server, &agent, ends).await;
        let path = format!(
            "/v1/tickets/{}",
            ticket.body["ticket"]["id"].as_str().unwrap()
        );
        let granted = server.call_as(&agent, "GET", &path, None).await.body;
        assert_eq!(granted["state"], "granted", "{granted}");
        let lease = &granted["lease"];
        assert!(lease["ttl_seconds"].as_u64().unwrap() > 115, "{lease}");

        let other = sync(&server, &agent, starts(3, 3, "ann")).await;
        assert_eq!(other["outcome"], "denied", "the seat is kept: {other}");
        let mut claims = starts(4, 4, "bob");
        claims["claim"] = lease["id"].clone();
        let seated = sync(&server, &agent, claims).await;
        assert_eq!(
            (&seated["outcome"], &seated["lease"], &seated["ttl_seconds"]),
            (&json!("granted"), &lease["id"], &json!(60))
        );
        assert_eq!(counts(&server).await, [1, 0, 1], "one seat, not two");
        // The ticket is done with: taking it back ends no program's seat.
        server.call_as(&agent, "DELETE", &path, None).await;
        server.stop()
    };
    let server = Server::start_in(data);
    let token = agent(&server).await;
    let renew = json!({ "sequence": 5, "kind": "renew", "session": 4 });
    let lives = sync(&server, &token, renew).await;
    assert_eq!(lives["outcome"], "renewed", "{lives}");
    let ends = json!({ "sequence": 6, "kind": "checkin", "session": 4 });
    assert_eq!(sync(&server, &token, ends).await["outcome"], "done");
    assert_eq!(counts(&server).await[0], 0);
}

#[tokio::test]
async fn a_start_that_is_refused_as_the_seat_is_only_kept_is_told_so() {
    let server = Server::start();
    product(&server, "enforce").await;
    let agent = agent(&server).await;
    let body = json!({
        "product": "cad", "user": "bob", "computer": "c1", "ttl_seconds": 120,
        "program": { "name": "(kept)" },
        "subject": { "authority": "computer:c1", "id": "uid-bob" },
    });
    let kept = server
        .call_as(&agent, "POST", "/v1/checkouts", Some(body))
        .await;
    assert_eq!(kept.status, 201, "{}", kept.body);
    let refused = sync(&server, &agent, starts(1, 1, "ann")).await;
    assert_eq!(refused["outcome"], "denied", "{refused}");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("the only seat of cad is kept for somebody's next start"),
        "{detail}"
    );

    // A `usher run` uses it: its agent asks what it covers.
    let lease = kept.body["lease"]["id"].as_str().unwrap();
    server.get(&format!("/v1/agents/leases/{lease}")).await;
    let refused = sync(&server, &agent, starts(2, 2, "cleo")).await;
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("the only seat of cad is in use"),
        "{detail}"
    );
}

#[tokio::test]
async fn while_the_server_is_paused_nothing_is_decided() {
    let server = Server::start();
    product(&server, "enforce").await;
    let agent = agent(&server).await;
    steer(&server, "pause").await;
    reach(&server, "paused").await;
    let held = sync(&server, &agent, starts(1, 1, "ann")).await;
    assert_eq!(held["outcome"], "undecided", "{held}");
    assert_eq!(counts(&server).await, [0, 0, 0]);
}

#[tokio::test]
async fn how_long_a_seat_is_kept_has_bounds_and_is_told_to_agents_where_it_was_set() {
    let server = Server::start();
    let made = product(&server, "enforce").await;
    assert_eq!(made.body["claim_seconds"], 120, "{}", made.body);
    server.product("sim", 1).await;
    assert_eq!(server.get("/v1/products/sim").await["claim_seconds"], 300);
    for (field, wrong) in [
        ("claim_seconds", 0),
        ("claim_seconds", 86_401),
        ("grace_seconds", 9),
        ("idle_seconds", 9),
        ("idle_seconds", 604_801),
    ] {
        let mut body = json!({ "id": "cad" });
        body[field] = json!(wrong);
        let refused = server.call("PUT", "/v1/products/cad", Some(body)).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid_request"));
        assert!(refused.body["detail"].as_str().unwrap().contains(field));
    }
    let body = json!({ "computer": { "id": "c1", "name": "pc1" }, "incarnation": 1 });
    let answer = server.call("POST", "/v1/agents/sync", Some(body)).await;
    let products = &answer.body["policy"]["products"];
    assert_eq!(products[0]["claim_seconds"], 120);
    assert!(
        products[1].get("claim_seconds").is_none(),
        "an agent of the version before reads no field that it does not know: {products}"
    );
}

#[tokio::test]
async fn a_seat_that_nobody_used_is_given_back_and_both_its_ids_tell_why() {
    let server = Server::start();
    product(&server, "enforce").await;
    let agent = agent(&server).await;
    let first = sync(&server, &agent, starts(1, 1, "ann")).await;
    let released = json!({ "sequence": 2, "kind": "released", "session": 1 });
    assert_eq!(sync(&server, &agent, released).await["outcome"], "done");
    assert_eq!(counts(&server).await, [0, 0, 0]);
    let lease = first["lease"].as_str().unwrap();
    let decision = lease.replacen('L', "D", 1);
    for id in [lease, &decision] {
        let why = server.get(&format!("/v1/decisions/{id}")).await;
        assert_eq!(why["ended"]["cause"], "idle", "{why}");
        assert_eq!(why["decision_id"], decision);
    }
    // Somebody is back.
    let again = json!({ "sequence": 3, "kind": "checkout", "session": 1, "product": "cad",
        "subject": subject("ann"), "ttl_seconds": 60 });
    let again = sync(&server, &agent, again).await;
    assert_eq!(again["outcome"], "granted", "{again}");
    assert_ne!(again["lease"], lease);
}
