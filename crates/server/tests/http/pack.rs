//! The pack: begun, stopped, planned, gone on with, and who may.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{DEADLINE, Server, until};
use crate::operation::Events;

async fn idle(server: &Server) -> Value {
    until("the pack has ended", async || {
        let pack = server.get("/v1/pack").await;
        (pack["state"] == "idle" && pack["last"].is_object()).then_some(pack)
    })
    .await
}

async fn plan(server: &Server, body: Value) -> Value {
    let put = server.call("PUT", "/v1/pack/schedule", Some(body)).await;
    assert_eq!(put.status, 200, "{}", put.body);
    put.body
}

fn now_seconds() -> i64 {
    usher_api::Timestamp::now().as_second()
}

/// A plan whose next run is in so many seconds.
fn soon(seconds: i64) -> Value {
    let pack_time = now_seconds() + seconds;
    json!({ "schedule": "every 6 hours", "time_zone": "UTC", "pack_time": pack_time })
}

#[tokio::test]
async fn a_pack_is_begun_beside_its_schedule_and_tells_what_it_did() {
    let server = Server::start();
    let fresh = server.get("/v1/pack").await;
    assert_eq!(
        (&fresh["state"], &fresh["schedule"], &fresh["last"]),
        (&json!("idle"), &json!("Sun 01:59:59"), &Value::Null)
    );
    let planned = fresh["pack_time"].as_i64().unwrap();
    assert!((1..=8 * 86_400).contains(&(planned - now_seconds())));
    let mut events = Events::follow(&server).await;
    let begun = server.call("POST", "/v1/pack", None).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert_eq!(events.next("pack").await["state"], "running");
    let ended = events.next("pack").await;
    assert_eq!(
        (&ended["state"], &ended["last"]["result"]),
        (&json!("idle"), &json!("done"))
    );
    let pack = idle(&server).await;
    assert_eq!(pack["last"], ended["last"]);
    assert_eq!(pack["last"]["skipped"], json!([]));
    assert_eq!(pack["pack_time"], fresh["pack_time"]);
    assert_eq!(server.get("/v1/status").await["server"]["pack"], pack);
    let metrics = server.request("GET", "/metrics", &server.admin);
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    for line in [
        "usher_pack_running 0".to_owned(),
        "usher_pack_last_done 1".to_owned(),
        format!("usher_pack_next_timestamp_seconds {planned}"),
    ] {
        assert!(
            metrics.lines().any(|told| told == line),
            "{line}: {metrics}"
        );
    }
}

#[tokio::test]
async fn one_pack_runs_at_a_time_and_a_repeated_request_is_no_second_one() {
    let server = Server::start();
    let begin = || {
        let request = server.request("POST", "/v1/pack", &server.admin);
        crate::common::send(request.header("Idempotency-Key", "once"))
    };
    let first = begin().await;
    assert_eq!(first.status, 202, "{}", first.body);
    until("one comes while another runs", async || {
        let second = server.call("POST", "/v1/pack", None).await;
        let expected = if second.status == 409 {
            "pack_running"
        } else {
            ""
        };
        assert_eq!(second.code(), expected, "{}", second.body);
        (second.status == 409).then_some(())
    })
    .await;
    let repeated = begin().await;
    assert_eq!(
        (repeated.status, repeated.header("idempotency-replayed")),
        (202, "true")
    );
    idle(&server).await;
}

#[tokio::test]
async fn a_stopped_pack_says_so_and_stopping_none_is_no_error() {
    let server = Server::start();
    assert_eq!(server.call("DELETE", "/v1/pack", None).await.status, 204);
    until("a stop comes while it runs", async || {
        assert_eq!(server.call("POST", "/v1/pack", None).await.status, 202);
        assert_eq!(server.call("DELETE", "/v1/pack", None).await.status, 204);
        (idle(&server).await["last"]["result"] == "stopped").then_some(())
    })
    .await;
    let service = server.get("/v1/service").await;
    assert_eq!(service["state"], "running");
}

#[tokio::test]
async fn operators_and_admins_pack_viewers_look_and_nobody_else_does_either() {
    let server = Server::start();
    let schedule = Some(json!({ "schedule": "daily 03:00", "time_zone": "UTC" }));
    for (token, see, act) in [
        (json!({ "role": "client", "user": "ann" }), 403, false),
        (json!({ "role": "agent", "computer": "pc1" }), 403, false),
        (json!({ "role": "viewer" }), 200, false),
        (json!({ "role": "operator" }), 200, true),
    ] {
        let role = token["role"].clone();
        let token = server.token(token).await;
        let seen = server.call_as(&token, "GET", "/v1/pack", None).await;
        assert_eq!(seen.status, see, "{role}: {}", seen.body);
        let status = server.call_as(&token, "GET", "/v1/status", None).await;
        assert_eq!(status.body["server"]["pack"].is_object(), see == 200);
        for (method, path, body, done) in [
            ("PUT", "/v1/pack/schedule", schedule.clone(), 200),
            ("POST", "/v1/pack", None, 202),
            ("DELETE", "/v1/pack", None, 204),
        ] {
            let told = server.call_as(&token, method, path, body).await;
            let expected = if act { done } else { 403 };
            assert_eq!(told.status, expected, "{role} {method}: {}", told.body);
        }
    }
}

