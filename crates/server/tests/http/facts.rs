//! What a manager is told, to look for what will soon be trouble.

use serde_json::{Value, json};

use crate::common::{Server, asking, until};

/// What an agent of `pc1` tells: it used `cad12` three days ago, and `cad13` is started since.
fn report() -> Value {
    let now = usher_api::Timestamp::now().as_second();
    let ago = |seconds| {
        usher_api::Timestamp::from_second(now - seconds)
            .unwrap()
            .to_string()
    };
    json!({
        "computer": {
            "id": "c1", "name": "pc1",
            "unreached": {
                "starts": 7, "first_at": ago(600), "last_at": ago(60), "products": ["cad"],
            },
        },
        "incarnation": 1,
        "items": [
            {
                "sequence": 1, "kind": "finished", "session": 1, "product": "cad",
                "program": "cad12", "started_at": ago(300_000), "ended_at": ago(259_200),
                "duration_seconds": 40_800,
                "subject": { "authority": "computer:c1", "id": "1000", "name": "ann" },
            },
            {
                "sequence": 2, "kind": "programs",
                "counts": [{ "program": "cad13", "starts": 3 }],
            },
        ],
    })
}

#[tokio::test]
async fn a_manager_is_told_what_it_needs_to_foresee_trouble() {
    let server = Server::start();
    let product = json!({ "id": "cad", "name": "CAD", "programs": ["name=cad12"] });
    let made = server.call("POST", "/v1/products", Some(product)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    for entitlement in [
        json!({ "product": "cad", "seats": 5, "to": "2999-12-31" }),
        json!({ "product": "cad", "seats": 2 }),
    ] {
        let made = server
            .call("POST", "/v1/entitlements", Some(entitlement))
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    server.product("sim", 1).await;
    server.lease("sim", "ann").await;
    server
        .call("POST", "/v1/checkouts", Some(asking("sim", "bob")))
        .await;
    let synced = server.call("POST", "/v1/agents/sync", Some(report())).await;
    assert_eq!(synced.status, 200, "{}", synced.body);
    let request = server.request("GET", "/v1/backup", &server.admin);
    request.send().await.unwrap().bytes().await.unwrap();
    until("a note of the backup", async || {
        let status = server.get("/v1/status").await;
        status["server"]["last_backup_at"].is_string().then_some(())
    })
    .await;

    let facts = server.get("/v1/facts").await;
    let ending = &facts["ending_entitlements"];
    assert_eq!(ending.as_array().unwrap().len(), 1, "{facts:#}");
    assert_eq!(ending[0]["ends_at"], "3000-01-01T00:00:00Z");
    assert_eq!(
        (&ending[0]["seats_before"], &ending[0]["seats_after"]),
        (&json!(7), &json!(2))
    );
    let sim = &facts["products"][1];
    assert_eq!(
        (&sim["id"], &sim["in_use"], &sim["refused_last_hour"]),
        (&json!("sim"), &json!(1), &json!(1)),
        "{facts:#}"
    );
    assert_eq!(
        (&sim["kept"], &sim["unseated"], &facts["products_left_out"]),
        (&json!(0), &json!(0), &json!(0)),
        "{facts:#}"
    );
    assert_eq!(facts["computers"], 1);
    let agent = &facts["agents"][0];
    assert_eq!(
        (&agent["name"], &agent["unreached"]["starts"]),
        (&json!("pc1"), &json!(7))
    );
    let quiet = &facts["quiet_rules"][0];
    assert_eq!(
        (&quiet["rule"], &quiet["program"], &quiet["seen_as"]),
        (&json!("name=cad12"), &json!("cad12"), &json!("cad13")),
        "{facts:#}"
    );
    assert!(facts["backup"]["last_at"].is_string(), "{facts:#}");
    assert!(facts["disk"]["free_bytes"].as_u64().unwrap() > 0);
    assert!(facts["resident_bytes"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn facts_are_not_for_those_who_only_ask_for_seats() {
    let server = Server::start();
    let client = server
        .token(json!({ "role": "client", "user": "ann" }))
        .await;
    let refused = server.call_as(&client, "GET", "/v1/facts", None).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
}

#[tokio::test]
async fn an_agent_names_a_few_products_and_no_flood_of_them() {
    let server = Server::start();
    let mut flood = report();
    flood["computer"]["unreached"]["products"] = json!(["a", "b", "c", "d", "e", "f"]);
    let refused = server.call("POST", "/v1/agents/sync", Some(flood)).await;
    assert_eq!((refused.status, refused.code()), (400, "invalid_request"));
}

/// An agent reports, and then nothing is heard of it for days.
fn silent_for(data: &std::path::Path, days: i64) {
    use usher_core::ledger::{Command, ComputerRef, Report};
    let (engine, _) = usher_store::Engine::open(usher_store::EngineOptions {
        data: data.into(),
        clock: std::sync::Arc::new(usher_store::SystemClock),
        on_durable: Box::new(|_| {}),
    })
    .unwrap();
    let hour = usher_api::Timestamp::now().as_second() / 3_600 - days * 24;
    let report = Report {
        computer: ComputerRef {
            key: "c9".into(),
            candidate: 9,
        },
        name: "pc9".into(),
        document: format!("{{\"seen_hour\":{hour}}}").into(),
        incarnation: 1,
        items: Vec::new(),
    };
    engine.execute(Command::Report(Box::new(report))).unwrap();
    engine.close();
}

#[tokio::test]
async fn an_agent_that_was_not_heard_of_for_days_is_told_and_one_that_was_is_not() {
    let server = Server::start();
    server.call("POST", "/v1/agents/sync", Some(report())).await;
    let folder = server.stop();
    silent_for(folder.path(), 4);
    let server = Server::start_in(folder);
    let mut fresh = report();
    fresh["computer"]["unreached"].take();
    let synced = server.call("POST", "/v1/agents/sync", Some(fresh)).await;
    assert_eq!(synced.status, 200, "{}", synced.body);
    let facts = server.get("/v1/facts").await;
    let agents = facts["agents"].as_array().unwrap();
    assert_eq!(agents.len(), 1, "{facts:#}");
    assert_eq!(agents[0]["name"], "pc9");
    assert_eq!(facts["computers"], 2);
}

#[tokio::test]
async fn an_entitlement_that_is_renewed_from_its_last_day_on_takes_no_seat_away() {
    let server = Server::start();
    server.product("cad", 0).await;
    let here = "America/Los_Angeles";
    for entitlement in [
        json!({ "product": "cad", "seats": 10, "to": "2999-12-31", "time_zone": here }),
        json!({ "product": "cad", "seats": 10, "from": "2999-12-31", "to": "3000-12-31",
            "time_zone": here }),
        json!({ "product": "cad", "seats": 5, "to": "2999-06-30" }),
    ] {
        let made = server.call("POST", "/v1/entitlements", Some(entitlement));
        assert_eq!(made.await.status, 201);
    }
    let facts = server.get("/v1/facts").await;
    let ending: Vec<Value> = facts["ending_entitlements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["last_day"], it["seats_before"], it["seats_after"]]))
        .collect();
    assert_eq!(
        ending,
        [
            json!(["2999-06-30", 15, 10]),
            json!(["2999-12-31", 10, 10]),
            json!(["3000-12-31", 10, 0]),
        ]
    );
}

#[tokio::test]
async fn an_entitlement_that_is_renewed_from_the_day_after_its_end_takes_no_seat_away() {
    let server = Server::start();
    server.product("cad", 0).await;
    for entitlement in [
        // An instant as the end, and a day as the beginning of the next.
        json!({ "product": "cad", "seats": 10, "to": "2999-06-30T18:00:00Z" }),
        json!({ "product": "cad", "seats": 10, "from": "2999-07-01", "to": "2999-12-31",
            "time_zone": "UTC" }),
        // Days of two zones.
        json!({ "product": "cad", "seats": 10, "from": "3000-01-01", "to": "3000-06-30",
            "time_zone": "America/Los_Angeles" }),
        // A day is left out.
        json!({ "product": "cad", "seats": 10, "from": "3000-07-02",
            "time_zone": "America/Los_Angeles" }),
    ] {
        let made = server.call("POST", "/v1/entitlements", Some(entitlement));
        assert_eq!(made.await.status, 201);
    }
    let facts = server.get("/v1/facts").await;
    let ending: Vec<Value> = facts["ending_entitlements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["seats_before"], it["seats_after"]]))
        .collect();
    assert_eq!(
        ending,
        [json!([10, 10]), json!([10, 10]), json!([10, 0])],
        "{facts}"
    );
}

#[tokio::test]
async fn after_a_start_it_is_said_that_only_the_hour_is_known_at_which_an_agent_was_last_seen() {
    let server = Server::start();
    let reports = json!({ "computer": { "id": "c1", "name": "pc1" }, "incarnation": 1 });
    let synced = server.call("POST", "/v1/agents/sync", Some(reports.clone()));
    assert_eq!(synced.await.status, 200);
    let seen = async |server: &Server| {
        let status = server.get("/v1/status").await;
        let computer = &status["computers"][0];
        let at: usher_api::Timestamp = computer["last_seen_at"].as_str().unwrap().parse().unwrap();
        (at, computer["last_seen_within_seconds"].as_u64())
    };
    let (exact, within) = seen(&server).await;
    assert_eq!(within, None);
    let server = Server::start_in(server.stop());
    let (hour, within) = seen(&server).await;
    assert_eq!(within, Some(3_600));
    let later = exact.as_second() - hour.as_second();
    assert!((0..=3_600).contains(&later), "{hour} {exact}");
    let facts = server.get("/v1/facts").await;
    assert_eq!(facts["agents"], json!([]), "it may have reported just now");
    let synced = server.call("POST", "/v1/agents/sync", Some(reports)).await;
    assert_eq!(synced.status, 200);
    assert_eq!(seen(&server).await.1, None);
}
