//! Entitlements as people enter them: days in words and of their own time zone, and tables as
//! spreadsheets save them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, stdout};

fn owned(running: &Running, product: &str) -> Vec<Value> {
    let list = running.json(&["entitlement", "list", "--product", product]);
    list["items"].as_array().unwrap().clone()
}

#[test]
fn days_are_those_of_the_computers_time_zone_and_shown_as_they_were_given() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let within = |zone: &str, words: &[&str]| {
        let output = running.usher(words).env("TZ", zone).ended();
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        stdout(&output)
    };
    let add = ["entitlement", "add", "cad", "--seats", "5"];
    within(
        "Europe/Berlin",
        &[&add[..], &["--from", "2030-01-01", "--to", "31.12.2030"]].concat(),
    );
    let it = &owned(&running, "cad")[0];
    assert_eq!(it["from"], "2029-12-31T23:00:00Z", "{it}");
    assert_eq!(it["to"], "2030-12-31T23:00:00Z", "{it}");
    let list = ["entitlement", "list"];
    let here = within("Europe/Berlin", &list);
    assert!(here.contains("2030-01-01  2030-12-31\n"), "{here}");
    let there = within("America/Los_Angeles", &list);
    assert!(there.contains("2030-01-01 (Europe/Berlin)"), "{there}");
    // What it is changed to is of the zone that it was entered in.
    let id = it["id"].as_str().unwrap();
    within(
        "America/Los_Angeles",
        &["entitlement", "edit", id, "--to", "2031-12-31"],
    );
    let it = &owned(&running, "cad")[0];
    assert_eq!(it["to"], "2031-12-31T23:00:00Z", "{it}");
}

#[test]
fn days_ahead_are_read_in_words() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let words = ["entitlement", "add", "cad", "--seats", "5"];
    for (from, to) in [
        ("tomorrow", "in 30 days"),
        ("next monday", "next year"),
        ("today", "friday"),
    ] {
        running.ok(&[&words[..], &["--from", from, "--to", to]].concat());
    }
    let denied = running.fails(&["checkout", "cad", "--ttl", "1s", "--seats", "6"]);
    assert_eq!(denied.0, 77, "those of today alone count: {}", denied.1);
    running.ok(&[
        "token",
        "create",
        "--role",
        "viewer",
        "--expires",
        "tomorrow",
    ]);
    let (code, why) = running.fails(&[&words[..], &["--from", "soon"]].concat());
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("\"next monday\""), "{why}");
}

#[test]
fn tables_are_read_as_libreoffice_saves_them() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    running.ok(&["product", "add", "größer"]);
    // Saved by LibreOffice 7.4 from one table.
    let sheets = Path::new(env!("CARGO_MANIFEST_DIR")).join("sheets");
    let import = |file: &PathBuf, more: &[&str]| {
        let words = ["entitlement", "import", file.to_str().unwrap()];
        running.usher(&[&words[..], more].concat()).ended()
    };
    for name in ["quoted", "semicolons", "utf16"] {
        let file = sheets.join(name).with_extension("csv");
        let output = import(&file, &["--duplicates", "add"]);
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
    let days: Vec<Value> = owned(&running, "cad")
        .into_iter()
        .map(|it| it["to_day"].clone())
        .collect();
    assert_eq!(days, ["2026-12-31"; 3]);
    assert_eq!(owned(&running, "größer").len(), 3);
    // The same rows, whatever they are saved as.
    let again = import(&sheets.join("utf16.csv"), &[]);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    let old = import(&sheets.join("windows1252.csv"), &[]);
    assert_eq!(old.status.code(), Some(2), "{}", said(&old));
    assert!(
        said(&old).contains("line 3: it is not UTF-8"),
        "{}",
        said(&old)
    );
}
