//! How the site stands, beside what is seen of its servers.

use serde_json::{Value, json};

use crate::support::{Manager, send, until};

/// A server whose data directory nobody has locked, and at whose address nobody listens.
async fn dead(manager: &Manager) {
    let data = manager.folder().join("dead");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("lock"), "").unwrap();
    let request = json!({ "name": "dead", "url": "http://127.0.0.1:9", "token": "usher_t",
        "data": data });
    let add = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(add.json(&request)).await;
    assert_eq!(
        (status, &added["verdict"]),
        (201, &"stopped".into()),
        "{added}"
    );
}

/// Waits until nothing is told of the site but that all is well.
async fn is_well(manager: &Manager) {
    let site = until("the site to stand well", async || {
        let site = stands(manager, "site").await;
        (site["status"] == "ok").then_some(site)
    })
    .await;
    assert!(
        site["why"].is_null() && site["errors"].as_u64() > Some(0),
        "{site}"
    );
}

#[tokio::test]
async fn what_is_over_with_the_watch_of_a_server_counts_for_no_standing() {
    let manager = Manager::start_as(|_, options| {
        options.healing = Some(usher_core::health::HealingOptions {
            patience: std::time::Duration::ZERO,
            ..usher_core::health::HealingOptions::default()
        });
    });
    dead(&manager).await;
    // That it is stopped, and that nobody can start it.
    let site = until("two errors", async || {
        let poll = manager.request("POST", "/v1/servers/dead/poll", &manager.token());
        send(poll.json(&json!({}))).await;
        let site = stands(&manager, "site").await;
        (site["errors"] == 2).then_some(site)
    })
    .await;
    assert_eq!(site["status"], "critical", "{site}");
    let remove = manager.request("DELETE", "/v1/servers/dead", &manager.token());
    assert_eq!(send(remove).await.0, 204);

    is_well(&manager).await;
}

#[tokio::test]
async fn all_the_servers_that_are_not_well_are_named() {
    let manager = Manager::start();
    dead(&manager).await;
    for name in ["b", "c", "d", "e"] {
        let request = json!({ "name": name, "url": "http://127.0.0.1:9", "token": "usher_t" });
        let add = manager.request("POST", "/v1/servers", &manager.token());
        assert_eq!(send(add.json(&request)).await.0, 201);
    }
    let site = until("the messages", async || {
        let site = stands(&manager, "site").await;
        (site["open"] == 5).then_some(site)
    })
    .await;
    let why = site["why"].as_str().unwrap();
    for word in [
        "the server dead is stopped",
        "the servers b, c, d and 1 more are unreachable",
        "1 error is open",
        "4 warnings are open",
    ] {
        assert!(why.contains(word), "{word}: {why}");
    }
}

async fn stands(manager: &Manager, component: &str) -> Value {
    let summary = manager.request("GET", "/v1/summaries", &manager.token());
    let (status, summary) = send(summary).await;
    assert_eq!(status, 200, "{summary}");
    let lines = summary["items"].as_array().unwrap();
    let line = lines.iter().find(|line| line["component"] == component);
    line.cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_server_that_is_dead_is_no_ok_of_the_metering_servers() {
    let manager = Manager::start();
    dead(&manager).await;
    let servers = until("the message", async || {
        let line = stands(&manager, "metering_server").await;
        (line["errors"] == 1).then_some(line)
    })
    .await;
    assert_eq!(servers["status"], "critical", "{servers}");
    assert_eq!(servers["open"], 1, "{servers}");
    assert_eq!(stands(&manager, "site").await["status"], "critical");
}

#[tokio::test]
async fn a_server_that_is_dead_is_told_by_the_summary_also_if_the_rules_keep_no_message() {
    let manager = Manager::start();
    let rules = json!({ "items": [] });
    let put = manager.request("PUT", "/v1/message-rules", &manager.token());
    assert_eq!(send(put.json(&rules)).await.0, 200);
    dead(&manager).await;
    for component in ["metering_server", "site"] {
        assert_eq!(stands(&manager, component).await["status"], "critical");
    }
}
