//! The service itself: paused, gone on, stopped by a control, and what it refuses.

use serde_json::json;

use crate::common::{Server, reach, steer, until};
use crate::operation::Events;

#[tokio::test]
async fn a_paused_service_grants_nothing_and_keeps_what_it_has_granted() {
    let server = Server::start();
    server.product("cad", 5).await;
    let (kept, given) = (
        server.lease("cad", "ann").await,
        server.lease("cad", "bob").await,
    );
    let running = reach(&server, "running").await;
    assert_eq!(running["accepts"], json!(["stop", "pause"]));
    assert_eq!(
        (&running["checkpoint"], &running["exit_code"]),
        (&json!(0), &json!(0))
    );
    let told = steer(&server, "pause").await;
    assert_eq!(told.status, 200, "{}", told.body);
    reach(&server, "paused").await;
    let refused = server.checkout("cad", "cyd").await;
    assert_eq!((refused.status, refused.code()), (503, "service_paused"));
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    let renew = format!("/v1/leases/{kept}/renew");
    assert_eq!(
        server.call("POST", &renew, Some(json!({}))).await.status,
        200
    );
    let checkin = format!("/v1/leases/{given}");
    assert_eq!(server.call("DELETE", &checkin, None).await.status, 204);
    let status = server.get("/v1/status").await;
    assert_eq!(status["server"]["state"], "paused");
    assert_eq!(status["products"][0]["in_use"], 1);
    assert_eq!(steer(&server, "continue").await.status, 200);
    reach(&server, "running").await;
    server.lease("cad", "cyd").await;
}

#[tokio::test]
async fn a_control_that_the_state_does_not_take_is_refused_with_its_number_and_the_service() {
    let server = Server::start();
    reach(&server, "running").await;
    let refused = steer(&server, "continue").await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "service_cannot_accept_control")
    );
    assert_eq!(refused.body["win32_error"], 1052);
    assert_eq!(refused.body["service"]["state"], "running");
    assert_eq!(steer(&server, "interrogate").await.body["state"], "running");
    let unknown = steer(&server, "restart").await;
    assert_eq!((unknown.status, unknown.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn a_viewer_sees_the_service_and_an_operator_steers_it() {
    let server = Server::start();
    reach(&server, "running").await;
    let body = Some(json!({ "control": "interrogate" }));
    for (token, see, control) in [
        (json!({ "role": "client", "user": "ann" }), 403, 403),
        (json!({ "role": "viewer" }), 200, 403),
        (json!({ "role": "operator" }), 200, 200),
    ] {
        let role = token["role"].clone();
        let token = server.token(token).await;
        let seen = server.call_as(&token, "GET", "/v1/service", None).await;
        assert_eq!(seen.status, see, "{role}: {}", seen.body);
        let steered = server
            .call_as(&token, "POST", "/v1/service/controls", body.clone())
            .await;
        assert_eq!(steered.status, control, "{role}: {}", steered.body);
    }
}

#[tokio::test]
async fn a_stop_by_a_control_ends_the_server_and_each_state_is_told() {
    let server = Server::start();
    reach(&server, "running").await;
    let mut events = Events::follow(&server).await;
    assert_eq!(steer(&server, "pause").await.status, 200);
    for state in ["pause_pending", "paused"] {
        assert_eq!(events.next("state").await["state"], state);
    }
    let stopping = steer(&server, "stop").await;
    assert_eq!(stopping.body["state"], "stop_pending", "{}", stopping.body);
    assert!(stopping.body["wait_hint_seconds"].as_u64().unwrap() > 0);
    assert!(stopping.body["checkpoint"].as_u64().unwrap() > 0);
    assert_eq!(stopping.body["accepts"], json!([]));
    // It ends although nobody else tells it to.
    let address = server.address;
    until("the end", async || {
        std::net::TcpStream::connect(address).err().map(drop)
    })
    .await;
    tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
}

#[tokio::test]
async fn who_waits_gets_no_seat_in_a_pause_and_gets_it_when_the_service_goes_on() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let ticket = format!("/v1/tickets/{}", server.ticket("cad", "bob").await);
    reach(&server, "running").await;
    steer(&server, "pause").await;
    reach(&server, "paused").await;
    let back = format!("/v1/leases/{lease}");
    assert_eq!(server.call("DELETE", &back, None).await.status, 204);
    assert_eq!(server.get(&ticket).await["state"], "waiting");
    let status = server.get("/v1/status").await;
    let product = &status["products"][0];
    assert_eq!(
        (&product["in_use"], &product["queued"]),
        (&json!(0), &json!(1))
    );
    steer(&server, "continue").await;
    reach(&server, "running").await;
    assert_eq!(server.get(&ticket).await["state"], "granted");
}

#[tokio::test]
async fn a_server_that_ended_in_a_pause_runs_and_serves_who_waited_when_it_starts() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let ticket = format!("/v1/tickets/{}", server.ticket("cad", "bob").await);
    reach(&server, "running").await;
    steer(&server, "pause").await;
    reach(&server, "paused").await;
    let back = format!("/v1/leases/{lease}");
    assert_eq!(server.call("DELETE", &back, None).await.status, 204);
    let server = Server::start_in(server.stop());
    reach(&server, "running").await;
    assert_eq!(server.get(&ticket).await["state"], "granted");
}
