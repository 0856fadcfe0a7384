//! `GET /v1/reports/{name}` of a manager beside servers that a test plays.

use serde_json::{Value, json};
use usher_manager::GroupOptions;

use crate::imports;
use crate::support::{Manager, send, until};
use crate::usage::{HEAD, collected, denial, some_use, watched};

/// The days of [`some_use`].
const DAYS: &str = "from=2024-10-26T20:00:00Z&to=2024-10-28&time_zone=Europe/Berlin";

const NAMES: [&str; 14] = [
    "usage", "peaks", "heatmap", "denials", "waits", "gave_up", "holders", "people", "unused",
    "programs", "position", "expiring", "cost", "health",
];

async fn asked(manager: &Manager, path: &str) -> (u16, Value) {
    let path = format!("/v1/reports/{path}");
    send(manager.request("GET", &path, &manager.token())).await
}

async fn found(manager: &Manager, path: &str) -> Value {
    let (status, report) = asked(manager, path).await;
    assert_eq!(status, 200, "{path}: {report}");
    report
}

fn section<'a>(report: &'a Value, key: &str) -> &'a Value {
    let sections = report["sections"].as_array().unwrap();
    let found = sections.iter().find(|section| section["key"] == key);
    found.unwrap_or_else(|| panic!("no section {key}: {report}"))
}

/// A column of a section.
fn column<'a>(report: &'a Value, of: &str, key: &str) -> Vec<&'a Value> {
    let section = section(report, of);
    let columns = section["columns"].as_array().unwrap();
    let place = columns.iter().position(|column| column["key"] == key);
    let place = place.unwrap_or_else(|| panic!("no column {key}: {section}"));
    let rows = section["rows"].as_array().unwrap();
    rows.iter().map(|row| &row[place]).collect()
}

/// Whether some cell of a report is that text.
fn says(report: &Value, text: &str) -> bool {
    let sections = report["sections"].as_array().unwrap().iter();
    let rows = sections.flat_map(|section| section["rows"].as_array().unwrap());
    let mut cells = rows.flat_map(|row| row.as_array().unwrap());
    cells.any(|cell| cell == text)
}

#[tokio::test]
async fn use_is_reported_as_it_is_answered_elsewhere_and_the_same_again() {
    let manager = Manager::start();
    let has = some_use();
    watched(&manager, "alpha", &has).await;
    let report = found(&manager, &format!("usage?{DAYS}&group_by=user")).await;
    assert_eq!(report["name"], "usage");
    assert_eq!(report["time_zone"], "Europe/Berlin");
    assert_eq!(report["parameters"]["grain"], "hour", "two days");
    assert_eq!(report["as_of"][0]["server"], "alpha");
    assert_eq!(report["cut"], json!([]));
    let path = format!("/v1/usage?{DAYS}");
    let (_, page) = send(manager.request("GET", &path, &manager.token())).await;
    for key in [
        "product",
        "sessions",
        "users",
        "peak",
        "owned",
        "open_seconds",
    ] {
        let items = page["items"].as_array().unwrap();
        let expected: Vec<String> = items.iter().map(|item| item[key].to_string()).collect();
        let cells = column(&report, "products", key).into_iter();
        let cells: Vec<String> = cells.map(Value::to_string).collect();
        assert_eq!(cells, expected, "{key}");
    }
    assert!(says(&report, "ann") && says(&report, "bob"), "{report}");
    let again = found(&manager, &format!("usage?{DAYS}&group_by=user")).await;
    assert_eq!(report["hash"], again["hash"]);
    let other = found(&manager, &format!("usage?{DAYS}")).await;
    assert_ne!(report["hash"], other["hash"]);
    // What came in since is said by the events, and changes the hash.
    let more = denial(HEAD + 1, "bob", "2024-10-27T13:00:00Z", 1);
    has.lock().unwrap().history.push(more);
    collected(&manager, "alpha", HEAD + 1).await;
    let later = found(&manager, &format!("usage?{DAYS}&group_by=user")).await;
    assert_ne!(report["hash"], later["hash"]);
    assert_eq!(later["as_of"][0]["event"], HEAD + 1);
}

