//! How servers come to be watched, and what is said of them then.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use usher_core::health::HealingOptions;

use crate::support::{Manager, play, send, until};

/// A server that takes one token and tells its id, as of this version.
async fn server(id: &'static str, takes: &Arc<Mutex<&'static str>>) -> String {
    let takes = takes.clone();
    let answer = move |headers: HeaderMap, body: Value| -> Response {
        let shown = headers["authorization"].to_str().unwrap();
        if shown == format!("Bearer {}", takes.lock().unwrap()) {
            return Json(body).into_response();
        }
        let detail = match shown {
            "Bearer backup" => {
                "a token of role backup may not do anything else than take backups: use one of \
                 role viewer or more"
            }
            _ => "the token is not known here, or was revoked: make one",
        };
        let (status, code) = match shown {
            "Bearer backup" => (StatusCode::FORBIDDEN, "forbidden"),
            _ => (StatusCode::UNAUTHORIZED, "unauthorized"),
        };
        (status, Json(json!({ "code": code, "detail": detail }))).into_response()
    };
    let facts = json!({ "at": "2026-11-25T10:00:00Z", "resident_bytes": 5, "answered_requests": 1,
        "disk": null, "backup": { "last_at": null, "data_since": "2026-11-25T09:00:00Z" },
        "ending_entitlements": [], "products": [], "computers": 0, "agents": [],
        "quiet_rules": [], "server_id": id });
    let canary = json!({ "seated": true, "took_seconds": 0.001 });
    let of = |body: Value| {
        let answer = answer.clone();
        move |headers: HeaderMap| {
            let (answer, body) = (answer.clone(), body.clone());
            async move { answer(headers, body) }
        }
    };
    let health = || async { Json(json!({ "status": "ok" })) };
    play(
        Router::new()
            .route("/v1/health", get(health))
            .route("/v1/service", get(of(json!({ "state": "running" }))))
            .route("/v1/facts", get(of(facts)))
            .route("/v1/canary", post(of(canary))),
    )
    .await
}

async fn ask(manager: &Manager, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = manager.request(method, path, &manager.token());
    send(request.json(&body)).await
}

async fn add(manager: &Manager, name: &str, url: &str, token: &str) -> (u16, Value) {
    let body = json!({ "name": name, "url": url, "token": token });
    ask(manager, "POST", "/v1/servers", body).await
}

async fn edit(manager: &Manager, name: &str, change: Value) -> (u16, Value) {
    ask(manager, "PATCH", &format!("/v1/servers/{name}"), change).await
}

/// What the API of a server was found to say.
fn found(seen: &Value) -> &str {
    let evidence = seen["evidence"].as_array().unwrap();
    let api = evidence.iter().find(|it| it["source"] == "api").unwrap();
    api["finding"].as_str().unwrap()
}

