//! Seats that are kept for somebody's next start.

use serde_json::{Value, json};

use crate::common::{Server, asking};

/// A seat of cad that is kept for ben; its lease.
async fn kept_for_ben(server: &Server) -> String {
    let mut body = asking("cad", "ben");
    body["program"] = json!({ "name": "(kept)" });
    let kept = server.call("POST", "/v1/checkouts", Some(body)).await;
    assert_eq!(kept.status, 201, "{}", kept.body);
    kept.body["lease"]["id"].as_str().unwrap().to_owned()
}

fn about_five_minutes(seconds: &Value) -> bool {
    let seconds = seconds.as_u64();
    seconds.is_some_and(|seconds| (200..=300).contains(&seconds))
}

#[tokio::test]
async fn a_seat_that_is_only_kept_is_told_from_one_in_use() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = kept_for_ben(&server).await;
    let leases = server.get("/v1/leases").await;
    assert!(
        about_five_minutes(&leases["items"][0]["kept_seconds"]),
        "{leases}"
    );
    let status = server.get("/v1/status").await;
    let counts = |status: &Value| {
        let product = &status["products"][0];
        (product["in_use"].clone(), product["kept"].clone())
    };
    assert_eq!(counts(&status), (json!(1), json!(1)), "{status}");
    let refused = server.checkout("cad", "anna").await;
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("the only seat of cad is kept for somebody's next start"),
        "{detail}"
    );
    let why = refused.body["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{why}")).await;
    assert_eq!(
        (&why["seats_in_use"], &why["seats_kept"]),
        (&json!(1), &json!(1)),
        "{why}"
    );
    assert_eq!(why["holders"][0]["kept"], true, "{why}");

    // A `usher run` uses it: its agent asks what it covers.
    let held = server.get(&format!("/v1/agents/leases/{lease}")).await;
    assert_eq!(held["product"], "cad", "{held}");
    let leases = server.get("/v1/leases").await;
    assert!(leases["items"][0]["kept_seconds"].is_null(), "{leases}");
    let status = server.get("/v1/status").await;
    assert_eq!(counts(&status), (json!(1), json!(null)), "{status}");
    let refused = server.checkout("cad", "cleo").await;
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("the only seat of cad is in use"),
        "{detail}"
    );
}

#[tokio::test]
async fn who_waits_for_a_kept_seat_expects_to_wait_as_long_as_it_is_kept() {
    let server = Server::start();
    server.product("cad", 1).await;
    // Seats come back soon as a rule.
    let soon = server.lease("cad", "ann").await;
    let soon = format!("/v1/leases/{soon}");
    server.call("DELETE", &soon, None).await;
    kept_for_ben(&server).await;
    let mut body = asking("cad", "anna");
    body["wait"] = json!(true);
    let queued = server.call("POST", "/v1/checkouts", Some(body)).await;
    assert_eq!(queued.status, 202, "{}", queued.body);
    assert!(
        about_five_minutes(&queued.body["ticket"]["expected_wait_seconds"]),
        "{}",
        queued.body
    );
    let queue = server.get("/v1/queue").await;
    assert!(
        about_five_minutes(&queue["items"][0]["expected_wait_seconds"]),
        "{queue}"
    );
}
