//! What-ifs over what was collected of a server that the test plays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use usher_api::Timestamp;

use crate::support::{Manager, play, send, until};

/// A server with this history, with two seats of `cad`, and one of them still held.
#[derive(Clone, Default)]
struct Played {
    items: Arc<Vec<Value>>,
    /// When the seat that is still held was granted; none: none is.
    held_since: Option<String>,
    /// It never says whether it has a product.
    hangs: bool,
    /// Whether somebody has asked for one, and whether they went away.
    asked: Arc<AtomicBool>,
    left: Arc<AtomicBool>,
}

/// So many minutes before now.
fn ago(minutes: i64) -> String {
    let now_ms = Timestamp::now().as_millisecond();
    let then = Timestamp::from_millisecond(now_ms - minutes * 60_000).unwrap();
    then.to_string()
}

impl Played {
    fn with(items: Vec<Value>) -> Played {
        Played {
            items: Arc::new(items),
            ..Played::default()
        }
    }

    async fn url(&self) -> String {
        let health = || async { Json(json!({ "status": "ok" })) };
        let canary = || async { Json(json!({ "seated": true, "took_seconds": 0.001 })) };
        let acknowledge = || async { Json(json!({})) };
        let routes = Router::new()
            .route("/v1/health", get(health))
            .route("/v1/canary", post(canary))
            .route("/v1/facts", get(facts))
            .route("/v1/history", get(history))
            .route("/v1/history/consumers/{name}", put(acknowledge))
            .route("/v1/products/{id}", get(product))
            .route("/v1/entitlements", get(entitlements))
            .route("/v1/leases", get(leases))
            .with_state(self.clone());
        play(routes).await
    }
}

async fn facts() -> Json<Value> {
    Json(
        json!({ "at": "2026-11-25T10:00:00Z", "resident_bytes": 5, "answered_requests": 1,
        "disk": null, "backup": { "last_at": null, "data_since": "2026-11-25T09:00:00Z" },
        "ending_entitlements": [], "products": [], "computers": 0, "agents": [],
        "quiet_rules": [], "server_id": "s-1" }),
    )
}

/// All of it in one page; nothing is behind it.
async fn history(State(played): State<Played>) -> Json<Value> {
    let named = |id: &str| json!({ "id": id, "realm": "usher", "account": id, "name": id });
    let people: Vec<Value> = (1..=9).map(|person| named(&format!("P{person}"))).collect();
    Json(json!({
        "server_id": "s-1", "incarnation": 7, "began_after": null, "from": null,
        "items": *played.items, "people": people,
        "computers": [{ "id": "C1", "key": "pc1", "name": "pc1" }],
        "cursor": "s-1 7 100", "through_incarnation": 7, "through_event": 100,
        "head_event": 100,
    }))
}