#[tokio::test]
async fn each_report_is_there_in_each_form() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    let asked = async |path: &str, accept: &str| {
        let path = format!("/v1/reports/{path}");
        let request = manager.request("GET", &path, &manager.token());
        let answer = request.header("Accept", accept).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let kind = answer.headers()["content-type"].to_str().unwrap();
        let kind = kind.split(';').next().unwrap().to_owned();
        let is_closed = answer.headers().contains_key("content-security-policy");
        assert_eq!(is_closed, kind == "text/html", "{path}");
        (kind, answer.text().await.unwrap())
    };
    for name in NAMES {
        let report = found(&manager, &format!("{name}?{DAYS}")).await;
        assert_eq!(report["name"], name);
        assert_eq!(report["hash"].as_str().unwrap().len(), 64, "{name}");
        assert!(!report["sections"].as_array().unwrap().is_empty(), "{name}");
        let (kind, values) = asked(&format!("{name}?{DAYS}"), "text/csv").await;
        assert_eq!(kind, "text/csv");
        assert!(values.contains(','), "{name}: {values}");
        let (kind, page) = asked(&format!("{name}?{DAYS}&format=html"), "text/csv").await;
        assert_eq!(kind, "text/html");
        assert!(page.to_lowercase().starts_with("<!doctype html>"), "{name}");
    }
    let (_, described) = send(manager.request("GET", "/openapi.json", "")).await;
    let described = &described["paths"]["/v1/reports/{name}"]["get"];
    let name = &described["parameters"][0]["description"];
    for known in NAMES {
        assert!(name.as_str().unwrap().contains(known), "{name}");
    }
}

#[tokio::test]
async fn who_was_refused_and_who_used_what_is_told_by_name() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    let people = found(&manager, &format!("people?product=cad&{DAYS}")).await;
    assert!(says(&people, "ann") && says(&people, "bob"), "{people}");
    let ann = found(&manager, &format!("people?user=ANN&{DAYS}")).await;
    assert!(says(&ann, "ann") && !says(&ann, "bob"), "{ann}");
    assert_eq!(ann["parameters"]["user"], "ANN");
    // Bob got a seat after he was refused, and ann never.
    let gave_up = found(&manager, &format!("gave_up?{DAYS}")).await;
    assert!(says(&gave_up, "ann"), "{gave_up}");
    let denials = found(&manager, &format!("denials?{DAYS}")).await;
    assert!(says(&denials, "no_seat"), "{denials}");
    let waits = found(&manager, &format!("waits?{DAYS}")).await;
    assert!(says(&waits, "granted"), "{waits}");
}

/// A manager that reads the groups of a file in its folder, which has that text if it is there.
fn with_groups(text: Option<&str>) -> Manager {
    Manager::start_as(|folder, set| {
        if let Some(text) = text {
            std::fs::write(folder.join("groups"), text).unwrap();
        }
        set.groups = GroupOptions {
            files: vec![folder.join("groups")],
            ..GroupOptions::default()
        };
    })
}

