//! The tokens that a manager takes, and those that it shows to servers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use usher_manager::OwnServer;

use crate::support::{DEADLINE, Manager, play, send, until};

#[tokio::test]
async fn a_look_that_waits_for_news_ends_when_its_token_is_exchanged() {
    let manager = Manager::start();
    let old = manager.token();
    let waits = manager
        .request("GET", "/v1/messages?wait_seconds=60&after=1000", &old)
        .timeout(DEADLINE);
    let mut waits = tokio::spawn(send(waits));
    let early = tokio::time::timeout(Duration::from_millis(500), &mut waits).await;
    assert!(early.is_err(), "it does not wait: {early:?}");
    let new = "usher_1111111111111111111111111111111111111111111111111111111111111111";

    std::fs::write(manager.token_file(), new).unwrap();

    let (status, body) = waits.await.unwrap();
    assert_eq!((status, &body["code"]), (401, &"unauthorized".into()));
    let (status, _) = send(manager.request("GET", "/v1/servers", new)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_token_that_was_exchanged_opens_nothing_though_nobody_has_shown_the_new_one() {
    let manager = Manager::start();
    let old = manager.token();
    assert_eq!(
        send(manager.request("GET", "/v1/servers", &old)).await.0,
        200
    );

    std::fs::write(manager.token_file(), "usher_2222222222222222").unwrap();

    until("the old token to be refused", async || {
        let (status, _) = send(manager.request("GET", "/v1/servers", &old)).await;
        (status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_managers_tokens_are_listed_page_by_page() {
    let manager = Manager::start();
    let admin = manager.token();
    for number in 0..5 {
        let body = serde_json::json!({ "role": "viewer", "name": number.to_string() });
        let made = send(manager.request("POST", "/v1/tokens", &admin).json(&body)).await;
        assert_eq!(made.0, 201, "{}", made.1);
    }
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    let mut path = "/v1/tokens?limit=2".to_owned();
    loop {
        let (status, page) = send(manager.request("GET", &path, &admin)).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        names.extend(
            items
                .iter()
                .map(|it| it["name"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/tokens?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(names, ["0", "1", "2", "3", "4"]);
    for wrong in ["limit=0", "limit=1001", "cursor=m-0", "page=1"] {
        let path = format!("/v1/tokens?{wrong}");
        let (status, page) = send(manager.request("GET", &path, &admin)).await;
        assert_eq!(
            (status, &page["code"]),
            (400, &"invalid_request".into()),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_managers_tokens_have_roles_and_end_when_they_are_revoked() {
    let manager = Manager::start();
    let admin = manager.token();
    let make = |role: &str| {
        let body = serde_json::json!({ "role": role, "name": "nagios" });
        send(manager.request("POST", "/v1/tokens", &admin).json(&body))
    };
    let (status, made) = make("viewer").await;
    assert_eq!((status, &made["role"]), (201, &"viewer".into()), "{made}");
    let viewer = made["token"].as_str().unwrap().to_owned();
    let (status, wrong) = make("agent").await;
    assert_eq!(status, 400, "{wrong}");

    let as_viewer = |method: &str, path: &str| send(manager.request(method, path, &viewer));
    assert_eq!(as_viewer("GET", "/v1/servers").await.0, 200);
    assert_eq!(as_viewer("GET", "/v1/messages").await.0, 200);
    let (status, no) = as_viewer("PUT", "/v1/message-rules").await;
    assert_eq!((status, &no["code"]), (403, &"forbidden".into()), "{no}");
    assert_eq!(as_viewer("POST", "/v1/servers/x/poll").await.0, 403);
    assert_eq!(as_viewer("GET", "/v1/tokens").await.0, 403);

    let (_, list) = send(manager.request("GET", "/v1/tokens", &admin)).await;
    assert_eq!(list["items"][0]["name"], "nagios", "{list}");
    assert!(!list.to_string().contains(&viewer), "{list}");
    let waits = manager.request("GET", "/v1/messages?wait_seconds=60&after=1000", &viewer);
    let waits = tokio::spawn(send(waits.timeout(DEADLINE)));
    let path = format!("/v1/tokens/{}", made["id"].as_str().unwrap());
    let gone = manager.request("DELETE", &path, &admin).send().await;
    assert_eq!(gone.unwrap().status(), 204);
    assert_eq!(waits.await.unwrap().0, 401);
    assert_eq!(as_viewer("GET", "/v1/servers").await.0, 401);
}

/// A server that takes one token and tells which were shown to its stream of events.
struct Server {
    takes: Mutex<String>,
    heard: AtomicUsize,
}

impl Server {
    fn events(&self, headers: &HeaderMap, uri: &Uri) -> Response {
        assert_eq!(uri.query(), Some("only=heartbeat"));
        let shown = headers["authorization"].to_str().unwrap();
        if *self.takes.lock().unwrap() != shown {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        self.heard.fetch_add(1, Ordering::SeqCst);
        let hello = Body::from(": listening\n\n");
        ([("content-type", "text/event-stream")], hello).into_response()
    }
}

#[tokio::test]
async fn a_server_is_listened_to_again_with_the_token_that_its_file_holds_now() {
    let server = Arc::new(Server {
        takes: Mutex::new("Bearer old".to_owned()),
        heard: AtomicUsize::new(0),
    });
    let played = server.clone();
    let events = get(move |headers: HeaderMap, uri: Uri| {
        let played = played.clone();
        async move { played.events(&headers, &uri) }
    });
    let url = play(Router::new().route("/v1/events", events)).await;
    let manager = Manager::start_beside(|folder| {
        let token_file = folder.join("server.token");
        std::fs::write(&token_file, "old").unwrap();
        Some(OwnServer {
            name: "local".to_owned(),
            url,
            token_file,
            data: folder.join("server"),
        })
    });
    let heard = || server.heard.load(Ordering::SeqCst);
    until("the manager to listen", async || {
        (heard() > 0).then_some(())
    })
    .await;

    *server.takes.lock().unwrap() = "Bearer new".to_owned();
    std::fs::write(manager.folder().join("server.token"), "new").unwrap();
    let before = heard();

    until("the manager to listen again", async || {
        (heard() > before).then_some(())
    })
    .await;
}
