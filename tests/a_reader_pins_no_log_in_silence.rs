//! A reader of `cache.db` that stays open keeps the write-ahead log from being taken in: it is said
//! by whom, while it lasts, by the manager, by doctor, by a pack, and at the end.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::http::Http;
use crate::support::{Ended, Folder, Running, stdout, usher, wait_for, wait_within};

/// The log is worth a word from here on.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;
const LOG_HELD: u64 = 9446;

fn reader_of(data: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let reader = Connection::open_with_flags(data.join("cache.db"), flags).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM meta;")
        .unwrap();
    reader
}

/// Writes until the log is longer than the limit.
fn grow(http: &mut Http, data: &Path) {
    let log = data.join("cache.db-wal");
    let length = || std::fs::metadata(&log).map_or(0, |facts| facts.len());
    for round in 0_u32.. {
        if length() > LIMIT_BYTES + LIMIT_BYTES / 8 {
            return;
        }
        let rule = |number: u32| format!("name={round}-{number}-{}", "x".repeat(220));
        let programs: Vec<String> = (0..60).map(rule).collect();
        let product = json!({"id": "tool", "programs": programs});
        let put = http
            .ask("PUT", "/v1/products/tool", Some(&product))
            .unwrap();
        assert!(put.status < 300, "{put:?}");
    }
}

#[test]
fn a_reader_that_stays_open_is_named_until_it_ends() {
    let folder = Folder::new();
    let data = folder.path("data");
    let log = folder.path("log");
    let mut command = usher();
    command.args([
        "up",
        "--no-agent",
        "--listen",
        "127.0.0.1:0",
        "--console",
        "127.0.0.1:0",
    ]);
    let to = std::fs::File::create(&log).unwrap();
    let running = Running::start_with_stderr(&mut command, &data, to.into());
    let console = running
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let console = console.unwrap();
    running.ok(&["product", "add", "tool", "--seats", "3"]);
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let mut http = Http::connect(&running.api, token.trim()).unwrap();
    let reader = reader_of(&data);
    grow(&mut http, &data);

    let own = format!("(process {})", std::process::id());
    let held = wait_for("the status to say so", || {
        let status = http.ask("GET", "/v1/status", None).unwrap().body;
        let held = status["server"]["held_log"].clone();
        (!held.is_null()).then_some(held)
    });
    assert!(held["bytes"].as_u64().unwrap() > LIMIT_BYTES, "{held}");
    assert!(held["readers"].to_string().contains(&own), "{held}");
    let doctor = running.usher(&["doctor"]).ended();
    let line = stdout(&doctor);
    assert!(
        line.contains("has grown to") && line.contains(&own),
        "{line}"
    );

    let of_log = || -> Vec<Value> {
        running.ok(&["servers", "poll", "local", "--manager", console]);
        let told = running.json(&["messages", "--manager", console]);
        let items = told["items"].as_array().unwrap().iter();
        items.filter(|it| it["id"] == LOG_HELD).cloned().collect()
    };
    let told = wait_for("the message", || {
        Some(of_log()).filter(|told| !told.is_empty())
    });
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0]["text"].as_str().unwrap().contains(&own),
        "{told:#?}"
    );

    running.ok(&["pack", "now"]);
    let pack = wait_within(Duration::from_secs(60), "the pack", || {
        let pack = running.json(&["pack", "status"]);
        (pack["state"] == "idle" && !pack["last"].is_null()).then_some(pack)
    });
    let skipped = pack["last"]["skipped"].to_string();
    assert!(
        skipped.contains("write-ahead log") && skipped.contains(&own),
        "{pack:#}"
    );

    drop(reader);
    wait_for("the log to be taken in, though nobody writes", || {
        let status = http.ask("GET", "/v1/status", None).unwrap().body;
        status["server"]["held_log"].is_null().then_some(())
    });

    let reader = reader_of(&data);
    running.ok(&["checkout", "tool"]);
    assert_eq!(running.stop(), Some(0));
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(
        said.contains("the write-ahead log stays beside the file, because something"),
        "{said}"
    );
    drop(reader);
}
