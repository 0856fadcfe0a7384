//! The history as a site collects it, and who does.

use serde_json::{Value, json};
use usher_api::{Ended, HistoryPage};

use crate::common::{Reply, Server};

async fn page(server: &Server, query: &str) -> HistoryPage {
    let body = server.get(&format!("/v1/history?{query}")).await;
    serde_json::from_value(body).unwrap()
}

/// A lease that is granted and given back, and its id.
async fn used(server: &Server, user: &str) -> String {
    let lease = server.lease("cad", user).await;
    let path = format!("/v1/leases/{lease}");
    assert_eq!(server.call("DELETE", &path, None).await.status, 204);
    lease
}

async fn acknowledge(server: &Server, name: &str, incarnation: u32, through: u64) -> Reply {
    let body = json!({ "incarnation": incarnation, "through_event": through });
    let path = format!("/v1/history/consumers/{name}");
    server.call("PUT", &path, Some(body)).await
}

fn report(items: Value) -> Value {
    json!({ "computer": { "id": "c1", "name": "pc1" }, "incarnation": 77, "items": items })
}

/// A run of ann's that an agent has seen from start to end, on a seat of its own.
async fn run(server: &Server) {
    let subject = json!({ "authority": "corp.example", "id": "ann", "name": "Ann" });
    let asks = json!([{
        "sequence": 1, "kind": "checkout", "session": 5, "product": "cad", "ttl_seconds": 60,
        "subject": subject,
    }]);
    let synced = server
        .call("POST", "/v1/agents/sync", Some(report(asks)))
        .await;
    let lease = &synced.body["results"][0]["lease"];
    assert!(lease.is_string(), "{}", synced.body);
    let ends = json!([
        { "sequence": 2, "kind": "checkin", "session": 5 },
        { "sequence": 3, "kind": "finished", "session": 5, "product": "cad",
          "program": "cad.bin", "subject": subject, "lease": lease,
          "started_at": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T10:00:01.5Z",
          "duration_seconds": 1, "duration_ms": 1_500 },
    ]);
    let synced = server
        .call("POST", "/v1/agents/sync", Some(report(ends)))
        .await;
    assert_eq!(synced.status, 200, "{}", synced.body);
}

#[tokio::test]
async fn what_has_ended_is_told_page_by_page_with_what_tells_it_from_all_else() {
    let server = Server::start();
    server.product("cad", 2).await;
    let empty = page(&server, "").await;
    assert_eq!(
        (empty.items.len(), empty.through_event),
        (0, empty.head_event)
    );
    let first = used(&server, "ann").await;
    run(&server).await;
    let last = used(&server, "bob").await;

    let mut seen = Vec::new();
    let mut query = "limit=1".to_owned();
    loop {
        let page = page(&server, &query).await;
        assert!(page.items.len() <= 1);
        for item in &page.items {
            assert_eq!(item.incarnation, page.incarnation);
            let person = page.people.iter().find(|it| it.id == item.person).unwrap();
            let computer = page.computers.iter().find(|it| it.id == item.computer);
            seen.push((
                person.account.clone(),
                computer.unwrap().key.clone(),
                item.what.clone(),
            ));
        }
        if page.items.is_empty() {
            break;
        }
        query = format!("limit=1&after={}", page.cursor);
    }
    let named = |it: &usher_api::MadeBy| format!("L{:08x}-{}", it.incarnation, it.event);
    let leases: Vec<(String, bool)> = seen
        .iter()
        .filter_map(|(_, _, what)| match what {
            Ended::Lease(lease) => Some((named(&lease.key), lease.session.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(leases.len(), 3, "{seen:?}");
    assert_eq!(leases[0], (first, false));
    assert!(leases[1].1, "of the session that held it");
    assert_eq!(leases[2], (last, false));
    let sessions: Vec<_> = seen
        .iter()
        .filter_map(|(account, computer, what)| match what {
            Ended::Session(session) => Some((account, computer, session)),
            _ => None,
        })
        .collect();
    let [(account, computer, session)] = sessions[..] else {
        panic!("{seen:?}");
    };
    assert_eq!((&**account, &**computer), ("ann", "c1"));
    let key = &session.key;
    assert_eq!(
        (&*key.computer, key.incarnation, key.session),
        ("c1", 77, 5)
    );
    assert_eq!(session.lease.as_ref().map(named), Some(leases[1].0.clone()));
    assert_eq!(session.duration_seconds, 1.5);
}

#[tokio::test]
async fn a_cursor_of_elsewhere_is_refused_in_words() {
    let server = Server::start();
    let cursor = page(&server, "").await.cursor;
    let (_, point) = cursor.split_once('-').unwrap();
    let elsewhere = format!("0000000000000000-{point}");
    let replaced = cursor.replace(
        &format!("-{}", point.split_once('-').unwrap().0),
        "-00000001",
    );
    for (after, status, code) in [
        ("17", 400, "invalid_request"),
        (&*elsewhere, 409, "unknown_history"),
        (&*replaced, 409, "unknown_history"),
    ] {
        let path = format!("/v1/history?after={after}");
        let refused = server.call("GET", &path, None).await;
        assert_eq!((refused.status, refused.code()), (status, code), "{after}");
    }
    let refused = server.call("GET", "/v1/history?limit=1001", None).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_consumer_only_goes_forward_and_there_are_so_many() {
    let server = Server::start();
    server.product("cad", 1).await;
    used(&server, "ann").await;
    let page = page(&server, "").await;
    let (life, through) = (page.through_incarnation, page.through_event);
    let kept = acknowledge(&server, "site", life, through).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    assert_eq!(
        (&kept.body["through_event"], &kept.body["live"]),
        (&json!(through), &json!(true))
    );
    let earlier = acknowledge(&server, "site", life, 1).await;
    assert_eq!(earlier.body["through_event"], json!(through));
    for (incarnation, event) in [(life, through + 1_000), (life ^ 1, 1)] {
        let refused = acknowledge(&server, "site", incarnation, event).await;
        assert_eq!((refused.status, refused.code()), (409, "unknown_history"));
    }
    for number in 1..16 {
        let kept = acknowledge(&server, &format!("other-{number}"), life, 1).await;
        assert_eq!(kept.status, 200, "{}", kept.body);
    }
    let refused = acknowledge(&server, "one-more", life, 1).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "too_many_consumers")
    );
    let refused = acknowledge(&server, "no%20name", life, 1).await;
    assert_eq!((refused.status, refused.code()), (400, "invalid_request"));
    for _ in 0..2 {
        let gone = server
            .call("DELETE", "/v1/history/consumers/other-1", None)
            .await;
        assert_eq!(gone.status, 204);
    }
    assert_eq!(acknowledge(&server, "one-more", life, 1).await.status, 200);

    // They are there again after a restart.
    let server = Server::start_in(server.stop());
    let listed = server.get("/v1/history/consumers").await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 16);
    let site = items.iter().find(|it| it["name"] == "site").unwrap();
    assert_eq!(site["through_event"], json!(through));
}
