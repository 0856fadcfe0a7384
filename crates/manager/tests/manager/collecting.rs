//! How a manager collects the history of a server that a test plays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::support::{Manager, play, send, until};

/// A server of which the test says what it has, and what it refuses.
#[derive(Clone)]
struct Played(Arc<Mutex<Data>>);

struct Data {
    id: &'static str,
    /// Each life, and the last event of it that is there.
    lives: Vec<(u32, u64)>,
    /// The events that ended a lease.
    ended: Vec<u64>,
    /// What GET /v1/history is refused with.
    refuses: Option<(u16, &'static str)>,
    takes_acknowledgements: bool,
    /// The cursors that were asked for.
    asked: Vec<Option<String>>,
    /// Who acknowledged what.
    acknowledged: Vec<(String, Value)>,
}

fn refusal(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let body = json!({ "code": code, "detail": format!("refused: {code}"), "status": 400 });
    (status, Json(body)).into_response()
}

impl Played {
    fn new() -> Played {
        Played(Arc::new(Mutex::new(Data {
            id: "s-1",
            lives: vec![(7, 100)],
            ended: vec![10, 20, 30, 40, 50],
            refuses: None,
            takes_acknowledgements: true,
            asked: Vec::new(),
            acknowledged: Vec::new(),
        })))
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap()
    }

