//! A manager that is killed while it moves old sessions to the archive loses none of them, and counts none
//! twice.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Folder, Running, usher, wait_for, wait_within};

/// Sessions of one day: three files have them.
const SESSIONS: i64 = 50_000;
const PEOPLE: i64 = 40;
/// 2024-05-01T00:00:00Z, in Unix milliseconds.
const DAY_MS: i64 = 1_714_521_600_000;
const REPORT: [&str; 6] = [
    "report",
    "people",
    "--from",
    "2024-05-01T00:00:00Z",
    "--to",
    "2024-05-02T00:00:00Z",
];

fn manager(data: &Path, more: &[&str]) -> Running {
    let mut command = usher();
    let args = ["manager", "--console", "127.0.0.1:0", "--heal", "off"];
    Running::start(command.args(args).args(more), data)
}

/// Sessions of a day that is long over, and one of a later day: the last ones stay.
fn fill(site: &Path) {
    let connection = Connection::open(site).unwrap();
    let text = format!(
        "BEGIN;
         INSERT INTO history_sources (number, server, head_event, collected_ms)
            VALUES (1, 'S1', 1, {DAY_MS});
         INSERT INTO history_products (number, product) VALUES (1, 'cad');
         INSERT INTO usage_days (product, counted, line, day, seats_change, uses_change)
            VALUES (1, 0, 0, {DAY_MS} / 86400000, 0, 0);
         INSERT INTO history_computers (id, key, name) VALUES (1, 'pc', 'pc');
         WITH RECURSIVE n(it) AS (SELECT 1 UNION ALL SELECT it + 1 FROM n WHERE it < {PEOPLE})
            INSERT INTO history_people (id, realm, account, name)
            SELECT it, '', 'person' || it, 'person' || it FROM n;
         WITH RECURSIVE n(it) AS (SELECT 1 UNION ALL SELECT it + 1 FROM n WHERE it <= {SESSIONS})
            INSERT INTO history_sessions (product, started_ms, computer, agent_incarnation, session,
                ended_ms, person, unseated_ms, source, incarnation, event, duration_ms, program)
            SELECT 1, began, 1, 1, it, began + 60000, 1 + it % {PEOPLE}, 0, 1, 1, it, 60000, 'cad'
            FROM (SELECT it, {DAY_MS} + it * 1000
                + (it > {SESSIONS}) * 172800000 AS began FROM n);
         COMMIT;"
    );
    connection.execute_batch(&text).unwrap();
}

/// Sessions in the table, and in the files that the database names.
fn counted(site: &Path) -> (i64, i64) {
    let connection = Connection::open(site).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    let sql = "SELECT (SELECT count(*) FROM history_sessions), \
               (SELECT coalesce(sum(rows), 0) FROM archive_parts)";
    connection
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

fn people(manager: &Running) -> (Value, Value) {
    let console = manager.ready.split(' ');
    let console = console
        .filter_map(|word| word.strip_prefix("console="))
        .next()
        .unwrap();
    let at = ["--manager", console.trim_end_matches('/')];
    let report = manager.json(&[&REPORT[..], &at[..]].concat());
    assert_eq!(report["cut"].as_array().map(Vec::len), Some(0), "{report}");
    (report["sections"].clone(), report["notes"].clone())
}

#[test]
fn a_manager_that_is_killed_while_it_moves_sessions_loses_none_and_doubles_none() {
    let folder = Folder::new();
    let data = folder.path("manager");
    let archive = folder.path("archive");
    let site = data.join("site.db");
    let keeps = ["--retention-sessions", "forever"];
    assert_eq!(manager(&data, &keeps).stop(), Some(0));
    fill(&site);
    let running = manager(&data, &keeps);
    let before = people(&running);
    let text = before.0.to_string();
    assert!(text.contains("person7"), "{text}");
    assert_eq!(running.stop(), Some(0));

    let moves = [
        "--retention-sessions",
        "400d",
        "--retention-archive",
        archive.to_str().unwrap(),
    ];
    let all = SESSIONS + 1;
    let mut kills = 0;
    // At the beginning of the first file, behind it, and wherever it is after ever longer.
    for pause_ms in (0..).map(|step| step * 40) {
        let running = manager(&data, &moves);
        wait_for("the archive to be written", || {
            std::fs::read_dir(&archive).ok()?.next().map(drop)
        });
        // tidy: sleep, so that each kill meets it at another point of its work
        std::thread::sleep(Duration::from_millis(pause_ms));
        // It is killed.
        drop(running);
        kills += 1;
        let (rows, moved) = counted(&site);
        assert_eq!(rows + moved, all, "after kill {kills}");
        if rows == 1 {
            break;
        }
        assert!(kills < 60, "{rows} rows are left after {kills} kills");
    }
    assert!(kills > 1, "it was done before the first kill");
    let running = manager(&data, &moves);
    wait_within(Duration::from_secs(60), "the rest to be moved", || {
        (counted(&site) == (1, SESSIONS)).then_some(())
    });
    let after = people(&running);
    assert_eq!(after.0, before.0);
    assert!(after.1.to_string().contains("archive"), "{}", after.1);
    assert_eq!(running.stop(), Some(0));
}
