//! What a message's rules say is done, whatever becomes of another destination.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::{Value, json};
use usher_manager::RelayTls;

use crate::relay::{relay, relay_that, start_with_relay, start_with_relay_by};
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

async fn mails_warnings(manager: &Manager) {
    let rules = json!({ "items": [
        { "name": "keep", "when": {}, "actions": [{ "do": "store", "days": 30 }] },
        { "name": "low", "when": { "severity_at_least": "warning" },
          "actions": [{ "do": "mail", "to": "ops@lab.example" }] },
    ]});
    let request = manager.request("PUT", "/v1/message-rules", &manager.token());
    let (status, body) = send(request.json(&rules)).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn a_test_of_a_rule_sends_a_mail_by_the_relay_and_says_how_it_went() {
    let got = Arc::<Mutex<String>>::default();
    let manager = start_with_relay(relay(&got).await);
    mails_warnings(&manager).await;
    let test = |rule: &str| {
        let request = manager.request("POST", "/v1/message-rules/test", &manager.token());
        send(request.json(&json!({ "rule": rule })))
    };
    let (status, told) = test("low").await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["items"][0]["why_not"], Value::Null, "{told}");
    let got = got.lock().unwrap().clone();
    for line in [
        "MAIL FROM:<usher@lab.example>\r\n",
        "RCPT TO:<ops@lab.example>\r\n",
        "Subject: [usher] ",
        "https://usher.lab.example/",
    ] {
        assert!(got.contains(line), "{line}: {got}");
    }
    assert_eq!(test("none").await.0, 404);
}

