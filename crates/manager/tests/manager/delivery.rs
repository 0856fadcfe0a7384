//! What a message's rules say is done, whatever becomes of another destination.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::{Value, json};

use crate::support::{Manager, play, send, until};

type Got = Arc<Mutex<Vec<Value>>>;

/// A receiver that takes what it is sent.
async fn receiver(got: &Got) -> String {
    let got = got.clone();
    let take = move |body: Bytes| {
        let got = got.clone();
        async move {
            let message = serde_json::from_slice(&body).unwrap();
            got.lock().unwrap().push(message);
        }
    };
    play(Router::new().route("/hook", post(take))).await + "/hook"
}

/// A receiver that takes the connection and never answers.
async fn silent() -> String {
    let hang = || std::future::pending::<()>();
    play(Router::new().route("/hook", post(hang))).await + "/hook"
}

async fn put_rules(manager: &Manager, targets: &[&str]) {
    let rules: Vec<Value> = targets
        .iter()
        .map(|target| {
            json!({ "name": target, "when": {},
                "actions": [{ "do": "webhook", "target": target }] })
        })
        .collect();
    let request = manager.request("PUT", "/v1/message-rules", &manager.token());
    let (status, body) = send(request.json(&json!({ "items": rules }))).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let got = Got::default();
    let (hangs, works) = (silent().await, receiver(&got).await);
    let webhooks = [("hangs", hangs.as_str()), ("works", works.as_str())];
    let manager = Manager::start_with_webhooks(&webhooks, "what do ya want for nothing?");

    // The rules are told of as a message, which they are for.
    put_rules(&manager, &["hangs", "works"]).await;

    until("the message", async || {
        let got = got.lock().unwrap();
        got.iter()
            .any(|message| message["id"] == 9442)
            .then_some(())
    })
    .await;
}
