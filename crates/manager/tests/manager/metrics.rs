//! What `GET /metrics` of a manager says of products, beside servers that a test plays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use usher_api::Timestamp;

use crate::sources::{import, report};
use crate::support::{Manager, play, send, until};

/// What a server has.
#[derive(Clone, Default)]
struct Has {
    products: Vec<Value>,
    history: Vec<Value>,
    leases: Vec<Value>,
    /// It does not tell its id, as to a token that it does not take.
    hides: bool,
}

type Played = Arc<Mutex<Has>>;

async fn played(has: &Played) -> String {
    let health = || async { Json(json!({ "status": "ok" })) };
    let canary = || async { Json(json!({ "seated": true, "took_seconds": 0.001 })) };
    let taken = || async { Json(json!({})) };
    let empty = || async { Json(json!({ "items": [], "next": null })) };
    let routes = Router::new()
        .route("/v1/health", get(health))
        .route("/v1/canary", post(canary))
        .route("/v1/facts", get(facts))
        .route("/v1/history", get(history))
        .route("/v1/history/consumers/{name}", put(taken))
        .route("/v1/leases", get(leases))
        .route("/v1/sessions", get(empty))
        .route("/v1/entitlements", get(empty))
        .with_state(has.clone());
    play(routes).await
}

async fn facts(State(has): State<Played>) -> Json<Value> {
    let (products, hides) = {
        let has = has.lock().unwrap();
        (has.products.clone(), has.hides)
    };
    let id = if hides { "" } else { "s-1" };
    Json(
        json!({ "at": Timestamp::now(), "resident_bytes": 5, "answered_requests": 1,
        "disk": null, "backup": { "last_at": null, "data_since": Timestamp::now() },
        "ending_entitlements": [], "products": products, "products_left_out": 2, "computers": 0,
        "agents": [], "quiet_rules": [], "server_id": id }),
    )
}

async fn leases(State(has): State<Played>) -> Json<Value> {
    let leases = has.lock().unwrap().leases.clone();
    Json(json!({ "items": leases, "next": null }))
}

/// What came after the event that the cursor names.
async fn history(
    State(has): State<Played>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    let has = has.lock().unwrap().clone();
    let after = query.get("after").map(|it| it.parse::<u64>().unwrap());
    let is_new = |item: &Value| item["event"].as_u64().unwrap() > after.unwrap_or(0);
    let items: Vec<Value> = has.history.into_iter().filter(is_new).collect();
    let people = ["ann", "bob"]
        .map(|name| json!({ "id": name, "realm": "usher", "account": name, "name": name }));
    let computers = [json!({ "id": "pc1", "key": "pc1", "name": "pc1" })];
    Json(json!({
        "server_id": "s-1", "incarnation": 7, "began_after": null,
        "from": after.map(|event| json!({ "incarnation": 7, "event": event })),
        "items": items, "people": people, "computers": computers, "cursor": "100",
        "through_incarnation": 7, "through_event": 100, "head_event": 100,
    }))
}

fn product(id: &str, more: Value) -> Value {
    let mut product = json!({ "id": id, "name": id, "seats": 5, "in_use": 2, "queued": 3,
        "refused_last_hour": 0 });
    let fields = more.as_object().unwrap().clone();
    product.as_object_mut().unwrap().extend(fields);
    product
}

fn denial(event: u64, person: &str, at: Timestamp, count: u64) -> Value {
    json!({ "kind": "denial", "event": event, "incarnation": 7, "product": "cad",
        "person": person, "computer": "pc1", "key": { "incarnation": 7, "event": event - 1 },
        "seats": 1, "with": null, "retry": false, "reason": "no_seat", "count": count,
        "retries": count - 1, "waits": false, "first_at": at, "last_at": at })
}

async fn watched(manager: &Manager, has: &Played) {
    watched_as(manager, "alpha", &played(has).await).await;
}

async fn watched_as(manager: &Manager, name: &str, url: &str) {
    let body = json!({ "name": name, "url": url, "token": "t" });
    let request = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(request.json(&body)).await;
    assert_eq!(status, 201, "{added}");
}

async fn polled(manager: &Manager) {
    polled_as(manager, "alpha").await;
}

async fn polled_as(manager: &Manager, name: &str) {
    let path = format!("/v1/servers/{name}/poll");
    let request = manager.request("POST", &path, &manager.token());
    let (status, seen) = send(request.json(&json!({}))).await;
    assert_eq!(status, 200, "{seen}");
}

/// The samples of a scrape, without comments.
async fn scraped(manager: &Manager) -> Vec<String> {
    let request = manager.request("GET", "/metrics", &manager.token());
    let text = request.send().await.unwrap().text().await.unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(str::to_owned).collect()
}

