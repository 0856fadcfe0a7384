//! I6: a pack of the store loses and fails nothing, can be stopped, goes on after a kill, and runs
//! when it is to run.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::http::{Http, checkout};
use crate::support::{Ended, Folder, Running, stderr, usher, wait_for, wait_within};

/// Leases that ended before the retention. A pack of them takes seconds.
const OLD: u64 = 400_000;
/// As many while others ask all the time: a pack then rests thirty times as long as it works.
const OLD_UNDER_LOAD: u64 = 40_000;
const UNDER_LOAD_WITHIN: Duration = Duration::from_secs(150);
/// What a lease takes in the file at most, with its index, once it has ended.
const LEASE_BYTES: u64 = 250;

fn server(data: &Path) -> Running {
    Running::start(usher().args(["server", "--listen", "127.0.0.1:0"]), data)
}

/// A data directory with a product, and with old leases.
fn aged(data: &Path, old: u64) {
    let running = server(data);
    running.ok(&["product", "add", "tool", "--seats", "40"]);
    assert_eq!(running.stop(), Some(0));
    let file = Connection::open(data.join("cache.db")).unwrap();
    // As if the server had written them next: it goes on numbering behind them.
    let rows = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {old})
         INSERT INTO leases (number, incarnation, product, subject, computer, seats, ttl_seconds,
            deadline, granted_at, granted, draws, holders, graced, scene_seats, scene_in_use,
            scene_queued, ended, ended_at, held_ms, cause, program)
         SELECT f.value + i, 1, p.number, i % 50, i % 50, 1, 300, 0, i * 1000, 0, '', '', 0, 40, 1, 0,
            1, i * 1000 + 500, 500, 'checked_in', 'solver-of-the-year-1970'
         FROM n, (SELECT number FROM products) p, (SELECT value FROM meta WHERE key = 'filled_to') f;
         UPDATE meta SET value = value + {old} + 1 WHERE key = 'filled_to'"
    );
    file.execute_batch(&rows).unwrap();
}

fn old_leases(data: &Path) -> u64 {
    let file = Connection::open(data.join("cache.db")).unwrap();
    let old = "SELECT count(*) FROM leases WHERE granted_at < 86400000000";
    let count: i64 = file.query_row(old, [], |row| row.get(0)).unwrap();
    count.unsigned_abs()
}

fn admin(data: &Path) -> String {
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    token.trim().to_owned()
}

