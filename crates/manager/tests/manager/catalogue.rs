//! What a manager passes on to the server that it has change what it owns.

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::support::{Manager, play, send};

/// What a server was asked: the path with its query, and the key.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A server that notes what it is asked, and answers with nothing of interest.
async fn server(asked: &Asked) -> String {
    let asked = asked.clone();
    let note = move |request: Request| {
        let asked = asked.clone();
        async move {
            let key = request.headers().get("idempotency-key");
            let key = key.map(|it| it.to_str().unwrap().to_owned());
            asked.lock().unwrap().push((request.uri().to_string(), key));
            Json(json!({ "id": "cad" }))
        }
    };
    let health = || async { Json(json!({ "status": "ok" })) };
    let canary = || async { Json(json!({ "seated": true, "took_seconds": 0.001 })) };
    let routes = Router::new()
        .route("/v1/health", get(health))
        .route("/v1/canary", post(canary))
        .route("/v1/products", post(note.clone()))
        .route("/v1/products/{id}/demand", get(note));
    play(routes).await
}

async fn add(manager: &Manager, name: &str, url: &str) {
    let body = json!({ "name": name, "url": url, "token": "t" });
    let request = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(request.json(&body)).await;
    assert_eq!(status, 201, "{added}");
}

#[tokio::test]
async fn a_request_that_may_be_sent_twice_may_be_so_through_a_manager() {
    let asked = Asked::default();
    let manager = Manager::start();
    add(&manager, "alpha", &server(&asked).await).await;
    let request = manager.request("POST", "/v1/products", &manager.token());
    let request = request.header("Idempotency-Key", "k-1");
    let (status, made) = send(request.json(&json!({ "id": "cad" }))).await;
    assert_eq!((status, &made["server"]), (200, &"alpha".into()), "{made}");
    let expected = ("/v1/products".to_owned(), Some("k-1".to_owned()));
    assert_eq!(*asked.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn whom_seats_would_have_refused_is_asked_of_the_server_that_is_meant() {
    let asked = Asked::default();
    let manager = Manager::start();
    add(&manager, "alpha", &server(&asked).await).await;
    add(&manager, "beta", &server(&Asked::default()).await).await;
    let path = "/v1/products/c%20d/demand?seats=2&server=alpha&since=2026-11-01T00%3A00%3A00Z";
    let (status, demand) = send(manager.request("GET", path, &manager.token())).await;
    assert_eq!(
        (status, &demand["server"]),
        (200, &"alpha".into()),
        "{demand}"
    );
    let (path, _) = asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        path,
        "/v1/products/c%20d/demand?seats=2&since=2026-11-01T00%3A00%3A00Z"
    );

    let unnamed = manager.request("GET", "/v1/products/cad/demand", &manager.token());
    let (status, refused) = send(unnamed).await;
    assert_eq!(status, 400, "{refused}");
    let why = refused["detail"].as_str().unwrap();
    assert!(
        why.contains("2 metering servers are watched (alpha, beta)"),
        "{why}"
    );
}