async fn messages(manager: &Manager, query: &str) -> Vec<Value> {
    let list = manager.request("GET", &format!("/v1/messages?{query}"), &manager.token());
    let (status, list) = send(list).await;
    assert_eq!(status, 200, "{list}");
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn one_server_under_two_names_is_refused() {
    let takes = Arc::new(Mutex::new("viewer"));
    let (one, other) = (server("s-1", &takes).await, server("s-2", &takes).await);
    let manager = Manager::start();
    let (status, added) = add(&manager, "alpha", &one, "viewer").await;
    assert_eq!(
        (status, &added["server_id"]),
        (201, &"s-1".into()),
        "{added}"
    );

    let (status, refused) = add(&manager, "again", &one, "viewer").await;

    assert_eq!((status, &refused["code"]), (409, &"server_exists".into()));
    let why = refused["detail"].as_str().unwrap();
    assert!(why.contains("watched as alpha already"), "{why}");
    assert_eq!(add(&manager, "beta", &other, "viewer").await.0, 201);
    let (status, refused) = edit(&manager, "beta", json!({ "url": one })).await;
    assert_eq!(status, 409, "{refused}");
}

#[tokio::test]
async fn a_server_that_turns_out_to_be_another_is_said_to_be() {
    let takes = Arc::new(Mutex::new("viewer"));
    let one = server("s-1", &takes).await;
    let manager = Manager::start();
    assert_eq!(add(&manager, "alpha", &one, "viewer").await.0, 201);
    // It does not tell who it is to this token, and later takes it.
    assert_eq!(add(&manager, "again", &one, "other").await.0, 201);
    *takes.lock().unwrap() = "other";
    let (_, seen) = ask(&manager, "POST", "/v1/servers/again/poll", json!({})).await;
    assert_eq!(seen["same_as"], "alpha", "{seen}");
}

#[tokio::test]
async fn a_manager_is_not_watched_as_a_server() {
    let manager = Manager::start();
    let other = Manager::start();
    let (status, refused) = add(&manager, "alpha", &other.url(), "t").await;
    assert_eq!((status, &refused["code"]), (400, &"invalid_request".into()));
    let why = refused["detail"].as_str().unwrap();
    assert!(why.contains("is a manager, not a metering server"), "{why}");

    // One of before does not tell that it is one, but by how it refuses a token.
    let refuses = || async {
        let detail = "the manager does not know the token, or it has expired: the manager takes tokens of \
                      its own; `usher token create --role viewer --at-manager` makes others";
        let body = json!({ "code": "unauthorized", "detail": detail });
        (StatusCode::UNAUTHORIZED, Json(body))
    };
    let health = || async { Json(json!({ "status": "ok" })) };
    let before = Router::new().route("/v1/health", get(health));
    let url = play(before.fallback(refuses)).await;
    let (status, added) = add(&manager, "beta", &url, "t").await;
    assert_eq!(
        (status, &added["verdict"]),
        (201, &"unknown".into()),
        "{added}"
    );
    let said = found(&added);
    assert!(
        said.contains("is a manager, not a metering server"),
        "{said}"
    );
    assert!(said.contains("usher servers edit beta --url"), "{said}");
}

#[tokio::test]
async fn trouble_that_is_there_when_a_server_is_added_is_seen_once() {
    let manager = Manager::start();
    let (status, added) = add(&manager, "alpha", "http://127.0.0.1:9", "t").await;
    assert_eq!(
        (status, &added["verdict"]),
        (201, &"unreachable".into()),
        "{added}"
    );
    assert_eq!(added["episode"]["count"], 1, "{added}");
    let (_, seen) = ask(&manager, "POST", "/v1/servers/alpha/poll", json!({})).await;
    assert_eq!(seen["episode"]["count"], 2, "{seen}");
}

#[tokio::test]
async fn a_token_of_the_wrong_role_is_named_with_the_role_that_is_needed() {
    let url = server("s-1", &Arc::new(Mutex::new("viewer"))).await;
    let manager = Manager::start();
    let (status, added) = add(&manager, "alpha", &url, "backup").await;
    assert_eq!((status, &added["verdict"]), (201, &"unknown".into()));
    let said = found(&added);
    assert!(
        said.contains("role backup") && said.contains("role manager, viewer"),
        "{said}"
    );
    assert!(!said.contains("something else"), "{said}");
}

#[tokio::test]
async fn a_server_that_speaks_tls_is_not_called_silent() {
    // It answers each by the alert that a server of TLS has for it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 1];
            let _ = stream.read_exact(&mut first).await;
            let code = if first == [0x16] { 0x28 } else { 0x46 };
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, code]).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let manager = Manager::start();
    let (status, added) = add(&manager, "alpha", &format!("http://{address}"), "t").await;
    assert_eq!(
        (status, &added["verdict"]),
        (201, &"unknown".into()),
        "{added}"
    );
    let said = found(&added);
    assert!(said.contains("speaks TLS"), "{said}");
    assert!(said.contains(&format!("--url https://{address}")), "{said}");
}

#[tokio::test]
async fn a_server_whose_token_was_exchanged_is_given_the_new_one_and_its_trouble_goes_on() {
    let takes = Arc::new(Mutex::new("old"));
    let url = server("s-1", &takes).await;
    let manager = Manager::start();
    assert_eq!(
        add(&manager, "alpha", &url, "old").await.1["verdict"],
        "running"
    );
    *takes.lock().unwrap() = "new";
    let (_, refused) = ask(&manager, "POST", "/v1/servers/alpha/poll", json!({})).await;
    assert_eq!(refused["verdict"], "unknown", "{refused}");
    assert!(
        found(&refused).contains("servers edit alpha --token-file"),
        "{refused}"
    );

    // A change that is none of the trouble leaves it open, under the same record.
    let open = messages(&manager, "open=true").await;
    let (status, edited) = edit(&manager, "alpha", json!({ "data": "/nowhere" })).await;
    assert_eq!(
        (status, &edited["verdict"]),
        (200, &"unknown".into()),
        "{edited}"
    );
    let still = messages(&manager, "open=true").await;
    assert_eq!(open[0]["record_id"], still[0]["record_id"], "{still:?}");

    let (status, edited) = edit(&manager, "alpha", json!({ "token": "new", "data": "" })).await;

    assert_eq!(
        (status, &edited["verdict"]),
        (200, &"running".into()),
        "{edited}"
    );
    assert_eq!(messages(&manager, "open=true").await, Vec::<Value>::new());
    let told = messages(&manager, "id=9455").await;
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("another token"), "{text}");
    assert!(!text.contains("new"), "{text}");
    // The same again is no change, and no mistake.
    let (status, same) = edit(&manager, "alpha", json!({ "token": "new" })).await;
    assert_eq!((status, &same["verdict"]), (200, &"running".into()));
    assert_eq!(messages(&manager, "id=9455").await.len(), told.len());
    assert_eq!(edit(&manager, "alpha", json!({})).await.0, 400);
    assert_eq!(edit(&manager, "alpha", json!({ "url": "x" })).await.0, 400);
    assert_eq!(
        edit(&manager, "nobody", json!({ "token": "x" })).await.0,
        404
    );
}