/// Waits until a scrape has this sample.
async fn has(manager: &Manager, sample: &str) {
    until(sample, async || {
        let samples = scraped(manager).await;
        samples.iter().any(|it| it == sample).then_some(())
    })
    .await;
}

/// The samples of one metric.
fn of<'a>(samples: &'a [String], metric: &str) -> Vec<&'a str> {
    let name = |it: &&String| it.split(['{', ' ']).next() == Some(metric);
    samples.iter().filter(name).map(String::as_str).collect()
}

#[tokio::test]
async fn each_quantity_of_a_product_is_a_series_of_its_own_and_goes_with_it() {
    let whole = product("cad", json!({ "kept": 1, "unseated": 4 }));
    // As a server of before tells it.
    let some = product("a \"b\" \\c", json!({}));
    let told = Arc::new(Mutex::new(Has {
        products: vec![whole, some],
        ..Has::default()
    }));
    let manager = Manager::start();
    watched(&manager, &told).await;
    has(
        &manager,
        "usher_seats{product=\"cad\",server=\"alpha\",counted=\"here\"} 5",
    )
    .await;
    let samples = scraped(&manager).await;
    for (metric, value) in [
        ("usher_seats_in_use", 2),
        ("usher_seats_reserved", 1),
        ("usher_waiting", 3),
        ("usher_unseated", 4),
    ] {
        let sample =
            format!("{metric}{{product=\"cad\",server=\"alpha\",counted=\"here\"}} {value}");
        assert!(of(&samples, metric).contains(&&*sample), "{samples:?}");
    }
    let escaped =
        "usher_waiting{product=\"a \\\"b\\\" \\\\c\",server=\"alpha\",counted=\"here\"} 3";
    assert!(of(&samples, "usher_waiting").contains(&escaped));
    // What a server does not tell is no 0.
    assert_eq!(of(&samples, "usher_seats_reserved").len(), 1);
    assert_eq!(of(&samples, "usher_unseated").len(), 1);
    assert_eq!(
        of(&samples, "usher_products_left_out"),
        ["usher_products_left_out 2"]
    );
    let ages = of(&samples, "usher_counts_age_seconds");
    assert_eq!(ages.len(), 1, "{ages:?}");

    told.lock().unwrap().products.pop();
    polled(&manager).await;
    let samples = scraped(&manager).await;
    assert_eq!(of(&samples, "usher_seats").len(), 1, "{samples:?}");
    assert_eq!(of(&samples, "usher_waiting").len(), 1, "{samples:?}");

    let request = manager.request("DELETE", "/v1/servers/alpha", &manager.token());
    assert_eq!(send(request).await.0, 204);
    let samples = scraped(&manager).await;
    let of_server: Vec<&String> = samples.iter().filter(|it| it.contains("alpha")).collect();
    assert_eq!(of_server, [""; 0]);
}

#[tokio::test]
async fn refusals_are_counted_by_what_became_of_them_once_that_is_known() {
    let manager = Manager::start();
    // Known a second from now: 16 minutes later.
    let known_ms = Timestamp::now().as_millisecond() + 1_000;
    let at = |seconds: i64| {
        let ms = known_ms + (seconds - 16 * 60) * 1_000;
        Timestamp::from_millisecond(ms).unwrap()
    };
    let lease = json!({ "id": "L00000007-50", "product": "cad", "user": "bob", "computer": "pc1",
        "seats": 1, "granted_at": at(300), "expires_at": at(3_000), "ttl_seconds": 300 });
    let told = Arc::new(Mutex::new(Has {
        products: vec![product("cad", json!({})), product("idle", json!({}))],
        history: vec![denial(30, "ann", at(0), 3), denial(40, "bob", at(0), 1)],
        leases: vec![lease],
        hides: false,
    }));
    watched(&manager, &told).await;
    let sample = |product: &str, class: &str, count: u64| {
        format!(
            "usher_denials_total{{product=\"{product}\",server=\"alpha\",counted=\"here\",\
             class=\"{class}\"}} {count}"
        )
    };
    let classes = ["final", "satisfied_later", "retry"];
    until("the refusals to be counted", async || {
        polled(&manager).await;
        let samples = scraped(&manager).await;
        let denials = of(&samples, "usher_denials_total");
        if denials.is_empty() {
            return None;
        }
        // From 0 on, so that the first is an increase.
        for class in classes {
            assert!(denials.contains(&&*sample("idle", class, 0)), "{denials:?}");
        }
        assert_eq!(denials.len(), 6);
        denials.contains(&&*sample("cad", "retry", 2)).then_some(())
    })
    .await;
    let samples = scraped(&manager).await;
    for (class, count) in classes.into_iter().zip([1, 1, 2]) {
        let denials = of(&samples, "usher_denials_total");
        assert!(
            denials.contains(&&*sample("cad", class, count)),
            "{denials:?}"
        );
    }
}

