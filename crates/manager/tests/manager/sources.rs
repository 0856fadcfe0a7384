//! What is told of what other licence servers count: few free seats, and what ends.

use serde_json::{Value, json};
use usher_api::Timestamp;

use crate::imports::ask;
use crate::support::{Manager, until};

/// A report of one product.
pub(crate) fn report(at: Timestamp, issued: u64, in_use: u64) -> Vec<Value> {
    vec![json!({
        "key": format!("level:{at}"), "row": "level", "product": "MLM:Simulink",
        "server": "27000@lic1", "at": at, "issued": issued, "in_use": in_use, "reserved": 1,
        "queued": 2,
    })]
}

/// A whole import, whose rows tell of the instant of the first; its id.
pub(crate) async fn import(manager: &Manager, source: &str, kind: &str, rows: &[Value]) -> String {
    let body = json!({ "kind": kind, "source": source });
    let (status, begun) = ask(manager, "POST", "/v1/imports", Some(&body)).await;
    assert_eq!(status, 201, "{begun}");
    let id = begun["id"].as_str().unwrap().to_owned();
    let body = json!({ "number": 1, "rows": rows });
    let (status, taken) = ask(
        manager,
        "POST",
        &format!("/v1/imports/{id}/rows"),
        Some(&body),
    )
    .await;
    assert_eq!(status, 200, "{taken}");
    let at = rows[0].get("at").cloned().unwrap_or(Value::Null);
    let mut summary = crate::imports::summary();
    summary["kind"] = kind.into();
    summary["from"] = at.clone();
    summary["to"] = at;
    let body = json!({ "bodies": 1, "summary": summary });
    let (status, answer) = ask(
        manager,
        "POST",
        &format!("/v1/imports/{id}/finish"),
        Some(&body),
    )
    .await;
    assert_eq!(status, 200, "{answer}");
    id
}

/// The messages of a number, of which there are so many, when that is so.
async fn messages(manager: &Manager, id: u16, open: usize) -> Vec<Value> {
    until(&format!("{open} open of {id}"), async || {
        let path = format!("/v1/messages?id={id}");
        let (_, page) = ask(manager, "GET", &path, None).await;
        let items = page["items"].as_array().unwrap().clone();
        let is_open = |it: &&Value| it["recovered_at"].is_null();
        (items.iter().filter(is_open).count() == open && !items.is_empty()).then_some(items)
    })
    .await
}

fn ago(seconds: i64) -> Timestamp {
    let ms = Timestamp::now().as_millisecond() - seconds * 1_000;
    Timestamp::from_millisecond(ms).unwrap()
}

#[tokio::test]
async fn few_free_seats_that_reports_tell_of_for_a_time_are_one_message_and_its_end() {
    let manager = Manager::start();
    let thresholds =
        json!({ "concerns": { "free_minutes": 10, "free_seats": 1, "calm_minutes": 0 } });
    let (status, put) = ask(&manager, "PUT", "/v1/thresholds", Some(&thresholds)).await;
    assert_eq!(status, 200, "{put}");
    let first = ago(660);
    import(&manager, "lic1", "lmstat", &report(first, 10, 9)).await;
    let begin = "usher_seats_in_use{product=\"MLM:Simulink\",server=\"lic1\"";
    until("the report to be seen", async || {
        let request = manager.request("GET", "/metrics", &manager.token());
        let text = request.send().await.unwrap().text().await.unwrap();
        text.contains(begin).then_some(())
    })
    .await;
    let (_, none) = ask(&manager, "GET", "/v1/messages?id=9460", None).await;
    assert_eq!(none["items"], json!([]));
    import(&manager, "lic1", "lmstat", &report(ago(30), 10, 10)).await;
    let told = messages(&manager, 9460, 1).await;
    let since = first.strftime("%Y-%m-%d %H:%M UTC");
    assert_eq!(
        told[0]["text"],
        format!("Few seats of MLM:Simulink on lic1 are free: 0 of 10, seen so since {since}")
    );
    assert_eq!(told[0]["server"], Value::Null);
    assert_eq!(told[0]["component"], "licensing");
    import(&manager, "lic1", "lmstat", &report(ago(10), 10, 5)).await;
    assert_eq!(messages(&manager, 9460, 0).await.len(), 1, "one message");
}

#[tokio::test]
async fn seats_that_end_elsewhere_are_told_until_the_next_licence_file_has_others() {
    let manager = Manager::start();
    let day = |days: i64| ago(-days * 86_400).strftime("%Y-%m-%d").to_string();
    let owned = |key: &str, seats: u32, to: Option<String>| {
        json!({ "key": key, "row": "entitlement", "product": "MLM:Simulink", "seats": seats,
            "overdraft": 0, "from": null, "to": to })
    };
    let kept = owned("b", 6, None);
    let ends = [owned("a", 4, Some(day(20))), kept.clone()];
    let first = import(&manager, "licence.dat", "flexnet-licence", &ends).await;
    let told = messages(&manager, 9461, 1).await;
    assert_eq!(
        told[0]["text"],
        format!(
            "4 seats of MLM:Simulink, as licence.dat tells, end on {}: from then on 6 seats are left",
            day(20)
        )
    );
    let renewed = [owned("a", 4, Some(day(400))), kept];
    let second = import(&manager, "licence.dat", "flexnet-licence", &renewed).await;
    assert_eq!(messages(&manager, 9461, 0).await.len(), 1);
    for id in [second, first] {
        let path = format!("/v1/imports/{id}");
        assert_eq!(ask(&manager, "DELETE", &path, None).await.0, 204);
    }
}