fn pack(http: &mut Http) -> Value {
    let answer = http.ask("GET", "/v1/pack", None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// What the last pack did, when none runs any more.
fn ended(http: &mut Http) -> Value {
    wait_for("the end of the pack", || {
        let pack = pack(http);
        (pack["state"] == "idle" && pack["last"].is_object()).then(|| pack["last"].clone())
    })
}

fn begin(http: &mut Http) {
    let begun = http.ask("POST", "/v1/pack", None).unwrap();
    assert_eq!(begun.status, 202, "{begun:?}");
}

fn until_it_moves(http: &mut Http) {
    wait_for("a pack that moves", || {
        let pack = pack(http);
        assert_eq!(pack["state"], "running", "{pack}");
        pack["progress"].as_f64().filter(|progress| *progress > 0.0)
    });
}

/// Says that it is time to stop when it is dropped.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_pack_under_load_fails_no_request_loses_no_lease_and_moves_no_state() {
    let folder = Folder::new();
    let data = folder.path("data");
    aged(&data, OLD_UNDER_LOAD);
    let before = std::fs::metadata(data.join("cache.db")).unwrap().len();
    let running = server(&data);
    let token = admin(&data);
    let mut http = Http::connect(&running.api, &token).unwrap();
    let kept = http
        .ask("POST", "/v1/checkouts", Some(&checkout("tool", "anna")))
        .unwrap();
    assert_eq!(kept.status, 201, "{kept:?}");
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let report = std::thread::scope(|scope| {
        for client in 0..4 {
            let (stop, asked, api, token) = (&stop, &asked, &running.api, &token);
            scope.spawn(move || {
                let mut http = Http::connect(api, token).unwrap();
                let body = checkout("tool", &format!("user{client}"));
                while !stop.load(Ordering::Relaxed) {
                    let granted = http.ask("POST", "/v1/checkouts", Some(&body)).unwrap();
                    assert_eq!(granted.status, 201, "{granted:?}");
                    let lease = granted.body["lease"]["id"].as_str().unwrap();
                    let given = http.ask("DELETE", &format!("/v1/leases/{lease}"), None);
                    assert_eq!(given.unwrap().status, 204);
                    asked.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        // However this ends, the clients do.
        let _stops = Stops(&stop);
        begin(&mut http);
        let since = http.ask("GET", "/v1/service", None).unwrap().body["since"].clone();
        wait_within(UNDER_LOAD_WITHIN, "the end of the pack", || {
            let service = http.ask("GET", "/v1/service", None).unwrap().body;
            assert_eq!(service["state"], "running");
            assert_eq!(service["since"], since);
            let pack = pack(&mut http);
            (pack["state"] == "idle").then(|| pack["last"].clone())
        })
    });
    assert_eq!(report["result"], "done", "{report}");
    assert_eq!(report["purged_rows"], OLD_UNDER_LOAD);
    assert_eq!(report["skipped"], json!([]));
    assert!(
        asked.load(Ordering::Relaxed) > 100,
        "too little load to mean anything"
    );
    let leases = running.json(&["leases"]);
    assert_eq!(leases["items"].as_array().unwrap().len(), 1);
    assert_eq!(leases["items"][0]["id"], kept.body["lease"]["id"]);
    assert_eq!(running.stop(), Some(0));
    let after = std::fs::metadata(data.join("cache.db")).unwrap().len();
    // Each of the old rows was a hundred bytes and more; the load has left some of its own.
    let came = asked.load(Ordering::Relaxed) / 2 * LEASE_BYTES;
    assert!(
        after + OLD_UNDER_LOAD * 80 < before + came,
        "{before} became {after}, of which {came} came meanwhile"
    );
    assert_eq!(old_leases(&data), 0);
}

#[test]
fn a_pack_goes_on_by_itself_after_kills_of_the_server() {
    let folder = Folder::new();
    let data = folder.path("data");
    aged(&data, OLD);
    let mut running = server(&data);
    let token = admin(&data);
    let mut http = Http::connect(&running.api, &token).unwrap();
    begin(&mut http);
    for kill in 0..3_u64 {
        let mut http = Http::connect(&running.api, &token).unwrap();
        until_it_moves(&mut http);
        // tidy: sleep, the kill comes at another moment each time
        std::thread::sleep(Duration::from_millis(37 * kill));
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        running = server(&data);
    }
    let mut http = Http::connect(&running.api, &token).unwrap();
    let report = ended(&mut http);
    assert_eq!(report["result"], "done", "{report}");
    assert_eq!(report["purged_rows"], OLD, "each is counted once");
    assert_eq!(old_leases(&data), 0);
}

#[test]
fn a_stop_of_the_server_is_not_held_up_by_its_pack() {
    let folder = Folder::new();
    let data = folder.path("data");
    aged(&data, OLD);
    let running = server(&data);
    let token = admin(&data);
    let mut http = Http::connect(&running.api, &token).unwrap();
    begin(&mut http);
    until_it_moves(&mut http);
    drop(http);
    assert_eq!(running.stop(), Some(0), "it ends by itself");
    let left = old_leases(&data);
    assert!(left > 0, "the stop came too late to mean anything");
    let running = server(&data);
    let mut http = Http::connect(&running.api, &token).unwrap();
    assert_eq!(ended(&mut http)["purged_rows"], OLD);
}

#[test]
fn a_pack_is_steered_by_its_commands() {
    let folder = Folder::new();
    let data = folder.path("data");
    aged(&data, OLD);
    let running = server(&data);
    let shown = running.ok(&["pack"]);
    assert!(
        shown.contains("No pack runs") && shown.contains("Sun 01:59:59"),
        "{shown}"
    );
    let begun = running.json(&["pack", "now", "--no-wait"]);
    assert_eq!(begun["state"], "running");
    let (code, why) = running.fails(&["pack", "now"]);
    assert_eq!(code, 1, "{why}");
    assert!(
        why.contains("runs already") && why.contains("usher pack stop"),
        "{why}"
    );
    running.ok(&["pack", "stop"]);
    let mut http = Http::connect(&running.api, &admin(&data)).unwrap();
    assert_eq!(ended(&mut http)["result"], "stopped");
    let done = running.json(&["pack", "now"]);
    assert_eq!(done["last"]["result"], "done");
    assert_eq!(running.json(&["pack", "status"]), done);

    running.ok(&[
        "pack",
        "schedule",
        "Mon,Thu 03:00",
        "--time-zone",
        "Asia/Kathmandu",
    ]);
    let (code, why) = running.fails(&["pack", "schedule", "whenever"]);
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("`Sun 01:59:59`"), "{why}");
    let viewer = running.ok(&["token", "create", "--role", "viewer"]);
    let mut command = running.usher(&["pack", "now"]);
    let refused = command.env("USHER_TOKEN", viewer.trim()).ended();
    assert_eq!(refused.status.code(), Some(77), "{}", stderr(&refused));
    let planned = running.json(&["pack"]);
    assert_eq!(running.stop(), Some(0));
    let running = server(&data);
    assert_eq!(
        running.json(&["pack"]),
        planned,
        "a restart changes nothing"
    );
}

#[test]
fn the_schedule_of_an_old_installation_is_taken_over() {
    let folder = Folder::new();
    let data = folder.path("data");
    let file = folder.path("Remodbc.ini");
    std::fs::write(
        &file,
        b"[DS]\r\nPackTime=1774745999\r\nPackInterval=1209600\r\n[Logging]\r\nFileName=C:\\\xe4.log\r\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let running = server(&data);
    let import = ["pack", "import-ini", file, "--time-zone", "Europe/Berlin"];
    let before = running.json(&["pack"]);
    let told = running.ok(&[&import[..], &["--dry-run"]].concat());
    assert!(
        told.contains("taken over") && told.contains("journalctl"),
        "{told}"
    );
    assert_eq!(running.json(&["pack"]), before);
    let taken = running.json(&import);
    assert_eq!(taken["schedule"]["schedule"], "every 14 days 01:59:59");
    assert_eq!(taken["lines"].as_array().unwrap().len(), 3);
    let pack = running.json(&["pack"]);
    assert_eq!(pack["time_zone"], "Europe/Berlin");
    // Whole fortnights after the old installation's next run, but for an hour of summer time.
    let apart = pack["pack_time"].as_i64().unwrap() - 1_774_745_999;
    let off = apart.rem_euclid(1_209_600);
    assert!([0, 1_206_000].contains(&off), "{off}");
}

#[test]
fn old_rows_stay_as_long_as_they_are_to_be_kept() {
    let folder = Folder::new();
    let data = folder.path("data");
    aged(&data, 1_000);
    let mut keeps = usher();
    keeps.args(["server", "--listen", "127.0.0.1:0", "--keep-days", "36500"]);
    let running = Running::start(&mut keeps, &data);
    let done = running.json(&["pack", "now"]);
    assert_eq!(done["last"]["purged_rows"], 0);
    assert_eq!(running.stop(), Some(0));
    assert_eq!(old_leases(&data), 1_000);
}