#[tokio::test]
async fn what_another_licence_server_counts_is_shown_as_long_as_it_is_recent() {
    let manager = Manager::start();
    let minutes_ago = |minutes: i64| {
        let ms = Timestamp::now().as_millisecond() - minutes * 60_000;
        Timestamp::from_millisecond(ms).unwrap()
    };
    let recent = import(&manager, "lic1", "lmstat", &report(minutes_ago(1), 10, 4)).await;
    import(&manager, "lic2", "lmstat", &report(minutes_ago(60), 10, 5)).await;
    has(
        &manager,
        "usher_seats_in_use{product=\"MLM:Simulink\",server=\"lic1\",counted=\"elsewhere\"} 4",
    )
    .await;
    let samples = scraped(&manager).await;
    for (metric, value) in [
        ("usher_seats", 10),
        ("usher_seats_reserved", 1),
        ("usher_waiting", 2),
    ] {
        let sample = format!(
            "{metric}{{product=\"MLM:Simulink\",server=\"lic1\",counted=\"elsewhere\"}} {value}"
        );
        assert_eq!(of(&samples, metric), [&*sample]);
    }
    assert_eq!(of(&samples, "usher_unseated"), [""; 0], "nobody can tell");
    until("both ages", async || {
        let samples = scraped(&manager).await;
        let ages = of(&samples, "usher_counts_age_seconds");
        let age = |source: &str| {
            let begin = format!("usher_counts_age_seconds{{server=\"{source}\",");
            let sample = ages.iter().find(|it| it.starts_with(&begin))?;
            sample.rsplit(' ').next()?.parse::<f64>().ok()
        };
        let (one, other) = (age("lic1")?, age("lic2")?);
        assert!((60.0..90.0).contains(&one), "{one}");
        assert!((3_600.0..3_630.0).contains(&other), "{other}");
        Some(())
    })
    .await;
    let old: Vec<String> = scraped(&manager).await;
    let in_use = of(&old, "usher_seats_in_use");
    assert!(!in_use.iter().any(|it| it.contains("lic2")), "{in_use:?}");

    let path = format!("/v1/imports/{recent}");
    assert_eq!(
        send(manager.request("DELETE", &path, &manager.token()))
            .await
            .0,
        204
    );
    until("the import's series to go", async || {
        let samples = scraped(&manager).await;
        let is_there = samples.iter().any(|it| it.contains("lic1"));
        (!is_there).then_some(())
    })
    .await;
}

async fn answered(manager: &Manager, path: &str) -> Value {
    let (status, body) = send(manager.request("GET", path, &manager.token())).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn a_server_that_is_watched_under_two_names_counts_once_and_that_is_told_once() {
    let told = Arc::new(Mutex::new(Has {
        products: vec![product("cad", json!({}))],
        hides: true,
        ..Has::default()
    }));
    let url = played(&told).await;
    let manager = Manager::start();
    for name in ["alpha", "again"] {
        watched_as(&manager, name, &url).await;
    }
    told.lock().unwrap().hides = false;
    for name in ["alpha", "again", "alpha"] {
        polled_as(&manager, name).await;
    }
    let samples = scraped(&manager).await;
    let seats = of(&samples, "usher_seats");
    assert_eq!(seats.len(), 1, "{seats:?}");
    assert!(seats[0].contains("server=\"again\""), "{seats:?}");
    // Its history is collected once, and no part of it is said to be missing.
    let usage = until("the history", async || {
        let usage = answered(&manager, "/v1/usage").await;
        let as_of = usage["as_of"].as_array().unwrap().clone();
        (!as_of.is_empty()).then_some(usage)
    })
    .await;
    assert_eq!(usage["as_of"].as_array().unwrap().len(), 1, "{usage}");
    assert_eq!(usage["as_of"][0]["server"], "again", "{usage}");
    assert!(!usage["cut"].to_string().contains("alpha"), "{usage}");
    // What was said of it under the other name, before it told its id, stays said.
    let report = answered(&manager, "/v1/reports/health").await;
    let report = report["sections"][0].to_string();
    assert!(
        report.contains("\"again\"") && !report.contains("\"alpha\""),
        "{report}"
    );
    let of_it = answered(&manager, "/v1/messages?id=9455").await;
    let of_it = of_it["items"].as_array().unwrap().clone();
    assert_eq!(of_it.len(), 1, "{of_it:?}");
    assert_eq!(of_it[0]["values"][1], "alpha");
    assert_eq!(of_it[0]["count"], 1);
}