struct Leaves(Arc<AtomicBool>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn product(State(played): State<Played>, Path(id): Path<String>) -> Response {
    played.asked.store(true, Ordering::Relaxed);
    if played.hangs {
        let _leaves = Leaves(played.left.clone());
        std::future::pending::<()>().await;
    }
    match &*id {
        "cad" => Json(json!({ "id": "cad" })).into_response(),
        _ => {
            let body = json!({ "code": "unknown_product", "detail": "no such product",
                "title": "No such product", "status": 404 });
            (StatusCode::NOT_FOUND, Json(body)).into_response()
        }
    }
}

async fn entitlements() -> Json<Value> {
    Json(
        json!({ "items": [{ "id": "E1", "product": "cad", "metric": "concurrent", "seats": 2,
        "overdraft": 1, "from": null, "to": null }], "next": null }),
    )
}

async fn leases(State(played): State<Played>) -> Json<Value> {
    let lease = played.held_since.as_ref().map(|since| {
        json!({ "id": "L00000007-90", "product": "cad", "user": "P9", "computer": "pc1",
            "seats": 1, "granted_at": since, "expires_at": "2099-01-01T00:00:00Z",
            "ttl_seconds": 300 })
    });
    let items: Vec<Value> = lease.into_iter().collect();
    Json(json!({ "items": items, "next": null }))
}

fn item(event: u64, person: u64, more: Value) -> Value {
    let mut item = json!({ "event": event, "incarnation": 7, "product": "cad",
        "person": format!("P{person}"), "computer": "C1", "seats": 1, "retry": false,
        "key": { "incarnation": 7, "event": event } });
    let fields = item.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    item
}

/// An hour on a seat, from so many minutes before now on.
fn lease(event: u64, person: u64, minutes: i64) -> Value {
    let more = json!({ "kind": "lease", "program": null, "session": null, "kept": false,
        "granted_at": ago(minutes), "ended_at": ago(minutes - 60), "held_seconds": 3_600.0,
        "cause": "checked_in", "ticket": null, "with": null });
    item(event, person, more)
}

fn refusal(event: u64, person: u64, minutes: i64) -> Value {
    let at = ago(minutes);
    let more = json!({ "kind": "denial", "reason": "no_seat", "count": 1, "retries": 0,
        "waits": false, "first_at": at, "last_at": at });
    item(event, person, more)
}

/// Two are at work when a third is refused; later there is one at a time.
fn morning() -> Vec<Value> {
    vec![
        lease(1, 1, 600),
        lease(2, 2, 590),
        refusal(3, 3, 580),
        lease(4, 1, 400),
        lease(5, 2, 300),
        lease(6, 1, 200),
    ]
}

/// A manager that has collected all of it.
async fn collected(played: &Played) -> Manager {
    let manager = Manager::start();
    let body = json!({ "name": "alpha", "url": played.url().await, "token": "t" });
    let request = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(request.json(&body)).await;
    assert_eq!(status, 201, "{added}");
    until("the history to be collected", async || {
        let request = manager.request("POST", "/v1/servers/alpha/poll", &manager.token());
        let (_, seen) = send(request.json(&json!({}))).await;
        let is_done = seen["history"]["through_event"] == 100 && seen["server_id"] == "s-1";
        is_done.then_some(())
    })
    .await;
    manager
}

async fn what_if(manager: &Manager, body: Value) -> (u16, Value) {
    let request = manager.request("POST", "/v1/whatif", &manager.token());
    send(request.json(&body)).await
}

#[tokio::test]
async fn recorded_asks_are_decided_again_with_other_numbers_of_seats() {
    let manager = collected(&Played::with(morning())).await;
    let body = json!({ "product": "cad", "seats": [3, 1, 2, 2], "service_level": "80% within 0s" });
    let (status, answer) = what_if(&manager, body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["asks"], &answer["unknown_lengths"], &answer["fit"]),
        (&6.into(), &1.into(), &true.into()),
        "{answer}"
    );
    assert_eq!(answer["why"], Value::Null);
    let results = answer["results"].as_array().unwrap();
    let came_to: Vec<_> = results
        .iter()
        .map(|it| {
            let number = |field: &str| it[field].as_u64().unwrap();
            (
                number("seats"),
                number("granted"),
                number("denied"),
                number("peak"),
            )
        })
        .collect();
    assert_eq!(came_to, [(1, 4, 2, 1), (2, 5, 1, 2), (3, 6, 0, 3)]);
    assert_eq!(results[2]["range"], json!({ "low": 0.0, "high": 0.0 }));
    assert_eq!(results[2]["wait_p50_seconds"], Value::Null);
    assert_eq!(answer["smallest_for_service_level"], 2);
    assert_eq!(answer["seats_today"], 2);
    let advice = answer["advice"].as_str().unwrap();
    assert!(
        advice.starts_with("Keep 2 seats of cad, as many as are owned today."),
        "{advice}"
    );
    assert!(answer["assumptions"].as_array().unwrap().len() > 3);
    // The same seed gives the same answer, but for the time that has passed.
    let (_, again) = what_if(&manager, body).await;
    assert_eq!(again["results"], answer["results"]);
}

#[tokio::test]
async fn who_asks_again_with_other_numbers_is_answered_as_if_all_were_worked_out_at_once() {
    let manager = collected(&Played::with(morning())).await;
    let (_, first) = what_if(&manager, json!({ "product": "cad", "seats": [1, 3] })).await;
    let of_that_time = |seats: &[u32]| json!({ "product": "cad", "seats": seats, "from": first["from"], "to": first["to"] });
    // Two of these are kept, one is not.
    let (status, again) = what_if(&manager, of_that_time(&[3, 2, 1])).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(again["results"][0], first["results"][0]);
    assert_eq!(again["results"][2], first["results"][1]);
    let (_, other) = what_if(&manager, of_that_time(&[2])).await;
    assert_eq!(other["results"][0], again["results"][1]);
    assert_eq!(other["results"][0]["denied"], 1);
    // Another way of asking is another what-if.
    let mut waiting = of_that_time(&[1]);
    waiting["on_full"] = "wait".into();
    let (_, waiting) = what_if(&manager, waiting).await;
    assert_eq!(waiting["results"][0]["denied"], 0, "{waiting}");
}

#[tokio::test]
async fn seats_that_are_still_held_are_asks_too() {
    let played = Played {
        held_since: Some(ago(100)),
        ..Played::with(morning())
    };
    let manager = collected(&played).await;
    let body = json!({ "product": "cad", "seats": [0, 1], "on_full": "deny" });
    let (status, answer) = what_if(&manager, body).await;
    assert_eq!((status, &answer["asks"]), (200, &7.into()), "{answer}");
    assert_eq!(answer["results"][0]["denied"], 7);
    assert_eq!(answer["results"][1]["granted"], 5, "{answer}");
}

