//! What happened: sessions, use, denials, the why.

use serde_json::json;

use crate::common::Server;

#[tokio::test]
async fn use_and_refusals_are_shown() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    for _ in 0..3 {
        assert_eq!(server.checkout("cad", "bob").await.status, 403);
    }
    let denials = server.get("/v1/denials?product=cad").await;
    assert_eq!(
        denials["items"].as_array().unwrap().len(),
        1,
        "repeats are one"
    );
    let denial = &denials["items"][0];
    assert_eq!(
        (
            &denial["user"],
            &denial["count"],
            &denial["reason"],
            &denial["seats"]
        ),
        (&json!("bob"), &json!(3), &json!("no_seat"), &json!(1))
    );
    assert_eq!(
        server.get("/v1/denials?since=2999-01-01").await["items"],
        json!([])
    );
    assert_eq!(
        server.get("/v1/denials?product=other").await["items"],
        json!([])
    );
    for (query, count) in [
        ("user=bob&computer=pc1", 1),
        ("user=BOB", 0),
        ("user=ann", 0),
        ("computer=pc2", 0),
        ("until=2999-01-01", 1),
        ("until=2020-01-31", 0),
        ("since=2020-01-01&until=2999-01-01", 1),
    ] {
        let found = server.get(&format!("/v1/denials?{query}")).await;
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    let status = server.get("/v1/status").await;
    let product = &status["products"][0];
    assert_eq!(
        (
            &product["seats"],
            &product["in_use"],
            &product["denied_last_24h"],
            &product["name"]
        ),
        (&json!(1), &json!(1), &json!(3), &json!("cad"))
    );

    let running = server.get("/v1/sessions?running=true").await;
    assert_eq!(running["items"][0]["user"], "ann");
    assert!(running["items"][0]["ended_at"].is_null());
    assert_eq!(running["items"][0]["lease"], json!(lease));
    server
        .call("DELETE", &format!("/v1/leases/{lease}"), None)
        .await;
    assert_eq!(
        server.get("/v1/sessions?running=true").await["items"],
        json!([])
    );
    let ended = server.get("/v1/sessions?product=cad&user=ann").await;
    assert!(ended["items"][0]["ended_at"].is_string());
    let usage = server.get("/v1/usage").await;
    let usage = &usage["items"][0];
    assert_eq!(
        (
            &usage["product"],
            &usage["sessions"],
            &usage["running"],
            &usage["users"]
        ),
        (&json!("cad"), &json!(1), &json!(0), &json!(1))
    );
    assert_eq!(
        server.get("/v1/usage?until=2020-01-01").await["items"],
        json!([])
    );
    // Of one person, and with a word that it is of one alone.
    for (user, used) in [("ann", 1), ("bob", 0)] {
        let token = json!({ "role": "client", "user": user });
        let token = server.token(token).await;
        let own = server.call_as(&token, "GET", "/v1/usage", None).await;
        let products = own.body["items"].as_array().map(Vec::len);
        assert_eq!((own.status, products), (200, Some(used)), "{}", own.body);
        assert_eq!(own.body["only"]["account"], user);
    }
}

