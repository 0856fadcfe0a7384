//! What is kept for a consumer, and for how long.

use std::path::Path;

use usher_core::ledger::{EventNumber, Incarnation};

use super::*;
use crate::base::meta::put;
use crate::base::schema::{Saved, migrate};

fn file() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let nobody = |_: &Connection, _: &Path| Ok(());
    migrate(&mut connection, Path::new("new"), Saved::Elsewhere, nobody).unwrap();
    lives::begin(&connection, EventNumber(0), Incarnation(7)).unwrap();
    put(&connection, "filled_to", 1_001).unwrap();
    connection
}

fn has(connection: &Connection, name: &str, event: u64, day: i64) -> Result<Consumer, NotTaken> {
    let point = HistoryPoint {
        incarnation: Incarnation(7),
        event: EventNumber(event),
    };
    acknowledge(connection, name, point, day * DAY_MS).unwrap()
}

#[test]
fn what_is_acknowledged_is_kept_for_fourteen_more_days_and_never_taken_back() {
    let file = file();
    assert_eq!(has(&file, "site", 10, 100).unwrap().kept_after, 0);
    for (event, day, through, kept_after) in [
        (20, 101, 20, 0),
        // A consumer that was put back to a backup asks again for what it had.
        (5, 102, 20, 0),
        (30, 114, 30, 10),
        (40, 115, 40, 20),
        (50, 127, 50, 20),
        (60, 128, 60, 30),
    ] {
        let it = has(&file, "site", event, day).unwrap();
        assert_eq!((it.through, it.kept_after), (through, kept_after), "{day}");
    }
    let rows: i64 = file
        .query_row("SELECT count(*) FROM history_acknowledged", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(rows, 4, "what says nothing more is gone");
}

#[test]
fn consumers_are_bounded_and_one_that_is_gone_keeps_nothing() {
    let file = file();
    for number in 0..CONSUMERS_LIMIT {
        has(&file, &format!("c{number}"), 1, 100).unwrap();
    }
    assert_eq!(has(&file, "another", 1, 100), Err(NotTaken::TooMany));
    assert_eq!(has(&file, "c1", 1_001, 100), Err(NotTaken::NotHere));
    has(&file, "c0", 2, 131).unwrap();
    let live: Vec<String> = all(&file, 131 * DAY_MS)
        .unwrap()
        .into_iter()
        .filter(|it| it.is_live)
        .map(|it| it.name)
        .collect();
    assert_eq!(live, ["c0"]);
}