#[tokio::test]
async fn a_token_that_the_server_does_not_take_replaces_none_that_it_takes() {
    let takes = Arc::new(Mutex::new("viewer"));
    let url = server("s-1", &takes).await;
    let manager = Manager::start();
    assert_eq!(add(&manager, "alpha", &url, "viewer").await.0, 201);

    let (status, refused) = edit(&manager, "alpha", json!({ "token": "mistyped" })).await;

    assert_eq!((status, &refused["code"]), (400, &"invalid_request".into()));
    let why = refused["detail"].as_str().unwrap();
    for word in [
        "watched as before",
        "token create --role manager",
        "\"force\": true",
    ] {
        assert!(why.contains(word), "{word}: {why}");
    }
    assert!(!why.contains("mistyped"), "{why}");
    let (_, seen) = ask(&manager, "POST", "/v1/servers/alpha/poll", json!({})).await;
    assert_eq!(seen["verdict"], "running", "{seen}");
    assert_eq!(messages(&manager, "id=9455").await, Vec::<Value>::new());
    // Where nobody answers, nobody says that the token is not taken.
    let elsewhere = json!({ "token": "new", "url": "http://127.0.0.1:9" });
    let (status, gone) = edit(&manager, "alpha", elsewhere).await;
    assert_eq!(
        (status, &gone["verdict"]),
        (200, &"unreachable".into()),
        "{gone}"
    );
    // At another address the token that it has is looked at as well.
    let (status, _) = edit(&manager, "alpha", json!({ "url": url })).await;
    assert_eq!(status, 400);
    let forced = json!({ "url": url, "force": true });
    let (status, forced) = edit(&manager, "alpha", forced).await;
    assert_eq!(
        (status, &forced["verdict"]),
        (200, &"unknown".into()),
        "{forced}"
    );
    assert_eq!(
        edit(&manager, "alpha", json!({ "force": true })).await.0,
        400
    );
}

/// When that began, as it is said.
fn instant(said: &Value) -> usher_api::Timestamp {
    said.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_edit_that_leaves_what_is_watched_restarts_no_time() {
    let takes = Arc::new(Mutex::new("old"));
    let url = server("s-1", &takes).await;
    let manager = Manager::start();
    let well = add(&manager, "alpha", &url, "old").await.1;
    assert_eq!(well["verdict"], "running", "{well}");
    let since = well["since"].clone();
    let (_, well) = edit(&manager, "alpha", json!({ "data": "/nowhere" })).await;
    assert_eq!(well["verdict"], "running", "{well}");
    assert_eq!(well["since"], since, "{well}");

    *takes.lock().unwrap() = "new";
    let (_, refused) = ask(&manager, "POST", "/v1/servers/alpha/poll", json!({})).await;
    assert_eq!(refused["verdict"], "unknown", "{refused}");
    let (since, first_at) = (&refused["since"], &refused["episode"]["first_at"]);
    let later = usher_api::Timestamp::now();
    let (_, seen) = edit(&manager, "alpha", json!({ "data": "" })).await;
    assert_eq!(&seen["since"], since, "{seen}");
    assert_eq!(&seen["episode"]["first_at"], first_at, "{seen}");
    // So does a restart of the manager.
    let manager = manager.restart_as(|_, _| {});
    let seen = until("the first look", async || {
        let (_, seen) = ask(&manager, "POST", "/v1/servers/alpha/poll", json!({})).await;
        (seen["verdict"] == "unknown" && seen["episode"]["count"] != 1).then_some(seen)
    })
    .await;
    assert_eq!(&seen["episode"]["first_at"], first_at, "{seen}");
    let another_address = format!("{url}/");
    let change = json!({ "url": another_address, "token": "new" });
    let (_, well) = edit(&manager, "alpha", change).await;
    assert_eq!(well["verdict"], "running", "{well}");
    assert!(instant(&well["since"]) > later, "{later}: {well}");
}

#[tokio::test]
async fn a_server_that_would_be_healed_and_cannot_is_told_once() {
    let manager = Manager::start_as(|_, options| {
        options.healing = Some(HealingOptions {
            patience: Duration::ZERO,
            ..HealingOptions::default()
        });
    });
    let data = manager.folder().join("dead");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("lock"), "").unwrap();
    let request = json!({ "name": "dead", "url": "http://127.0.0.1:9", "token": "t",
        "data": data });
    let (status, added) = ask(&manager, "POST", "/v1/servers", request).await;
    assert_eq!(
        (status, &added["verdict"]),
        (201, &"stopped".into()),
        "{added}"
    );
    let how = added["healing"]["how"].as_str().unwrap();
    assert!(
        added["healing"]["by"].is_null() && how.contains("--unit UNIT"),
        "{added}"
    );
    ask(&manager, "POST", "/v1/servers/dead/poll", json!({})).await;
    let told = until("the word of it", async || {
        let told = messages(&manager, "id=9423").await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    assert_eq!((told.len(), &told[0]["count"]), (1, &1.into()), "{told:?}");
    // No step was tried.
    let text = told[0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("The metering server dead is not healed: "),
        "{text}"
    );
}