#[tokio::test]
async fn a_schedule_is_kept_over_a_restart_and_what_is_none_is_refused() {
    let server = Server::start();
    let pack = plan(
        &server,
        json!({ "schedule": "mon,thu 3:00", "time_zone": "Asia/Kathmandu" }),
    )
    .await;
    assert_eq!(
        (&pack["schedule"], &pack["time_zone"]),
        (&json!("Mon,Thu 03:00"), &json!("Asia/Kathmandu"))
    );
    // 03:00 in Nepal is 21:15 in UTC.
    assert_eq!(pack["pack_time"].as_i64().unwrap() % 86_400, 76_500);
    for (wrong, word) in [
        (
            json!({ "schedule": "sometimes" }),
            "is not a schedule: write",
        ),
        (json!({ "schedule": "" }), "`schedule` is empty"),
        (
            json!({ "schedule": "daily 03:00", "time_zone": "Mars/Olympus" }),
            "Europe/Berlin or UTC",
        ),
        (
            json!({ "schedule": "daily 03:00", "time_zone": "../../etc/passwd" }),
            "Europe/Berlin or UTC",
        ),
        (
            json!({ "schedule": "every 6 hours", "pack_time": i64::MAX }),
            "no instant in Unix seconds",
        ),
        (json!({ "time_zone": "UTC" }), "schedule"),
    ] {
        let refused = server.call("PUT", "/v1/pack/schedule", Some(wrong)).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid_request"));
        let detail = refused.body["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word), "{detail}");
    }
    let folder = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    let server = Server::start_in(folder);
    assert_eq!(server.get("/v1/pack").await, pack);
}

#[tokio::test]
async fn what_is_due_runs_once_and_the_next_is_planned() {
    let server = Server::start();
    let planned = plan(&server, soon(2)).await["pack_time"].as_i64().unwrap();
    let pack = idle(&server).await;
    assert_eq!(pack["last"]["result"], "done");
    assert_eq!(pack["pack_time"], planned + 6 * 3_600);
}

#[tokio::test]
async fn a_snapshot_is_kept_before_a_pack_of_the_schedule_and_before_no_other() {
    let server = Server::start();
    server.call("POST", "/v1/pack", None).await;
    idle(&server).await;
    assert_eq!(
        server.get("/v1/snapshots").await,
        json!({ "items": [], "next": null })
    );
    plan(&server, soon(2)).await;
    let kept = until("a snapshot", async || {
        let kept = server.get("/v1/snapshots").await["items"].clone();
        (kept.as_array().map(Vec::len) == Some(1)).then_some(kept)
    })
    .await;
    assert_eq!(kept[0]["reason"], "before-pack");
    let status = server.get("/v1/status").await;
    assert_eq!(
        status["server"]["last_backup_at"],
        Value::Null,
        "what shares the disk of the data is no backup"
    );
}

#[tokio::test]
async fn a_pack_for_which_no_snapshot_can_be_taken_says_so_and_is_made_all_the_same() {
    let server = Server::start();
    std::fs::write(server.data().join("snapshots"), "in the way").unwrap();
    plan(&server, soon(2)).await;
    let pack = idle(&server).await;
    assert_eq!(pack["last"]["result"], "done");
    let skipped = &pack["last"]["skipped"][0];
    assert_eq!(skipped["what"], "the snapshot before the pack");
    assert!(
        skipped["why"].as_str().unwrap().contains("no folder"),
        "{skipped}"
    );
}

#[tokio::test]
async fn a_run_that_was_missed_while_the_server_was_off_is_made_up_for_once() {
    let server = Server::start();
    let planned = plan(&server, soon(2)).await["pack_time"].as_i64().unwrap();
    let folder = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    let deadline = Instant::now() + DEADLINE;
    while now_seconds() <= planned {
        assert!(Instant::now() < deadline);
        // tidy: sleep, until the run is in the past by the wall clock
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let server = Server::start_in(folder);
    let pack = idle(&server).await;
    assert_eq!(pack["last"]["result"], "done");
    assert_eq!(pack["pack_time"], planned + 6 * 3_600);
    let folder = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    let server = Server::start_in(folder);
    assert_eq!(server.get("/v1/pack").await, pack, "it runs no second time");
}

#[tokio::test]
async fn a_pack_that_a_stop_cut_off_goes_on_at_the_next_start() {
    let server = Server::start();
    let begun = server.call("POST", "/v1/pack", None).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let folder = tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
    let server = Server::start_in(folder);
    assert_eq!(idle(&server).await["last"]["result"], "done");
}
