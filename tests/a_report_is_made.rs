//! What was used is in a report, which is the same when it is asked for again, and can be mailed.

use serde_json::Value;

use crate::support::{Folder, Running, wait_for};

/// A column of a section of a report.
fn column<'a>(report: &'a Value, section: &str, key: &str) -> Vec<&'a Value> {
    let named = |it: &&Value, name: &str| it["key"] == name;
    let sections = report["sections"].as_array().unwrap();
    let section = sections.iter().find(|it| named(it, section)).unwrap();
    let columns = section["columns"].as_array().unwrap();
    let place = columns.iter().position(|it| it["key"] == key).unwrap();
    let rows = section["rows"].as_array().unwrap();
    rows.iter().map(|row| &row[place]).collect()
}

#[test]
fn what_was_used_is_reported_the_same_again_and_in_a_file() {
    let folder = Folder::new();
    let up = Running::up(&folder.path("data"));
    up.ok(&["product", "add", "cad", "--seats", "2"]);
    up.ok(&["product", "add", "idle", "--seats", "3"]);
    let take = |user: &str| {
        let lease = up.ok(&["checkout", "cad", "--user", user, "--computer", "pc1"]);
        lease.trim().to_owned()
    };
    let leases = [take("ann"), take("ben")];
    let holders = up.json(&["report", "holders", "--product", "cad"]);
    assert_eq!(holders["name"], "holders", "{holders}");
    for lease in &leases {
        up.ok(&["checkin", lease]);
    }
    let usage = wait_for("what ended to be collected", || {
        up.ok(&["servers", "poll", "local"]);
        let usage = up.json(&["report", "usage"]);
        let users = column(&usage, "products", "users");
        (users.first() == Some(&&2.into()) && usage["as_of"][0]["event"].is_u64()).then_some(usage)
    });
    assert_eq!(column(&usage, "products", "product"), ["cad", "idle"]);
    assert_eq!(column(&usage, "products", "peak"), [2, 0]);
    assert_eq!(column(&usage, "products", "sessions"), [2, 0]);
    assert_eq!(column(&usage, "products", "owned"), [2, 3]);
    assert_eq!(usage["parameters"]["grain"], "day");

    // The same question has the same answer.
    let (from, to) = (
        usage["from"].as_str().unwrap(),
        usage["to"].as_str().unwrap(),
    );
    let again = [
        "report",
        "people",
        "--product",
        "cad",
        "--from",
        from,
        "--to",
        to,
    ];
    let (one, other) = wait_for("nothing to come in between", || {
        let (one, other) = (up.json(&again), up.json(&again));
        (one["as_of"][0]["event"] == other["as_of"][0]["event"]).then_some((one, other))
    });
    assert_eq!(one["hash"], other["hash"], "{one} {other}");
    assert_eq!(one["hash"].as_str().unwrap().len(), 64);
    let text = one["sections"].to_string();
    assert!(text.contains("ann") && text.contains("ben"), "{text}");
    let other = [
        "report",
        "people",
        "--product",
        "idle",
        "--from",
        from,
        "--to",
        to,
    ];
    assert_ne!(one["hash"], up.json(&other)["hash"]);

    let page = folder.path("usage.html");
    up.ok(&["report", "usage", "--output", page.to_str().unwrap()]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.to_lowercase().starts_with("<!doctype html>"), "{html}");
    assert!(html.contains("<svg") && html.contains("cad"), "{html}");
    for outside in ["http://", "https://", "<script"] {
        let found = html.find(outside);
        let context = found.map(|at| &html[at..(at + 60).min(html.len())]);
        // A name space of SVG is no address that is fetched.
        let is_fetched = context.is_some_and(|it| !it.contains("www.w3.org"));
        assert!(!is_fetched, "{context:?}");
    }
    let file = folder.path("usage.parquet");
    up.ok(&["report", "usage", "--output", file.to_str().unwrap()]);
    let bytes = std::fs::read(&file).unwrap();
    assert!(
        bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"),
        "{}",
        bytes.len()
    );
    let table = up.ok(&["report", "usage"]);
    assert!(table.contains("cad") && table.contains("idle"), "{table}");
    let values = up.ok(&["report", "denials", "--format", "csv"]);
    assert!(values.contains("cad"), "{values}");
}

#[test]
fn each_report_is_made_and_what_cannot_be_is_said() {
    let folder = Folder::new();
    let up = Running::up(&folder.path("data"));
    up.ok(&["product", "add", "cad", "--seats", "2"]);
    wait_for("the history to be collected", || {
        up.ok(&["servers", "poll", "local"]);
        let seen = up.json(&["servers", "show", "local"]);
        seen["history"]["collected_at"].is_string().then_some(())
    });
    let list = up.json(&["report", "list"]);
    let names = list["items"].as_array().unwrap();
    assert!(names.len() >= 13, "{list}");
    for name in names {
        let name = name["name"].as_str().unwrap();
        let report = up.json(&["report", name]);
        assert_eq!(report["name"], name, "{report}");
        assert_eq!(report["cut"], serde_json::json!([]), "{report}");
        assert!(!up.ok(&["report", name]).is_empty());
    }
    for (words, code, word) in [
        (&["report", "usages"][..], 2, "usage"),
        (
            &["report", "usage", "--product", "never"],
            1,
            "no product never",
        ),
        (&["report", "list", "--format", "parquet"], 2, "Parquet"),
        (
            &["report", "usage", "--time-zone", "Nowhere/Town"],
            2,
            "time zone",
        ),
        (
            &[
                "report",
                "usage",
                "--from",
                "2026-01-02",
                "--to",
                "2026-01-01",
            ],
            2,
            "--to is not after --from",
        ),
        (&["report", "list", "--product", "cad"], 2, "--product"),
    ] {
        let (found, said) = up.fails(words);
        assert_eq!(found, code, "{words:?}: {said}");
        assert!(said.contains(word), "{words:?}: {said}");
    }
}