#[tokio::test]
async fn a_time_of_which_little_is_recorded_is_not_fit_and_is_answered_all_the_same() {
    let manager = collected(&Played::with(morning())).await;
    let body = json!({ "product": "cad", "seats": [1], "from": ago(30 * 24 * 60) });
    let (status, answer) = what_if(&manager, body).await;
    assert_eq!((status, &answer["fit"]), (200, &false.into()), "{answer}");
    let why = answer["why"].as_str().unwrap();
    assert!(why.starts_with("nothing was recorded for"), "{why}");
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    // Of a product that is there and that nobody has used.
    let manager = collected(&Played::default()).await;
    let body = json!({ "product": "cad", "seats": [1] });
    let (status, answer) = what_if(&manager, body).await;
    assert_eq!((status, &answer["asks"]), (200, &0.into()), "{answer}");
    assert_eq!(answer["why"], "nobody asked for a seat in that time");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let manager = collected(&Played::with(morning())).await;
    let (status, refused) = what_if(&manager, json!({ "product": "cam", "seats": [1] })).await;
    assert_eq!((status, &refused["code"]), (404, &"unknown_product".into()));
    let many: Vec<u32> = (0..101).collect();
    for body in [
        json!({ "product": "cad", "seats": [] }),
        json!({ "product": "cad", "seats": many }),
        json!({ "product": "cad", "seats": [-1] }),
        json!({ "product": "cad" }),
        json!({ "product": "cad", "seats": [1], "on_full": "queue" }),
        json!({ "product": "cad", "seats": [1], "service_level": "mostly" }),
        json!({ "product": "cad", "seats": [1], "from": ago(10), "to": ago(20) }),
        json!({ "product": "cad", "seats": [1], "more": 1 }),
    ] {
        let (status, refused) = what_if(&manager, body.clone()).await;
        assert_eq!(
            (status, &refused["code"]),
            (400, &"invalid_request".into()),
            "{body}: {refused}"
        );
    }
    let (status, _) = send(manager.request("GET", "/v1/whatif", &manager.token())).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn who_may_only_look_may_ask_what_if() {
    let manager = collected(&Played::with(morning())).await;
    let request = manager.request("POST", "/v1/tokens", &manager.token());
    let body = json!({ "role": "viewer", "name": "buyer" });
    let (_, made) = send(request.json(&body)).await;
    let viewer = made["token"].as_str().unwrap();
    let body = json!({ "product": "cad", "seats": [2] });
    let ask = |token: &str| send(manager.request("POST", "/v1/whatif", token).json(&body));
    assert_eq!(ask(viewer).await.0, 200);
    assert_eq!(ask("nobody's").await.0, 401);
}

#[tokio::test]
async fn a_what_if_ends_when_who_asked_goes_away() {
    let played = Played {
        hangs: true,
        ..Played::with(morning())
    };
    let manager = collected(&played).await;
    let request = manager.request("POST", "/v1/whatif", &manager.token());
    let body = json!({ "product": "cad", "seats": [2] });
    let asking = tokio::spawn(send(request.json(&body)));
    until("the server to be asked", async || {
        played.asked.load(Ordering::Relaxed).then_some(())
    })
    .await;
    let went = Instant::now();
    asking.abort();
    until("the server to be left", async || {
        played.left.load(Ordering::Relaxed).then_some(())
    })
    .await;
    // A server that does not answer is given up only after five.
    assert!(
        went.elapsed() < Duration::from_secs(4),
        "{:?}",
        went.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_does_not_say_what_is_held_is_named() {
    let played = Played {
        hangs: true,
        ..Played::with(morning())
    };
    let manager = collected(&played).await;
    let (status, answer) = what_if(&manager, json!({ "product": "cad", "seats": [2] })).await;
    assert_eq!((status, &answer["seats_today"]), (200, &Value::Null));
    let said = answer["assumptions"].to_string();
    assert!(
        said.contains("The metering server alpha does not say which seats are still held"),
        "{said}"
    );
}

#[tokio::test]
async fn the_description_has_the_route_and_its_answer() {
    let manager = Manager::start();
    let (status, described) = send(manager.request("GET", "/openapi.json", "")).await;
    assert_eq!(status, 200);
    assert!(described["paths"]["/v1/whatif"]["post"].is_object());
    let answer = &described["components"]["schemas"]["WhatIf"]["properties"];
    for field in ["asks", "fit", "why", "results", "assumptions", "advice"] {
        assert!(answer[field].is_object(), "{field}: {answer}");
    }
}

#[tokio::test]
async fn a_report_of_one_product_works_out_how_many_seats_refuse_nobody() {
    let manager = collected(&Played::with(morning())).await;
    let position = async |query: &str| {
        // Of the time before nothing is recorded.
        let path = format!("/v1/reports/position?from={}{query}", ago(600));
        let request = manager.request("GET", &path, &manager.token());
        let (status, report) = send(request).await;
        assert_eq!(status, 200, "{report}");
        let sections = report["sections"].as_array().unwrap();
        let now = sections.iter().find(|it| it["key"] == "now").unwrap();
        let columns = now["columns"].as_array().unwrap();
        let cell = |key: &str| {
            let place = columns.iter().position(|it| it["key"] == key).unwrap();
            now["rows"][0][place].clone()
        };
        ["product", "used", "needed", "need"].map(cell)
    };
    assert_eq!(
        position("&product=cad").await,
        [json!("cad"), json!(2), json!(3), json!("exactly")]
    );
    // Of all products it is only known that two do not suffice.
    assert_eq!(
        position("").await,
        [json!("cad"), json!(2), json!(2), json!("at_least")]
    );
}
