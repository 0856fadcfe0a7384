//! A server that answers and grants nothing says so wherever it is asked how it is.

use serde_json::{Value, json};
use usher_api::Timestamp;
use usher_store::RestoreOptions;

use crate::common::{Server, asking, reach, send, steer, until};

/// The value of a metric.
async fn metric(server: &Server, name: &str) -> Option<f64> {
    let request = server.request("GET", "/metrics", &server.admin);
    let text = request.send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// A server as it is after a restore of its own backup, which does not know of a lease of so long.
async fn restored(ttl_seconds: u32) -> Server {
    let server = Server::start();
    let product = json!({ "id": "cad", "max_ttl_seconds": ttl_seconds });
    let made = server.call("POST", "/v1/products", Some(product)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let owned = json!({ "product": "cad", "seats": 1 });
    server.call("POST", "/v1/entitlements", Some(owned)).await;
    let backup = server.request("GET", "/v1/backup", &server.admin);
    let backup = backup.send().await.unwrap().bytes().await.unwrap();
    let mut since = asking("cad", "late");
    since["ttl_seconds"] = json!(ttl_seconds);
    let since = server.call("POST", "/v1/checkouts", Some(since)).await;
    assert_eq!(since.status, 201, "{}", since.body);
    let folder = server.stop();
    let file = folder.path().join("kept.backup");
    std::fs::write(&file, backup).unwrap();
    let options = RestoreOptions { accept_risk: false };
    usher_store::restore(folder.path(), &file, options).unwrap();
    Server::start_in(folder)
}

fn until_of(says: &Value) -> Timestamp {
    assert_eq!(says["reason"], "restored", "{says}");
    says["until"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_restored_server_says_that_it_grants_nothing_and_until_when() {
    let server = restored(3_600).await;
    let hour = Timestamp::now() + std::time::Duration::from_secs(3_600);
    let asked = server.checkout("cad", "ann").await;
    assert_eq!((asked.status, asked.code()), (503, "restore_hold"));
    let detail = asked.body["detail"].as_str().unwrap();
    assert!(detail.contains(" min, until every lease"), "{detail}");

    let health = send(server.http.get(server.url("/v1/health"))).await;
    assert_eq!(
        (health.status, &health.body["status"]),
        (200, &json!("degraded"))
    );
    let ends = until_of(&health.body["grants_nothing"]);
    let apart = (hour.as_second() - ends.as_second()).abs();
    assert!(apart < 60, "{ends}");
    let why = health.body["why"].as_str().unwrap();
    assert!(
        why.contains("restored") && why.contains("until 20"),
        "{why}"
    );

    let status = server.get("/v1/status").await["server"].clone();
    assert_eq!(
        (&status["state"], &status["why"]),
        (&json!("degraded"), &json!(why))
    );
    assert_eq!(until_of(&status["grants_nothing"]), ends);
    let canary = server.call("POST", "/v1/canary", None).await.body;
    assert_eq!(canary["seated"], true);
    assert_eq!(until_of(&canary["grants_nothing"]), ends);
    assert_eq!(metric(&server, "usher_healthy").await, Some(0.0));
    assert_eq!(metric(&server, "usher_granting").await, Some(0.0));
    let left = metric(&server, "usher_hold_seconds").await.unwrap();
    assert!((3_500.0..=3_600.0).contains(&left), "{left}");
}

#[tokio::test]
async fn a_restored_server_is_well_again_when_the_hold_is_over() {
    let server = restored(2).await;

    until("the end of the hold", async || {
        let health = server.get("/v1/health").await;
        (health["status"] == "ok").then_some(())
    })
    .await;

    assert_eq!(server.checkout("cad", "ann").await.status, 201);
    let status = server.get("/v1/status").await["server"].clone();
    assert_eq!(
        (&status["state"], &status["grants_nothing"]),
        (&json!("running"), &Value::Null)
    );
    assert_eq!(metric(&server, "usher_healthy").await, Some(1.0));
    assert_eq!(metric(&server, "usher_granting").await, Some(1.0));
    assert_eq!(metric(&server, "usher_hold_seconds").await, Some(0.0));
}

#[tokio::test]
async fn a_paused_server_says_that_it_grants_nothing() {
    let server = Server::start();
    server.product("cad", 1).await;
    steer(&server, "pause").await;
    reach(&server, "paused").await;
    let asked = server.call("POST", "/v1/checkouts", Some(asking("cad", "ann")));
    assert_eq!(asked.await.code(), "service_paused");

    let health = send(server.http.get(server.url("/v1/health"))).await;
    // It was asked to, so a balancer may go on to send it what it does.
    assert_eq!((health.status, &health.body["status"]), (200, &json!("ok")));
    assert_eq!(health.body["grants_nothing"]["reason"], "paused");
    let status = server.get("/v1/status").await["server"].clone();
    assert_eq!(status["state"], "paused");
    let why = status["why"].as_str().unwrap();
    assert!(why.contains("usher service continue server"), "{why}");
    assert_eq!(metric(&server, "usher_granting").await, Some(0.0));

    steer(&server, "continue").await;
    reach(&server, "running").await;
    let health = server.get("/v1/health").await;
    assert_eq!(
        (&health["status"], &health["grants_nothing"]),
        (&json!("ok"), &Value::Null)
    );
    assert_eq!(metric(&server, "usher_granting").await, Some(1.0));
}

#[tokio::test]
async fn a_backup_that_was_copied_over_the_data_of_a_stopped_server_is_held_as_a_restore() {
    let server = Server::start();
    server.product("cad", 1).await;
    let backup = server.request("GET", "/v1/backup", &server.admin);
    let backup = backup.send().await.unwrap().bytes().await.unwrap();
    server.lease("cad", "ann").await;
    let folder = server.stop();
    std::fs::write(folder.path().join("cache.db"), backup).unwrap();
    let server = Server::start_in(folder);
    let asked = server.checkout("cad", "bob").await;
    assert_eq!((asked.status, asked.code()), (503, "restore_hold"));
    let status = server.get("/v1/status").await["server"].clone();
    assert_eq!(status["state"], "degraded");
    let why = status["why"].as_str().unwrap();
    assert!(why.contains("a copy was put in the place"), "{why}");
    until_of(&status["grants_nothing"]);
}
