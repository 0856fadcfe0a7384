//! An agent's exchange.

use serde_json::{Value, json};

use crate::common::{Reply, Server, asking, reach, steer};

fn subject(name: &str) -> Value {
    json!({ "authority": "computer:pc1", "id": format!("uid-{name}"), "name": name })
}

fn checkout(sequence: u64, session: u64, product: &str, name: &str) -> Value {
    json!({
        "sequence": sequence, "kind": "checkout", "session": session, "product": product,
        "subject": subject(name), "ttl_seconds": 60,
    })
}

fn report(incarnation: u64, items: Value) -> Value {
    json!({
        "computer": {
            "id": "c1", "name": "pc1", "machine": "m1", "agent_version": "0.1.0",
            "watching": "kernel_events",
        },
        "incarnation": incarnation,
        "items": items,
    })
}

async fn sync(server: &Server, body: Value) -> Reply {
    server.call("POST", "/v1/agents/sync", Some(body)).await
}

#[tokio::test]
async fn in_a_pause_a_session_is_told_that_nothing_was_decided_however_late_it_asks() {
    let server = Server::start();
    server.product("cad", 1).await;
    steer(&server, "pause").await;
    reach(&server, "paused").await;
    let item = || report(1, json!([checkout(1, 10, "cad", "ann")]));
    let undecided = json!({
        "sequence": 1, "outcome": "unseated", "reason": "no_seat", "undecided": true
    });
    let first = sync(&server, item()).await;
    assert_eq!(first.body["results"][0], undecided);
    let status = server.get("/v1/status").await;
    assert_eq!(status["products"][0]["unseated"], 1, "it runs without one");
    // Its answer was lost, and the server has gone on since: it has still decided nothing of it.
    let server = Server::start_in(server.stop());
    let again = sync(&server, item()).await;
    assert_eq!(again.body["results"][0], undecided);
    let anew = report(1, json!([checkout(2, 10, "cad", "ann")]));
    let anew = sync(&server, anew).await;
    assert_eq!(anew.body["results"][0]["outcome"], "granted");
}