/// Waits until the manager has looked at its file.
async fn looked(manager: &Manager) {
    until("the groups to be read", async || {
        let (_, page) = send(manager.request("GET", "/v1/groups", &manager.token())).await;
        let source = &page["sources"][0];
        (source["as_of"].is_string() || source["trouble"].is_string()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn groups_are_shown_with_what_their_people_used_and_who_is_in_two_counts_in_both() {
    let manager = with_groups(Some("cfd: ann\nall: @cfd, bob\ncrash: zoe\n"));
    watched(&manager, "alpha", &some_use()).await;
    looked(&manager).await;
    let report = found(&manager, &format!("usage?group_by=group&{DAYS}")).await;
    assert_eq!(column(&report, "by", "group"), ["all", "cfd"]);
    assert_eq!(column(&report, "by", "users"), [2, 1]);
    assert_eq!(column(&report, "by", "sessions"), [2, 1]);
    assert_eq!(column(&report, "by", "peak"), [3, 2]);
    let notes = report["notes"].to_string();
    for word in ["are in now", "as of", "more than the whole"] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    let peaks = found(&manager, &format!("peaks?group_by=group&{DAYS}")).await;
    assert_eq!(column(&peaks, "groups", "peak"), [3, 2]);
    // Peaks of each person are not asked for.
    let by_user = found(&manager, &format!("peaks?group_by=user&{DAYS}")).await;
    assert_eq!(by_user["parameters"]["group_by"], Value::Null);
    let people = found(&manager, &format!("people?group_by=group&{DAYS}")).await;
    assert_eq!(column(&people, "groups", "user"), ["ann", "bob", "ann"]);
    let cost = found(&manager, &format!("cost?group_by=group&{DAYS}")).await;
    assert_eq!(cost["parameters"]["group_by"], "group");
    assert!(column(&cost, "totals", "group").is_empty(), "{cost}");
}

#[tokio::test]
async fn in_no_group_is_not_said_of_people_whose_groups_were_never_read() {
    let read = with_groups(Some("crash: zoe\n"));
    let never_read = with_groups(None);
    let none_at_all = Manager::start();
    let expected = ["none", "not_known", "not_known"];
    for (manager, membership) in [&read, &never_read, &none_at_all].into_iter().zip(expected) {
        watched(manager, "alpha", &some_use()).await;
        if !std::ptr::eq(manager, &none_at_all) {
            looked(manager).await;
        }
        let report = found(manager, &format!("usage?group_by=group&{DAYS}")).await;
        assert_eq!(
            column(&report, "by", "membership"),
            [membership],
            "{report}"
        );
        assert_eq!(column(&report, "by", "users"), [2], "{report}");
    }
}

#[tokio::test]
async fn what_is_owned_elsewhere_is_reported_with_what_is_owned_here() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    let id = imports::begin(&manager, "lic1").await;
    let licence = json!({ "key": "i", "row": "entitlement", "product": "MLM:Simulink",
        "version": "45", "seats": 5, "overdraft": 0, "from": null, "to": "2099-01-01",
        "grouping": null, "host_id": null, "components": [], "set_aside": null, "note": null });
    let (status, taken) = imports::rows(&manager, &id, 1, &[licence]).await;
    assert_eq!(status, 200, "{taken}");
    let body = json!({ "bodies": 1, "summary": imports::summary() });
    let path = format!("/v1/imports/{id}/finish");
    let (status, answer) = imports::ask(&manager, "POST", &path, Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    for name in ["expiring", "position", "unused"] {
        let report = found(&manager, name).await;
        assert!(says(&report, "MLM:Simulink"), "{name}: {report}");
    }
    let one = found(&manager, "expiring?product=MLM:Simulink").await;
    assert!(says(&one, "lic1"), "{one}");
}

#[tokio::test]
async fn what_a_server_does_not_say_is_missing_and_what_is_wrong_is_refused() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    // The server that is played has no such routes.
    for (name, what) in [
        ("holders", "seats on alpha"),
        ("programs", "programs on alpha"),
        ("unused", "products on alpha"),
    ] {
        let report = found(&manager, name).await;
        let cut = report["cut"].as_array().unwrap();
        assert!(cut.iter().any(|cut| cut["what"] == what), "{report}");
    }
    for (path, status, code, word) in [
        ("use", 404, "not_found", "usage, peaks"),
        ("usage?product=never", 404, "unknown_product", "never"),
        (
            "usage?time_zone=Nowhere/Town",
            400,
            "invalid_request",
            "time_zone",
        ),
        (
            "usage?from=2024-10-27&to=2024-10-26",
            400,
            "invalid_request",
            "`to` is not after `from`",
        ),
        (
            "usage?grain=year",
            400,
            "invalid_request",
            "`grain` is year",
        ),
        (
            "cost?group_by=floor",
            400,
            "invalid_request",
            "`group_by` is floor",
        ),
        (
            "usage?format=pdf",
            400,
            "invalid_request",
            "`format` is pdf",
        ),
        (
            "usage?grain=hour&from=1990-01-01",
            400,
            "invalid_request",
            "coarser",
        ),
        (
            "usage?granularity=hour",
            400,
            "invalid_request",
            "granularity",
        ),
    ] {
        let (found, problem) = asked(&manager, path).await;
        let both = (found, &problem["code"]);
        assert_eq!(both, (status, &code.into()), "{path}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{path}: {detail}");
    }
}
