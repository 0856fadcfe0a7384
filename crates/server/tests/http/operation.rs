//! Health, status, metrics, events, backups, the description; starting and stopping.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher_server::{Managed, ServerError, run_until};

use crate::common::{Server, options, send, until};

#[tokio::test]
async fn it_says_how_it_is() {
    let server = Server::start();
    let health = server.get("/v1/health").await;
    assert_eq!(health, json!({ "status": "ok", "role": "server" }));
    let status = server.get("/v1/status").await;
    let state = &status["server"];
    assert_eq!(
        (&state["state"], &state["pack"]["state"]),
        (&json!("running"), &json!("idle"))
    );
    assert_eq!(state["version"], env!("CARGO_PKG_VERSION"));
    let since: usher_api::Timestamp = state["since"].as_str().unwrap().parse().unwrap();
    assert!(since <= usher_api::Timestamp::now());
}

#[tokio::test]
async fn metrics_count_requests_and_decisions() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    for who in ["bob", "bob", "dan"] {
        server.checkout("cad", who).await;
    }
    server.ticket("cad", "eve").await;
    server.product("bim", 0).await;
    server.checkout("bim", "bob").await;
    let text = async || {
        let request = server.request("GET", "/metrics", &server.admin);
        let response = request.send().await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        response.text().await.unwrap()
    };
    let text = text().await;
    for line in [
        "usher_healthy 1",
        "usher_decisions_total{decision=\"granted\"} 1",
        "usher_decisions_total{decision=\"denied\"} 4",
        "usher_decisions_total{decision=\"queued\"} 1",
        "usher_seats{product=\"cad\"} 1",
        "usher_seats_in_use{product=\"cad\"} 1",
        "usher_queued{product=\"cad\"} 1",
        "usher_denials_total{product=\"cad\",reason=\"no_seat\"} 3",
        "usher_denials_total{product=\"bim\",reason=\"no_entitlement\"} 1",
        "usher_denials_total{product=\"bim\",reason=\"no_seat\"} 0",
        "usher_http_requests_total{method=\"POST\",path=\"/v1/checkouts\",status=\"201\"} 1",
        "usher_http_requests_total{method=\"POST\",path=\"/v1/checkouts\",status=\"403\"} 4",
        "usher_http_requests_total{method=\"POST\",path=\"/v1/products\",status=\"201\"} 2",
        "usher_http_request_duration_seconds_count{method=\"POST\",path=\"/v1/checkouts\"} 6",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
    // What is asked for on a working day is not drowned in the latencies of all routes.
    let all = text.lines().filter(|line| !line.starts_with('#')).count();
    let buckets = text
        .lines()
        .filter(|line| line.contains("_bucket{"))
        .count();
    assert!(
        buckets * 2 < all,
        "{buckets} of {all} lines are buckets\n{text}"
    );
    assert!(text.starts_with("# HELP usher_seats "), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        value.parse::<f64>().unwrap();
    }
}

/// Reads server-sent events until one of that kind comes; answers its data.
pub(crate) struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    pub(crate) async fn follow(server: &Server) -> Events {
        Events::of(server, "/v1/events").await
    }

    async fn of(server: &Server, path: &str) -> Events {
        let request = server.request("GET", path, &server.admin);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Events {
            response,
            text: String::new(),
        };
        // The first comment comes when events are listened to.
        while !events.text.contains("\n\n") {
            events.more().await;
        }
        events
    }

    async fn more(&mut self) -> bool {
        let piece = self.response.chunk().await.unwrap();
        if let Some(piece) = &piece {
            self.text.push_str(std::str::from_utf8(piece).unwrap());
        }
        piece.is_some()
    }

    pub(crate) async fn next(&mut self, kind: &str) -> Value {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(str::to_owned)
                };
                let (found, data) = (field("event: "), field("data: "));
                let numbered = field("id: ").is_none_or(|id| id.parse::<u64>().is_ok());
                assert!(numbered, "{event}");
                self.text = rest.to_owned();
                if found.as_deref() == Some(kind) {
                    return serde_json::from_str(&data.unwrap()).unwrap();
                }
            }
            assert!(self.more().await, "the stream ended before a {kind}");
        }
    }
}