#[tokio::test]
async fn a_relay_without_the_tls_that_is_wanted_is_named_with_the_setting() {
    for tls in [RelayTls::Tls, RelayTls::StartTls] {
        let port = relay(&Arc::default()).await;
        let manager = start_with_relay_by(port, tls);
        mails_warnings(&manager).await;
        let request = manager.request("POST", "/v1/message-rules/test", &manager.token());
        let (_, told) = send(request.json(&json!({ "rule": "low" }))).await;
        let why = told["items"][0]["why_not"].as_str().unwrap();
        let place = format!("the relay 127.0.0.1:{port}: ");
        assert!(why.starts_with(&place), "{tls:?}: {why}");
        assert!(why.contains("--smtp-tls"), "{tls:?}: {why}");
    }
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_named_by_the_test() {
    let manager = start_with_relay(9);
    mails_warnings(&manager).await;
    let request = manager.request("POST", "/v1/message-rules/test", &manager.token());
    let (_, told) = send(request.json(&json!({ "rule": "low" }))).await;
    let why = told["items"][0]["why_not"].as_str().unwrap();
    assert!(why.contains("cannot reach the relay 127.0.0.1:9"), "{told}");
}

/// Has the manager watch a server at an address that nobody listens on.
async fn add_dead(manager: &Manager, name: &str) {
    let dead = json!({ "name": name, "url": "http://127.0.0.1:9", "token": "t" });
    let add = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(add.json(&dead)).await;
    assert_eq!(status, 201, "{added}");
}

#[tokio::test]
async fn a_test_of_a_rule_does_all_that_it_says_at_once() {
    // Each answers when both were asked.
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let hook = post(move || {
        let both = both.clone();
        async move {
            both.wait().await;
        }
    });
    let url = play(Router::new().route("/hook", hook)).await + "/hook";
    let webhooks = [("one", url.as_str()), ("other", url.as_str())];
    let manager = Manager::start_with_webhooks(&webhooks, "what do ya want for nothing?");
    let actions = ["one", "other"].map(|target| json!({ "do": "webhook", "target": target }));
    let rules =
        json!({ "items": [{ "name": "both", "when": { "ids": [9431] }, "actions": actions }] });
    let put = manager.request("PUT", "/v1/message-rules", &manager.token());
    let (status, body) = send(put.json(&rules)).await;
    assert_eq!(status, 200, "{body}");

    let test = manager.request("POST", "/v1/message-rules/test", &manager.token());
    let (_, told) = send(test.json(&json!({ "rule": "both" }))).await;

    let items = told["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{told}");
    assert!(items.iter().all(|item| item["why_not"].is_null()), "{told}");
}

#[tokio::test]
async fn trouble_that_is_open_when_a_rule_comes_is_told_by_it() {
    let got = Arc::<Mutex<String>>::default();
    let manager = start_with_relay(relay(&got).await);
    // Nobody listens there: the server is unreachable, which is told before the rule is there.
    add_dead(&manager, "gone").await;
    until("the trouble", async || {
        let open = manager.request("GET", "/v1/messages?open=true", &manager.token());
        let (_, open) = send(open).await;
        let items = open["items"].as_array().unwrap();
        (!items.is_empty()).then_some(())
    })
    .await;
    assert!(got.lock().unwrap().is_empty());

    mails_warnings(&manager).await;

    until("the mail about it", async || {
        let got = got.lock().unwrap();
        got.contains("the metering server gone").then_some(())
    })
    .await;
    // It is told once: the same rules again have nothing new to do.
    mails_warnings(&manager).await;
    // A mail goes out behind those of before: what comes later has come last.
    add_dead(&manager, "later").await;
    until("the mail about the next", async || {
        let got = got.lock().unwrap();
        got.contains("the metering server later").then_some(())
    })
    .await;
    let mails = got
        .lock()
        .unwrap()
        .matches("About       the metering server gone")
        .count();
    assert_eq!(mails, 1);
}

/// A receiver that takes nothing, or what it is sent.
async fn moody(got: &Got, takes: &Arc<Mutex<bool>>) -> String {
    let (got, takes) = (got.clone(), takes.clone());
    let take = move |body: Bytes| {
        let (got, takes) = (got.clone(), takes.clone());
        async move {
            if !*takes.lock().unwrap() {
                return axum::http::StatusCode::SERVICE_UNAVAILABLE;
            }
            let message = serde_json::from_slice(&body).unwrap();
            got.lock().unwrap().push(message);
            axum::http::StatusCode::OK
        }
    };
    play(Router::new().route("/hook", post(take))).await + "/hook"
}

#[tokio::test]
async fn what_waits_for_a_destination_is_delivered_by_the_next_manager() {
    let (got, takes) = (Got::default(), Arc::new(Mutex::new(false)));
    let url = moody(&got, &takes).await;
    let set = |folder: &std::path::Path, options: &mut usher_manager::ManagerOptions| {
        let file = folder.join("secret");
        std::fs::write(&file, "what do ya want for nothing?").unwrap();
        let setting = format!("ops={url} {}", file.display());
        options.targets = usher_manager::Targets::parse(&[], &[setting]).unwrap();
    };
    let manager = Manager::start_as(set);
    let rules = json!({ "items": [
        { "name": "keep", "when": {}, "actions": [{ "do": "store", "days": 30 }] },
        { "name": "ops", "when": { "ids": [9442] },
          "actions": [{ "do": "webhook", "target": "ops" }] },
    ]});
    // The rules are told of as a message, which they are for.
    let put = manager.request("PUT", "/v1/message-rules", &manager.token());
    assert_eq!(send(put.json(&rules)).await.0, 200);
    let waits = async |manager: &Manager| {
        let request = manager.request("GET", "/v1/deliveries", &manager.token());
        let (_, list) = send(request).await;
        list["items"].get(0).cloned().unwrap_or_default()
    };
    let failing = until("the first try", async || {
        let waits = waits(&manager).await;
        waits["why"].is_string().then_some(waits)
    })
    .await;
    assert_eq!(failing["waiting"], 1, "{failing}");
    let list = manager.request("GET", "/v1/messages?id=9442", &manager.token());
    let record = send(list).await.1["items"][0]["record_id"].take();

    *takes.lock().unwrap() = true;
    let manager = manager.restart_as(set);

    until("the message", async || {
        (!got.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    until("an empty queue", async || {
        waits(&manager).await.is_null().then_some(())
    })
    .await;
    let got = got.lock().unwrap().clone();
    assert_eq!(
        (got.len(), &got[0]["id"], &got[0]["record_id"]),
        (1, &json!(9442), &record)
    );
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_told_once_and_shown_as_given_up() {
    let got = Arc::<Mutex<String>>::default();
    let manager = start_with_relay(relay_that(&got, b"550 5.1.1 no such user\r\n").await);
    mails_warnings(&manager).await;
    let test = manager.request("POST", "/v1/message-rules/test", &manager.token());
    let (_, told) = send(test.json(&json!({ "rule": "low" }))).await;
    assert_eq!(told["items"][0]["for_good"], true, "{told}");

    add_dead(&manager, "gone").await;

    let of = async |id: u64| {
        let path = format!("/v1/messages?id={id}");
        let list = send(manager.request("GET", &path, &manager.token())).await;
        list.1["items"][0]["text"].as_str().map(str::to_owned)
    };
    let failed = until("9448", async || of(9448).await).await;
    for word in [
        "mail to ops@lab.example: ",
        "550 5.1.1",
        "for good, it is given up",
    ] {
        assert!(failed.contains(word), "{word}: {failed}");
    }
    assert!(!failed.contains("12 hours"), "{failed}");
    let waits = until("the refusal to be counted", async || {
        let request = manager.request("GET", "/v1/deliveries", &manager.token());
        let waits = send(request).await.1;
        (waits["items"][0]["given_up"] == 1).then_some(waits)
    })
    .await;
    let it = &waits["items"][0];
    assert_eq!(
        (&it["waiting"], &it["given_up"]),
        (&json!(0), &json!(1)),
        "{waits}"
    );
    assert!(it["why"].as_str().unwrap().contains("550"), "{waits}");
    let metrics = manager.request("GET", "/metrics", &manager.token());
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("usher_deliveries_given_up_total 1\n"),
        "{metrics}"
    );

    // It is there after a restart, too, and one refusal is one message.
    let manager = manager.restart_as(|_, _| ());
    let waits = send(manager.request("GET", "/v1/deliveries", &manager.token()))
        .await
        .1;
    assert_eq!(waits["items"][0]["given_up"], 1, "{waits}");
    let given_up = manager.request("GET", "/v1/messages?id=9454", &manager.token());
    let given_up = send(given_up).await.1;
    assert_eq!(given_up["items"], json!([]), "{given_up}");
}

#[tokio::test]
async fn that_no_mail_can_go_out_is_told_with_the_rules() {
    let rules = async |manager: &Manager| {
        let rules = manager.request("GET", "/v1/message-rules", &manager.token());
        send(rules).await.1
    };
    let with_relay = start_with_relay(9);
    assert_eq!(rules(&with_relay).await["mail_why_not"], Value::Null);
    let without = Manager::start();
    let told = rules(&without).await["mail_why_not"].clone();
    let has_sendmail = std::path::Path::new("/usr/sbin/sendmail").exists();
    assert_eq!(told.is_null(), has_sendmail, "{told}");
}