#[tokio::test]
async fn who_waited_in_vain_is_shown_with_how_it_ended() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let bob = server.ticket("cad", "bob").await;
    let left = server
        .call("DELETE", &format!("/v1/tickets/{bob}"), None)
        .await;
    assert_eq!(left.status, 204, "{}", left.body);
    server.ticket("cad", "eve").await;
    assert_eq!(
        server.call("DELETE", "/v1/products/cad", None).await.status,
        204
    );
    let waits = server.get("/v1/waits").await;
    let seen: Vec<_> = waits["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wait| {
            (
                wait["user"].as_str().unwrap(),
                wait["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("eve", "product_removed"), ("bob", "gave_up")],
        "{waits}"
    );
    let why = waits["items"][1]["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{why}")).await;
    assert_eq!(why["decision"], "queued", "{why}");
    for (query, count) in [
        ("user=bob", 1),
        ("user=ann", 0),
        ("until=2020-01-31", 0),
        ("since=2020-01-01&product=cad", 2),
    ] {
        let found = server.get(&format!("/v1/waits?{query}")).await;
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    let token = json!({ "role": "client", "user": "bob" });
    let token = server.token(token).await;
    let own = server.call_as(&token, "GET", "/v1/waits", None).await.body;
    assert_eq!(own["items"].as_array().map(Vec::len), Some(1), "{own}");
    assert_eq!(own["only"]["account"], "bob");
}

#[tokio::test]
async fn why_names_the_rule_who_held_the_seats_and_what_would_help() {
    let server = Server::start();
    server.product("cad", 2).await;
    server.lease("cad", "ann").await;
    let gone = server.lease("cad", "eve").await;
    let denied = server.checkout("cad", "bob").await;
    server
        .call("DELETE", &format!("/v1/leases/{gone}"), None)
        .await;
    let id = denied.body["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(
        (&why["decision"], &why["reason"]),
        (&json!("denied"), &json!("no_seat"))
    );
    assert_eq!(
        (
            &why["seats_total"],
            &why["seats_in_use"],
            &why["queued"],
            &why["user"]
        ),
        (&json!(2), &json!(2), &json!(0), &json!("bob"))
    );
    let holders: Vec<_> = why["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| {
            (
                holder["user"].as_str().unwrap(),
                holder["ended_at"].is_string(),
            )
        })
        .collect();
    assert_eq!(
        holders,
        [("ann", false), ("eve", true)],
        "as it was at that instant"
    );
    assert!(
        why["rule"]
            .as_str()
            .unwrap()
            .contains("2 of 2 seats of cad")
    );
    assert!(!why["what_would_help"].as_array().unwrap().is_empty());

    let granted = server.checkout("cad", "bob").await;
    let id = granted.body["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(
        (&why["decision"], &why["lease"]),
        (&json!("granted"), &granted.body["lease"]["id"])
    );
    for wrong in ["D00000001-1", "nonsense"] {
        let reply = server
            .call("GET", &format!("/v1/decisions/{wrong}"), None)
            .await;
        assert_eq!((reply.status, reply.code()), (404, "unknown_decision"));
    }
}

#[tokio::test]
async fn lists_are_read_page_by_page_without_gaps() {
    let server = Server::start();
    server.product("cad", 10).await;
    for number in 0..5 {
        server.lease("cad", &format!("u{number}")).await;
    }
    for (path, order) in [
        ("/v1/leases", ["u0", "u1", "u2", "u3", "u4"]),
        ("/v1/sessions", ["u4", "u3", "u2", "u1", "u0"]),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = server.get(&format!("{path}?limit=2{cursor}")).await;
            let items = page["items"].as_array().unwrap().clone();
            seen.extend(
                items
                    .iter()
                    .map(|item| item["user"].as_str().unwrap().to_owned()),
            );
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, order, "{path}");
    }
}

#[tokio::test]
async fn a_session_that_runs_shows_its_program_and_those_that_began_later_can_be_left_out() {
    let server = Server::start();
    server.product("cad", 1).await;
    let body = json!({
        "computer": { "id": "c1", "name": "pc1" }, "incarnation": 1,
        "items": [{
            "sequence": 1, "kind": "checkout", "session": 1, "product": "cad", "ttl_seconds": 60,
            "program": "cad.bin",
            "subject": { "authority": "computer:c1", "id": "1000", "name": "ann" },
        }],
    });
    let synced = server.call("POST", "/v1/agents/sync", Some(body)).await;
    assert_eq!(synced.status, 200, "{}", synced.body);
    let running = server.get("/v1/sessions?running=true").await;
    assert_eq!(running["items"][0]["program"], "cad.bin", "{running}");
    let before = server.get("/v1/sessions?until=2020-01-31").await;
    assert_eq!(before["items"], json!([]));
    let with = server.get("/v1/sessions?until=2999-01-31").await;
    assert_eq!(with["items"].as_array().unwrap().len(), 1);
}