#[tokio::test]
async fn who_wants_only_the_heartbeat_is_told_nothing_else() {
    let server = Server::start();
    server.product("cad", 1).await;
    let mut heartbeat = Events::of(&server, "/v1/events?only=heartbeat").await;
    assert_eq!(heartbeat.text, ": listening\n\n");
    let mut all = Events::follow(&server).await;
    server.lease("cad", "zoe").await;
    all.next("grant").await;
    let more = tokio::time::timeout(Duration::from_millis(200), heartbeat.more());
    assert!(more.await.is_err(), "{}", heartbeat.text);

    let request = server.request("GET", "/v1/events?only=grants", &server.admin);
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let why = refused.text().await.unwrap();
    assert!(why.contains("heartbeat"), "{why}");
}

#[tokio::test]
async fn what_happens_is_told_to_who_follows() {
    let server = Server::start();
    server.product("cad", 1).await;
    let before = server.lease("cad", "zoe").await;
    let mut events = Events::follow(&server).await;
    let end = |lease: String| {
        let server = &server;
        async move {
            server
                .call("DELETE", &format!("/v1/leases/{lease}"), None)
                .await
        }
    };
    end(before.clone()).await;
    let checkin = events.next("checkin").await;
    assert_eq!(
        (&checkin["lease"], &checkin["user"], &checkin["cause"]),
        (&json!(before), &json!("zoe"), &json!("checked_in")),
        "a lease from before is known too"
    );
    let lease = server.lease("cad", "ann").await;
    let grant = events.next("grant").await;
    assert_eq!(
        (
            &grant["lease"],
            &grant["user"],
            &grant["product"],
            &grant["computer"]
        ),
        (&json!(lease), &json!("ann"), &json!("cad"), &json!("pc1"))
    );
    server.checkout("cad", "bob").await;
    let denial = events.next("denial").await;
    assert_eq!(
        (&denial["user"], &denial["reason"]),
        (&json!("bob"), &json!("no_seat"))
    );
    let ticket = server.ticket("cad", "eve").await;
    let queued = events.next("queue").await;
    assert_eq!(
        (&queued["ticket"], &queued["state"]),
        (&json!(ticket), &json!("waiting"))
    );
    end(lease.clone()).await;
    let checkin = events.next("checkin").await;
    assert_eq!(
        (&checkin["lease"], &checkin["user"]),
        (&json!(lease), &json!("ann"))
    );
    assert_eq!(events.next("queue").await["state"], "granted");
    server.call("DELETE", "/v1/products/cad", None).await;
    let state = events.next("state").await;
    assert_eq!(
        (&state["product"], &state["change"]),
        (&json!("cad"), &json!("removed"))
    );
}

#[tokio::test]
async fn a_lease_that_ends_by_itself_is_told() {
    let server = Server::start();
    server.product("cad", 1).await;
    let mut events = Events::follow(&server).await;
    let mut asked = crate::common::asking("cad", "ann");
    asked["ttl_seconds"] = json!(1);
    server.call("POST", "/v1/checkouts", Some(asked)).await;
    let expired = events.next("expire").await;
    assert_eq!(
        (&expired["user"], &expired["cause"]),
        (&json!("ann"), &json!("expired"))
    );
    assert_eq!(server.checkout("cad", "bob").await.status, 201);
}

#[tokio::test]
async fn a_canary_is_seated_whoever_holds_the_seats_and_shows_up_nowhere() {
    let server = Server::start();
    server.product("cad", 1).await;
    assert_eq!(server.checkout("cad", "ann").await.status, 201);
    let before = server.get("/v1/status").await["products"].clone();
    for _ in 0..3 {
        let reply = server.call("POST", "/v1/canary", None).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["seated"], true, "{}", reply.body);
    }
    assert_eq!(server.get("/v1/status").await["products"], before);
    for list in ["products", "entitlements", "leases", "queue", "denials"] {
        let shown = server.get(&format!("/v1/{list}")).await.to_string();
        assert!(!shown.contains("canary"), "{list}: {shown}");
    }
    let client = server
        .token(json!({ "role": "client", "user": "ann" }))
        .await;
    let refused = server.call_as(&client, "POST", "/v1/canary", None).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
}

