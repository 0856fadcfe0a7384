//! What a manager tells of a server that answers and grants nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use usher_api::Timestamp;
use usher_manager::OwnServer;

use crate::support::{Manager, play, send, until};

type Health = Arc<Mutex<Value>>;

/// A server whose health is what the test says, and whose work moves.
async fn server(health: &Health, state: &'static str) -> String {
    let told = health.clone();
    let answer = move || {
        let told = told.clone();
        async move { Json(told.lock().unwrap().clone()) }
    };
    let canary = || async { Json(json!({ "seated": true, "took_seconds": 0.001 })) };
    let service = move || async move { Json(json!({ "state": state })) };
    let routes = Router::new()
        .route("/v1/health", get(answer))
        .route("/v1/service", get(service))
        .route("/v1/canary", post(canary));
    play(routes).await
}

fn beside(url: String) -> Manager {
    Manager::start_beside(|folder| {
        let token_file = folder.join("server.token");
        std::fs::write(&token_file, "token").unwrap();
        Some(OwnServer {
            name: "alpha".to_owned(),
            url,
            token_file,
            // Nobody holds a lock there, and nobody is said to.
            data: folder.join("elsewhere"),
        })
    })
}

async fn ask(manager: &Manager, path: &str) -> Value {
    let (status, body) = send(manager.request("GET", path, &manager.token())).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// The server as it is seen once it was looked at.
async fn seen(manager: &Manager, verdict: &str) -> Value {
    until(verdict, async || {
        let seen = ask(manager, "/v1/servers/alpha").await;
        (seen["verdict"] == verdict && !seen["polled_at"].is_null()).then_some(seen)
    })
    .await
}

#[tokio::test]
async fn a_server_that_holds_after_a_restore_is_degraded_until_the_time_that_it_names() {
    let ends = Timestamp::now() + Duration::from_secs(5);
    let why = format!("it was restored from a backup and grants nothing until {ends}");
    let held = json!({ "status": "degraded", "why": why,
        "grants_nothing": { "reason": "restored", "why": why, "until": ends } });
    let health = Arc::new(Mutex::new(held));
    let manager = beside(server(&health, "running").await);

    let degraded = seen(&manager, "degraded").await;
    assert!(
        degraded["evidence"].to_string().contains(&why),
        "{degraded}"
    );
    assert_eq!(degraded["grants_nothing"]["reason"], "restored");
    let open = until("the message", async || {
        let open = ask(&manager, "/v1/messages?id=9411").await;
        open["items"].get(0).cloned()
    })
    .await;
    let text = open["text"].as_str().unwrap();
    assert!(
        text.contains(&why) && open["recovered_at"].is_null(),
        "{open}"
    );
    let text = {
        let request = manager.request("GET", "/metrics", &manager.token());
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(
        text.contains("usher_server_granting{server=\"alpha\"} 0"),
        "{text}"
    );

    *health.lock().unwrap() = json!({ "status": "ok" });
    // The next poll is an hour away: it looks at the end of the hold.
    let well = seen(&manager, "running").await;
    assert_eq!(well["grants_nothing"], Value::Null);
    until("the recovery", async || {
        let closed = ask(&manager, "/v1/messages?id=9411").await;
        (!closed["items"][0]["recovered_at"].is_null()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_paused_is_in_maintenance_and_said_to_grant_nothing() {
    let says = json!({ "reason": "paused", "why": "it is paused", "until": null });
    let health = json!({ "status": "ok", "grants_nothing": says });
    let health = Arc::new(Mutex::new(health));
    let manager = beside(server(&health, "paused").await);

    let paused = seen(&manager, "maintenance").await;

    assert_eq!(paused["grants_nothing"], says);
}
