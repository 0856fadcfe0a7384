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
        said(&old).contains("windows1252.csv:3: it is not UTF-8"),
        "{}",
        said(&old)
    );
}

/// Imports a text as the file `owned.csv`: the exit code, and what is said.
fn imported(running: &Running, folder: &Folder, text: &str, more: &[&str]) -> (i32, String) {
    let file = folder.path("owned.csv");
    std::fs::write(&file, text).unwrap();
    let mut command = running.usher(&["entitlement", "import"]);
    let output = command.arg(&file).args(more).ended();
    (output.status.code().unwrap(), said(&output))
}

#[test]
fn a_file_is_checked_whole_before_anything_is_written() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let add = ["entitlement", "add", "cad", "--seats", "5"];
    running.ok(&[
        &add[..],
        &["--name", "cad-2026", "--price", "14000 EUR/year"],
    ]
    .concat());
    let text = "Product;Seats;Name;Price;Currency;Per;Lieferant\n\
                cad;2;new;15.000;EUR;year;x\n\
                viz;1;;;;;x\n\
                cad;1;twice;;;;x\n\
                cad;1;twice;;;;x\n\
                cad;5;cad-2026;15000,50;eur;year;x\n";
    let (code, told) = imported(&running, &folder, text, &[]);
    assert_eq!(code, 2, "{told}");
    for fault in [
        "owned.csv:1: there is no column \"Lieferant\" to import: --ignore-column Lieferant",
        "owned.csv:2: price: \"15.000\" can be read in two ways: write 15000 or 15.00",
        "owned.csv:3: there is no product \"viz\"",
        "owned.csv:5: the name twice stands in line 4 already",
        "usher entitlement edit cad-2026 --price '15000.50 EUR/year'",
    ] {
        assert!(told.contains(fault), "{fault}: {told}");
    }
    assert_eq!(told.matches("usher: ").count(), 1, "{told}");
    assert_eq!(owned(&running, "cad").len(), 1, "nothing was written");

    // Mended, it says what it adds and what it leaves out.
    let text = "Product;Seats;Name;Price;Currency;Per;Lieferant\n\
                cad;2;new;15.000,50;EUR;year;x\n\
                cad;5;cad-2026;15000,50;eur;year;x\n";
    let out = ["--ignore-column", "lieferant", "--duplicates", "skip"];
    let (code, told) = imported(
        &running,
        &folder,
        text,
        &[&out[..], &["--dry-run"]].concat(),
    );
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("15000.50 EUR/year"), "{told}");
    assert_eq!(owned(&running, "cad").len(), 1, "nothing was written");
    let (code, told) = imported(&running, &folder, text, &out);
    assert_eq!(code, 0, "{told}");
    let id = owned(&running, "cad")[1]["id"].as_str().unwrap().to_owned();
    assert!(
        told.contains(&format!("Added: 1 entitlement, new ({id}).")),
        "{told}"
    );
    assert!(told.contains("left out: "), "{told}");
    assert_eq!(owned(&running, "cad").len(), 2);
}

#[test]
fn what_a_list_writes_is_read_by_an_import() {
    let (one, other) = (Folder::new(), Folder::new());
    let first = Running::up(&one.path("data"));
    first.ok(&["product", "add", "cad"]);
    let add = ["entitlement", "add", "cad", "--seats", "5"];
    let all = [
        "--name",
        "grö\u{df}er 2026",
        "--price",
        "1200.5 EUR/month",
        "--contract",
        "A, \"1\"",
        "--cost-centre",
        "4200",
        "--notice-days",
        "90",
        "--note",
        "=1+1; for the lab",
        "--from",
        "2026-01-01",
        "--to",
        "2199-12-31",
        "--time-zone",
        "Europe/Berlin",
        "--overdraft",
        "2",
    ];
    first.ok(&[&add[..], &all].concat());
    first.ok(&[&add[..], &["--to", "2199-01-01T12:30:15.250Z"]].concat());
    let kept = [
        "entitlement",
        "add",
        "cad",
        "--seats",
        "0",
        "--name",
        "kept",
    ];
    let told = first.ok(&kept);
    assert!(
        told.contains(
            "It has no seat that may be used, until `usher entitlement edit kept --seats N`"
        ),
        "{told}"
    );
    let text = first.ok(&["entitlement", "list", "--csv"]);
    assert!(
        text.starts_with("id,product,seats,metric,from,to,time_zone,"),
        "{text}"
    );
    let (code, told) = imported(&first, &one, &text, &[]);
    assert_eq!(code, 1, "it is there already: {told}");
    let second = Running::up(&other.path("data"));
    second.ok(&["product", "add", "cad"]);
    let (code, told) = imported(&second, &other, &text, &[]);
    assert_eq!(code, 0, "{told}");
    let without_ids = |running: &Running| {
        let list = running.ok(&["entitlement", "list", "--csv"]);
        let lines = list
            .lines()
            .map(|line| line.split_once(',').unwrap().1.to_owned());
        lines.collect::<Vec<String>>()
    };
    assert_eq!(without_ids(&second), without_ids(&first));
    // Other lists are written for a spreadsheet, too.
    let used = first.ok(&["denials", "--csv"]);
    assert_eq!(used.lines().count(), 1, "{used}");
}