#[tokio::test]
async fn a_backup_is_a_whole_database_and_leaves_nothing_behind() {
    let server = Server::start();
    server.product("cad", 1).await;
    let request = server.request("GET", "/v1/backup", &server.admin);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let bytes = response.bytes().await.unwrap();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    crate::common::until("the backup is noted", async || {
        let status = server.get("/v1/status").await;
        status["server"]["last_backup_at"].is_string().then_some(())
    })
    .await;
    let left: Vec<_> = std::fs::read_dir(server.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("backup-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cache.db"), &bytes).unwrap();
    let restored = Server::start_in(folder);
    assert_eq!(restored.get("/v1/products/cad").await["seats"], 1);
}

#[tokio::test]
async fn the_description_names_every_field_and_needs_no_token() {
    let server = Server::start();
    let described = send(server.http.get(server.url("/openapi.json")))
        .await
        .body;
    assert!(described["openapi"].as_str().unwrap().starts_with("3."));
    let checkout = &described["components"]["schemas"]["CheckoutRequest"]["properties"];
    for field in [
        "product",
        "user",
        "computer",
        "seats",
        "wait",
        "ttl_seconds",
        "program",
    ] {
        assert!(checkout.get(field).is_some(), "{field}");
    }
    let text = described.to_string();
    let schemas = described["components"]["schemas"].as_object().unwrap();
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            schemas.contains_key(name),
            "{name} is referred to and not there"
        );
    }
    // Every route that is described is served: none is unknown, none knows another method only.
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let real = path.replace("{id}", "nothing");
            if real == "/v1/events" {
                continue;
            }
            let reply = server.call(&method.to_uppercase(), &real, None).await;
            assert!(
                reply.code() != "not_found" && reply.code() != "method_not_allowed",
                "{method} {path}: {}",
                reply.body
            );
        }
    }
}

#[tokio::test]
async fn stopping_ends_long_polls_and_streams_at_once_and_answers_what_is_in_flight() {
    let mut server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let ticket = server.ticket("cad", "bob").await;
    let mut events = Events::follow(&server).await;
    let path = format!("/v1/tickets/{ticket}?wait_seconds=19");
    let poll = tokio::spawn(send(server.request("GET", &path, &server.admin)));
    until("the poll to arrive", async || {
        let ticket = server.get(&format!("/v1/tickets/{ticket}")).await;
        let until: usher_api::Timestamp = ticket["expires_at"].as_str()?.parse().unwrap();
        let left = until.duration_since(usher_api::Timestamp::now()).as_secs();
        (left > 31).then_some(())
    })
    .await;
    let began = Instant::now();
    server.tell_to_stop();
    let polled = poll.await.unwrap();
    assert_eq!(
        (polled.status, &polled.body["state"]),
        (200, &json!("waiting"))
    );
    while events.more().await {}
    drop(events);
    tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn told_to_stop_as_soon_as_it_says_that_it_serves_it_stops_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let stop_now = |_| signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
    usher_server::run(options(folder.path()), Managed::default(), stop_now).unwrap();
}

fn refused(options: usher_server::ServerOptions) -> ServerError {
    run_until(options, |_| panic!("it started"), std::future::pending()).unwrap_err()
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_or_port_is_refused_with_the_reason() {
    let server = Server::start();
    let folder = options(server.data());
    let other = tempfile::tempdir().unwrap();
    let mut port = options(other.path());
    port.listen = server.address;
    let (folder, port) = tokio::task::spawn_blocking(|| (refused(folder), refused(port)))
        .await
        .unwrap();
    let ServerError::Failed(folder) = folder else {
        panic!("{folder}");
    };
    assert!(folder.contains("is in use by another usher"), "{folder}");
    let ServerError::Failed(port) = port else {
        panic!("{port}");
    };
    assert!(
        port.contains(&server.address.to_string()) && port.contains("--listen"),
        "{port}"
    );
    assert_eq!(server.get("/v1/health").await["status"], "ok");
}

#[test]
fn plain_http_beyond_this_computer_must_be_said_aloud() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.listen = "0.0.0.0:0".parse().unwrap();
    let ServerError::Usage(why) = refused(options.clone()) else {
        panic!("it was no wrong usage");
    };
    assert!(
        why.contains("--tls-cert") && why.contains("--plain-http"),
        "{why}"
    );
    options.plain_http = true;
    drop(Server::start_with(folder, options));
}