    async fn url(&self) -> String {
        let health = || async { Json(json!({ "status": "ok" })) };
        let canary = || async { Json(json!({ "seated": true, "took_seconds": 0.001 })) };
        let routes = Router::new()
            .route("/v1/health", get(health))
            .route("/v1/canary", post(canary))
            .route("/v1/facts", get(facts))
            .route("/v1/history", get(history))
            .route("/v1/history/consumers/{name}", put(acknowledge))
            .with_state(self.clone());
        play(routes).await
    }
}

async fn facts(State(played): State<Played>) -> Json<Value> {
    Json(
        json!({ "at": "2026-11-25T10:00:00Z", "resident_bytes": 5, "answered_requests": 1,
        "disk": null, "backup": { "last_at": null, "data_since": "2026-11-25T09:00:00Z" },
        "ending_entitlements": [], "products": [], "computers": 0, "agents": [],
        "quiet_rules": [], "server_id": played.data().id }),
    )
}

/// Two items a page.
async fn history(
    State(played): State<Played>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let mut data = played.data();
    let after = query.get("after").cloned();
    data.asked.push(after.clone());
    if let Some((status, code)) = data.refuses {
        return refusal(status, code);
    }
    let from = match after {
        None => None,
        Some(after) => {
            let [id, life, event] = after.split(' ').collect::<Vec<_>>()[..] else {
                return refusal(400, "invalid_request");
            };
            let life: u32 = life.parse().unwrap();
            let known = data.lives.iter().find(|it| it.0 == life);
            let Some((_, end)) = known.filter(|_| id == data.id) else {
                return refusal(409, "unknown_history");
            };
            Some((life, (*end).min(event.parse().unwrap())))
        }
    };
    let life_of = |event: u64| data.lives.iter().find(|it| event <= it.1).unwrap().0;
    let start = from.map_or(0, |(_, event)| event);
    let rest = data.ended.iter().filter(|event| **event > start);
    let page: Vec<u64> = rest.take(2).copied().collect();
    let head = data.lives.last().unwrap().1;
    let through = match page.last() {
        Some(last) if page.len() == 2 => *last,
        _ => head,
    };
    let items: Vec<Value> = page
        .iter()
        .map(|event| lease(life_of(*event), *event))
        .collect();
    let point =
        |(incarnation, event): (u32, u64)| json!({ "incarnation": incarnation, "event": event });
    let life = data.lives.last().unwrap().0;
    let through_life = life_of(through);
    Json(json!({
        "server_id": data.id, "incarnation": life, "began_after": null, "from": from.map(point),
        "items": items,
        "people": [{ "id": "P1", "realm": "usher", "account": "ann", "name": "ann" }],
        "computers": [{ "id": "C1", "key": "pc1", "name": "pc1" }],
        "cursor": format!("{} {through_life} {through}", data.id),
        "through_incarnation": through_life, "through_event": through, "head_event": head,
    }))
    .into_response()
}

fn lease(life: u32, event: u64) -> Value {
    json!({
        "kind": "lease", "event": event, "incarnation": life, "product": "cad", "person": "P1",
        "computer": "C1", "key": { "incarnation": life, "event": event - 1 }, "seats": 1,
        "program": null, "session": null, "kept": false, "granted_at": "2026-11-25T10:00:00Z",
        "ended_at": "2026-11-25T10:00:01Z", "held_seconds": 1.0, "cause": "checked_in",
        "ticket": null, "with": null, "retry": false,
    })
}

async fn acknowledge(
    State(played): State<Played>,
    Path(name): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut data = played.data();
    if !data.takes_acknowledgements {
        return refusal(403, "forbidden");
    }
    data.acknowledged.push((name, body));
    Json(json!({})).into_response()
}

async fn watched(manager: &Manager, played: &Played) {
    let body = json!({ "name": "alpha", "url": played.url().await, "token": "t" });
    let request = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(request.json(&body)).await;
    assert_eq!(status, 201, "{added}");
}

/// What is said of the history once it is as told.
async fn history_that(manager: &Manager, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    until(what, async || {
        let request = manager.request("POST", "/v1/servers/alpha/poll", &manager.token());
        let (_, seen) = send(request.json(&json!({}))).await;
        let history = seen["history"].clone();
        is_it(&history).then_some(history)
    })
    .await
}

async fn collected(manager: &Manager, added: u64) -> Value {
    history_that(manager, "the history to be collected", |it| {
        it["added"] == added && it["why"].is_null() && it["through_event"] == it["head_event"]
    })
    .await
}

#[tokio::test]
async fn pages_are_collected_to_the_end_and_a_restart_goes_on_behind_them() {
    let played = Played::new();
    let manager = Manager::start();
    watched(&manager, &played).await;
    let history = collected(&manager, 5).await;
    assert_eq!(
        (&history["through_event"], &history["incarnation"]),
        (&100.into(), &7.into())
    );
    until("the acknowledgement", async || {
        let data = played.data();
        let (name, last) = data.acknowledged.last()?;
        assert!(name.starts_with("test-"), "{name}");
        (last["through_event"] == 100).then_some(())
    })
    .await;
    let metrics = manager.request("GET", "/metrics", &manager.token());
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("usher_history_behind_events{server=\"alpha\"} 0\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("usher_history_added_total{server=\"alpha\"} 5\n"),
        "{metrics}"
    );

    let before = {
        let mut data = played.data();
        data.ended.push(110);
        data.lives = vec![(7, 120)];
        data.asked.len()
    };
    let manager = manager.restart_as(|_, _| {});
    collected(&manager, 1).await;
    let data = played.data();
    let again = data.asked[before..].iter().filter(|after| after.is_none());
    assert_eq!(again.count(), 0, "{:?}", data.asked);
    let names: Vec<&String> = data.acknowledged.iter().map(|(name, _)| name).collect();
    assert!(
        names.iter().all(|name| *name == names[0]),
        "one consumer: {names:?}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_know_the_last_life_is_asked_for_the_one_before() {
    let played = Played::new();
    let manager = Manager::start();
    watched(&manager, &played).await;
    collected(&manager, 5).await;
    {
        let mut data = played.data();
        data.lives = vec![(7, 60), (8, 90)];
        data.ended = vec![10, 20, 30, 40, 50, 75];
    }
    let history = collected(&manager, 6).await;
    assert_eq!(history["incarnation"], 8);
    {
        let mut data = played.data();
        data.lives = vec![(7, 35), (9, 70)];
        data.ended = vec![10, 20, 30, 65];
        data.asked.clear();
    }
    let history = collected(&manager, 7).await;
    assert_eq!(
        (&history["incarnation"], &history["through_event"]),
        (&9.into(), &70.into())
    );
    let asked: Vec<String> = played.data().asked.iter().flatten().cloned().collect();
    assert_eq!(asked[..2], ["s-1 8 90", "s-1 7 100"], "{asked:?}");
    // Another server is there: its history has its own beginning.
    {
        let mut data = played.data();
        data.id = "s-2";
        data.asked.clear();
    }
    collected(&manager, 11).await;
    assert!(played.data().asked.contains(&None));
}

#[tokio::test]
async fn what_fails_is_said_and_tried_again() {
    let played = Played::new();
    played.data().refuses = Some((503, "busy"));
    let manager = Manager::start();
    watched(&manager, &played).await;
    let why = |history: &Value| history["why"].as_str().unwrap_or_default().to_owned();
    let failing = history_that(&manager, "the failure", |it| !why(it).is_empty()).await;
    assert!(why(&failing).contains("refused: busy"), "{failing}");
    let since = failing["failing_since"].clone();
    assert!(since.is_string(), "{failing}");
    let still = history_that(&manager, "the failure", |it| !why(it).is_empty()).await;
    assert_eq!(still["failing_since"], since, "{still}");
    played.data().refuses = Some((404, "not_found"));
    history_that(&manager, "an old version", |it| why(it).contains("version")).await;
    played.data().refuses = None;
    played.data().takes_acknowledgements = false;
    let history = collected(&manager, 5).await;
    assert!(history["failing_since"].is_null(), "{history}");
    assert_eq!(history["acknowledged"], false);
    let refused = history_that(&manager, "the refusal", |it| {
        !it["not_acknowledged"].is_null()
    })
    .await;
    let needed = refused["not_acknowledged"].as_str().unwrap();
    assert!(needed.contains("role manager"), "{refused}");
    played.data().takes_acknowledgements = true;
    played.data().ended.push(99);
    // It was collected to the end already, and what comes late is behind that.
    played.data().ended.push(105);
    played.data().lives = vec![(7, 110)];
    collected(&manager, 6).await;
    history_that(&manager, "the acknowledgement", |it| {
        it["acknowledged"] == true && it["not_acknowledged"].is_null()
    })
    .await;
}