#[tokio::test]
async fn a_report_seats_sessions_once_however_often_it_comes() {
    let server = Server::start();
    server.product("cad", 1).await;
    let body = report(
        1,
        json!([
            checkout(1, 10, "cad", "ann"),
            checkout(2, 11, "cad", "bob"),
            checkout(3, 12, "none", "bob")
        ]),
    );
    let first = sync(&server, body.clone()).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.body["acknowledged"], 3);
    assert_eq!(
        first.body["server"],
        server.get("/v1/status").await["server"]["id"]
    );
    let results = &first.body["results"];
    assert_eq!(
        (&results[0]["outcome"], &results[0]["sequence"]),
        (&json!("granted"), &json!(1))
    );
    assert_eq!(results[0]["ttl_seconds"], 60);
    assert_eq!(
        (&results[1]["outcome"], &results[1]["reason"]),
        (&json!("unseated"), &json!("no_seat"))
    );
    assert_eq!(results[2]["outcome"], "unknown_product");
    let again = sync(&server, body).await;
    assert_eq!(again.body["results"][0]["lease"], results[0]["lease"]);
    let status = server.get("/v1/status").await;
    let product = &status["products"][0];
    assert_eq!(
        (&product["in_use"], &product["unseated"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(product["denied_last_24h"], 0, "tracking refuses nobody");

    let body = report(
        1,
        json!([
            { "sequence": 4, "kind": "renew", "session": 10 },
            { "sequence": 5, "kind": "checkin", "session": 10 },
            checkout(6, 11, "cad", "bob"),
            { "sequence": 7, "kind": "renew", "session": 99 },
            {
                "sequence": 8, "kind": "finished", "session": 10, "product": "cad",
                "program": "cad.bin", "version": "2.1", "subject": subject("ann"),
                "real_subject": subject("root"), "started_at": "2026-01-02T03:04:05Z",
                "ended_at": "2026-01-02T04:04:05Z", "duration_seconds": 3600,
                "lease": results[0]["lease"],
            },
            { "sequence": 9, "kind": "programs", "counts": [{ "program": "ls", "starts": 3 }] },
        ]),
    );
    let second = sync(&server, body).await;
    let outcomes: Vec<_> = second.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        [
            "renewed",
            "done",
            "granted",
            "unknown_session",
            "done",
            "done"
        ]
    );

    let sessions = server.get("/v1/sessions?running=false").await;
    let session = &sessions["items"][0];
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{sessions}");
    assert_eq!(
        (
            &session["program"],
            &session["user"],
            &session["real_user"],
            &session["duration_seconds"]
        ),
        (
            &json!("cad.bin"),
            &json!("ann"),
            &json!("root"),
            &json!(3600)
        )
    );
    assert_eq!(session["computer"], "pc1");
    let programs = server.get("/v1/programs").await;
    assert_eq!(
        (
            &programs["items"][0]["program"],
            &programs["items"][0]["starts"]
        ),
        (&json!("ls"), &json!(3))
    );
}

#[tokio::test]
async fn short_sessions_add_up_and_time_without_a_seat_is_a_sum_of_its_own() {
    let server = Server::start();
    server.product("cad", 1).await;
    let finished = |sequence: u64, more: Value| {
        let mut item = json!({
            "sequence": sequence, "kind": "finished", "session": sequence, "product": "cad",
            "program": "cad.bin", "subject": subject("ann"),
            "started_at": "2026-01-02T03:04:05Z", "ended_at": "2026-01-02T03:04:05.9Z",
            "duration_seconds": 0, "duration_ms": 900,
        });
        for (field, value) in more.as_object().unwrap() {
            item[field] = value.clone();
        }
        item
    };
    let mut items: Vec<Value> = (1..=8)
        .map(|sequence| finished(sequence, json!({ "unseated_ms": 0 })))
        .collect();
    // Some of its time it had none, and one that came later is shown.
    let hour = json!({
        "started_at": "2026-01-02T03:04:05Z", "ended_at": "2026-01-02T04:04:05Z",
        "duration_seconds": 3600, "duration_ms": 3_600_000, "unseated_ms": 600_000,
        "lease": "L00000001-7",
    });
    items.push(finished(9, hour));
    // As an agent of the version before tells it: none of its time it had one.
    let minute = json!({ "duration_seconds": 60, "duration_ms": null,
        "ended_at": "2026-01-02T03:05:05Z" });
    items.push(finished(10, minute));
    for nonsense in [
        json!({ "duration_ms": 1_900 }),
        json!({ "unseated_ms": 901 }),
    ] {
        items.push(finished(items.len() as u64 + 1, nonsense));
    }
    let reply = sync(&server, report(1, json!(items))).await;
    let results = reply.body["results"].as_array().unwrap();
    assert_eq!(results[9]["outcome"], "done", "{}", reply.body);
    assert_eq!(results[10]["outcome"], "rejected", "{}", reply.body);
    assert_eq!(results[11]["outcome"], "rejected", "{}", reply.body);
    let usage = server
        .get("/v1/usage?since=2026-01-01&until=2026-01-03")
        .await;
    let usage = &usage["items"][0];
    let sum = |field: &str| usage[field].as_u64().unwrap();
    assert_eq!(sum("sessions"), 10, "{usage}");
    assert_eq!(sum("total_seconds"), 7 + 3_600 + 60, "{usage}");
    assert_eq!(sum("unseated_seconds"), 660, "{usage}");
    assert_eq!(sum("unseated"), 2, "{usage}");
}

#[tokio::test]
async fn a_seat_that_is_kept_for_a_start_is_in_use_for_others_and_no_use_of_the_product() {
    let server = Server::start();
    server.product("cad", 1).await;
    let keep = |token: String| {
        let body = json!({ "product": "cad", "user": "ann", "computer": "c1",
            "program": { "name": "(kept)" },
            "subject": { "authority": "computer:pc1", "id": "uid-ann" } });
        crate::common::send(server.request("POST", "/v1/checkouts", &token).json(&body))
    };
    let client = json!({ "role": "client", "name": "t1", "user": "ann" });
    let refused = keep(server.token(client).await).await;
    assert_eq!(refused.status, 403, "who uses a seat cannot hide it");
    let agent = json!({ "role": "agent", "name": "t2", "computer": "c1" });
    let kept = keep(server.token(agent).await).await;
    assert_eq!(kept.status, 201, "{}", kept.body);
    let status = server.get("/v1/status").await;
    assert_eq!(status["products"][0]["in_use"], 1);
    let uses = async || {
        let usage = server.get("/v1/usage").await["items"].clone();
        let sessions = server.get("/v1/sessions").await["items"].clone();
        (usage, sessions)
    };
    assert_eq!(uses().await, (json!([]), json!([])));
    // The start that it was kept for claims it.
    let mut claims = checkout(1, 10, "cad", "ann");
    claims["claim"] = kept.body["lease"]["id"].clone();
    let claimed = sync(&server, report(1, json!([claims]))).await;
    let lease = &claimed.body["results"][0]["lease"];
    let (usage, sessions) = uses().await;
    assert_eq!(lease, &kept.body["lease"]["id"], "{claimed:?}");
    assert_eq!(server.get("/v1/status").await["products"][0]["in_use"], 1);
    assert_eq!(usage[0]["running"], 1, "{claimed:?} {usage}");
    assert_eq!(&sessions[0]["lease"], lease, "{sessions}");
    assert_eq!(sessions[0]["program"], Value::Null, "{sessions}");
}

#[tokio::test]
async fn an_item_that_makes_no_sense_holds_up_no_other() {
    let server = Server::start();
    server.product("cad", 1).await;
    let mut huge = checkout(2, 11, "cad", "ann");
    huge["seats"] = json!(0);
    let body = report(
        1,
        json!([
            { "sequence": 1, "kind": "dance", "session": 1 },
            huge,
            checkout(3, 12, "cad", "ann"),
        ]),
    );
    let reply = sync(&server, body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let results = &reply.body["results"];
    assert_eq!(results[0]["outcome"], "rejected");
    assert!(results[1]["detail"].as_str().unwrap().contains("seats"));
    assert_eq!(results[2]["outcome"], "granted");
    assert_eq!(reply.body["acknowledged"], 3);
}

#[tokio::test]
async fn the_policy_comes_with_the_answer_until_the_agent_has_it() {
    let server = Server::start();
    let mut body = report(1, json!([]));
    let before = sync(&server, body.clone()).await;
    assert!(
        before.body.get("policy").is_none(),
        "there are no products: {}",
        before.body
    );
    let product = json!({ "id": "cad", "programs": ["name=cad"], "mode": "enforce" });
    server.call("POST", "/v1/products", Some(product)).await;
    let with = sync(&server, body.clone()).await;
    let policy = with.body["policy"].clone();
    assert_eq!(policy["products"][0]["programs"], json!(["name=cad"]));
    let version = policy["version"].as_u64().unwrap();
    body["policy_version"] = json!(version);
    assert!(
        sync(&server, body.clone())
            .await
            .body
            .get("policy")
            .is_none()
    );

    let server = Server::start_in(server.stop());
    assert!(
        sync(&server, body.clone())
            .await
            .body
            .get("policy")
            .is_none(),
        "a restart changes no policy"
    );
    server.call("DELETE", "/v1/products/cad", None).await;
    let after = sync(&server, body).await;
    assert_eq!(after.body["policy"]["products"], json!([]));
    assert!(after.body["policy"]["version"].as_u64().unwrap() > version);
}

#[tokio::test]
async fn a_report_is_for_the_computer_of_its_token() {
    let server = Server::start();
    let own = server
        .token(json!({ "role": "agent", "computer": "c1" }))
        .await;
    let other = server
        .token(json!({ "role": "agent", "computer": "c2" }))
        .await;
    let body = report(1, json!([]));
    let call = |token: String, body: Value| {
        let server = &server;
        async move {
            server
                .call_as(&token, "POST", "/v1/agents/sync", Some(body))
                .await
        }
    };
    assert_eq!(call(own.clone(), body.clone()).await.status, 200);
    let foreign = call(other, body).await;
    assert_eq!((foreign.status, foreign.code()), (403, "forbidden"));
    assert_eq!(
        call(own.clone(), report(5, json!([checkout(1, 1, "x", "ann")])))
            .await
            .status,
        200
    );
    let stale = call(own, report(4, json!([]))).await;
    assert_eq!((stale.status, stale.code()), (409, "stale_sender"));
}

#[tokio::test]
async fn reports_out_of_bounds_are_refused_whole() {
    let server = Server::start();
    let items = |count: u64| -> Value {
        (1..=count)
            .map(|sequence| json!({ "sequence": sequence, "kind": "renew", "session": 1 }))
            .collect()
    };
    assert_eq!(sync(&server, report(1, items(1_000))).await.status, 200);
    let mut nameless = report(1, json!([]));
    nameless["computer"]["name"] = json!("");
    let mut unknown = report(1, json!([]));
    unknown["colour"] = json!("red");
    for body in [
        report(1, items(1_001)),
        report(1, json!([{ "sequence": 0, "kind": "renew", "session": 1 }])),
        report(
            1,
            json!([
                { "sequence": 2, "kind": "renew", "session": 1 },
                { "sequence": 2, "kind": "renew", "session": 1 },
            ]),
        ),
        report(u64::MAX, json!([])),
        nameless,
        unknown,
    ] {
        let reply = sync(&server, body).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
    }
}

#[tokio::test]
async fn computers_that_look_like_one_another_raise_a_warning() {
    let server = Server::start();
    let computer = |id: &str, name: &str, machine: &str| {
        json!({
            "computer": { "id": id, "name": name, "machine": machine },
            "incarnation": 1,
        })
    };
    for (id, name, machine) in [
        ("c1", "pc1", "m1"),
        ("c2", "pc1", "m2"),
        ("c3", "pc3", "m1"),
        ("c4", "pc4", "m4"),
    ] {
        assert_eq!(sync(&server, computer(id, name, machine)).await.status, 200);
    }
    // A computer that only a request has named has no agent.
    server.product("cad", 1).await;
    server
        .call("POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    let status = server.get("/v1/status").await;
    let warnings = |id: &str| {
        let computers = status["computers"].as_array().unwrap();
        assert_eq!(computers.len(), 4);
        let found = computers
            .iter()
            .find(|computer| computer["id"] == id)
            .unwrap();
        assert!(found["last_seen_at"].is_string());
        found["warnings"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(
        [
            warnings("c1"),
            warnings("c2"),
            warnings("c3"),
            warnings("c4")
        ],
        [2, 1, 1, 0]
    );
    let client = server
        .token(json!({ "role": "client", "user": "ann" }))
        .await;
    let seen = server.call_as(&client, "GET", "/v1/status", None).await;
    assert_eq!(seen.body["computers"], json!([]));
}

#[tokio::test]
async fn a_lease_says_for_how_long_its_agent_saw_no_touch() {
    let server = Server::start();
    server.product("cad", 2).await;
    let seated = json!([checkout(1, 10, "cad", "ann"), checkout(2, 11, "cad", "bob")]);
    sync(&server, report(1, seated)).await;
    let idle = async |items: Value| {
        sync(&server, report(1, items)).await;
        let leases = server.get("/v1/leases").await;
        let items = leases["items"].as_array().unwrap();
        let idle = items.iter().map(|lease| lease["idle_seconds"].clone());
        idle.collect::<Vec<Value>>()
    };
    let renew = |sequence: u64, untouched: Value| {
        json!([{ "sequence": sequence, "kind": "renew", "session": 10,
            "untouched_seconds": untouched }])
    };
    assert_eq!(
        idle(renew(3, 1_860.into())).await,
        [json!(1_860), Value::Null]
    );
    assert_eq!(idle(renew(4, 0.into())).await, [json!(0), Value::Null]);
    // The agent does not know it any more.
    assert_eq!(
        idle(renew(5, Value::Null)).await,
        [Value::Null, Value::Null]
    );
    let other = json!([{ "sequence": 6, "kind": "checkin", "session": 10,
        "untouched_seconds": 3 }]);
    let refused = sync(&server, report(1, other)).await;
    assert_eq!(refused.body["results"][0]["outcome"], "rejected");
}
