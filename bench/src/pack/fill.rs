//! A large store, made by SQL: rows that a pack keeps, and rows that are past their retention.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use usher_store::{Engine, EngineOptions, SystemClock};

/// Rows that are made in one statement.
const ROWS: u64 = 200_000;

/// Makes a data directory of that size; gives how many of its rows are past their retention.
pub(super) fn fill(data: &Path, bytes: u64, old_percent: u64) -> Result<u64, String> {
    let (engine, _) = Engine::open(EngineOptions {
        data: data.into(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new(|_| {}),
    })
    .map_err(|error| error.to_string())?;
    engine.close();
    let failed = |error: rusqlite::Error| format!("cannot fill the store: {error}");
    let file = Connection::open(data.join("cache.db")).map_err(failed)?;
    file.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
        .map_err(failed)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = now.map_err(|error| error.to_string())?.as_millis();
    let now_ms = i64::try_from(now_ms).map_err(|error| error.to_string())?;
    let size = || -> rusqlite::Result<u64> {
        let of =
            |name: &str| file.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        Ok((of("page_count")? * of("page_size")?).unsigned_abs())
    };
    let (mut old_rows, mut rows) = (0, 0);
    while size().map_err(failed)? < bytes {
        // Old ones come first, as in a store that time has filled.
        let is_old = size().map_err(failed)? < bytes / 100 * old_percent;
        let age_days = if is_old { 500 } else { 100 };
        let statements = rows_of(rows + 1, now_ms - age_days * 86_400_000);
        file.execute_batch(&statements).map_err(failed)?;
        rows += ROWS;
        old_rows += if is_old { ROWS } else { 0 };
    }
    let renumber = "UPDATE meta SET value = ?1 WHERE key = 'filled_to'";
    file.execute(renumber, [(rows + 1).cast_signed()])
        .map_err(failed)?;
    Ok(old_rows)
}

/// Ended leases, sessions and denials, six, three and one of ten, from a number and an instant on.
fn rows_of(first: u64, at_ms: i64) -> String {
    let last = first + ROWS - 1;
    format!(
        "BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS
            (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n;
         INSERT INTO leases (number, incarnation, product, subject, computer, seats, ttl_seconds,
            deadline, granted_at, granted, draws, holders, graced, scene_seats, scene_in_use,
            scene_queued, ended, ended_at, held_ms, cause, program)
         SELECT i, 1, 1 + i % 20, random(), random(), 1, 300, {at_ms} + i, {at_ms} + i, i, '2:1', '', 0,
            100, i % 100, 0, i + 500, {at_ms} + i + 500, 500, 'checked_in', 'solver-' || (i % 40)
         FROM n WHERE i % 10 < 6;
         INSERT INTO sessions (number, computer, session, sender_incarnation, product, program,
            version, subject, started_at, ended_at, duration_ms)
         SELECT i, random(), i, 1, 1 + i % 20, '/opt/vendor/solver-' || (i % 40), '12.1', random(),
            {at_ms} + i, {at_ms} + i + 500, 500
         FROM n WHERE i % 10 BETWEEN 6 AND 8;
         INSERT INTO denials (number, incarnation, product, subject, computer, seats, reason,
            scene_seats, scene_in_use, scene_queued, first, first_at, last_at, count)
         SELECT i, 1, 1 + i % 20, random(), random(), 1, 'no_seat', 100, 100, 0, i, {at_ms} + i,
            {at_ms} + i, 1
         FROM n WHERE i % 10 = 9;
         DROP TABLE n;
         COMMIT;"
    )
}
