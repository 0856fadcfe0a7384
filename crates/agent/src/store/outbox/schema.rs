//! The tables of `agent.db`. A change only adds; the version says which tables and columns exist.

use rusqlite::Connection;
use usher_tables::{Beyond, differences};

use super::OutboxError;

/// The newest schema version that this program knows.
const VERSION: usize = STEPS.len();

/// Each step makes version `index + 1` out of version `index`. The previous program must still be
/// able to write the file, so a step only adds; a step that does more raises `oldest_writer` in
/// `meta`.
const STEPS: [&str; 5] = [
    "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- What the server is to be told, in order of id. sequence: once it was put into a request.
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER UNIQUE,
    kind TEXT NOT NULL,
    session INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX items_by_session ON items (session) WHERE session IS NOT NULL;
-- Sessions that run. asked: a seat was asked for in a request, so the server may hold one.
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0
);
-- Process trees under a lease of usher run.
CREATE TABLE covers (
    pid INTEGER, start INTEGER, lease TEXT NOT NULL, product TEXT NOT NULL,
    keeps INTEGER NOT NULL);
-- Leases whose keeper has ended without giving them back.
CREATE TABLE left_behind (lease TEXT UNIQUE NOT NULL);
-- Leases and tickets that local users made through the socket.
CREATE TABLE grants (id TEXT UNIQUE NOT NULL, uid INTEGER NOT NULL, product TEXT NOT NULL);
",
    "
-- Finished sessions that the server has acknowledged, in order of that. first: the incarnation in
-- which a session was first reported; incarnation and sequence: in which it was last.
CREATE TABLE kept (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    first INTEGER NOT NULL, session INTEGER NOT NULL,
    incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL,
    acknowledged_at INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (first, session));
-- Seats of sessions that run, as the server last confirmed them.
CREATE TABLE seats (
    session INTEGER PRIMARY KEY, granted_boot_ms INTEGER NOT NULL,
    granted_wall_ms INTEGER NOT NULL, until_boot_ms INTEGER NOT NULL,
    ttl_seconds INTEGER NOT NULL);
",
    "
-- What a lease of another computer was joined by; none: it is a lease of this one.
ALTER TABLE covers ADD COLUMN proof TEXT;
",
    "
-- Whom a lease is counted for that all of one use may run on; none: it is its own request's alone.
ALTER TABLE grants ADD COLUMN one_use_of INTEGER;
-- What people were told, for a day. run, number: its id.
CREATE TABLE notices (
    number INTEGER PRIMARY KEY, run INTEGER NOT NULL, counted INTEGER NOT NULL,
    real INTEGER NOT NULL, at_wall_ms INTEGER NOT NULL, body TEXT NOT NULL);
",
    "
-- Places in the queue that nobody waits by any more, and that the server was not told of.
CREATE TABLE left_tickets (ticket TEXT UNIQUE NOT NULL);
",
];

/// Makes the tables, or upgrades those of an earlier version to this one.
pub(super) fn prepare(connection: &Connection) -> Result<(), OutboxError> {
    // WAL with FULL: what was committed survives a power cut, and reading never waits.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;
         PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 4194304;",
    )?;
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = found as usize;
    if found > VERSION {
        let oldest: Option<usize> =
            super::meta(connection, "oldest_writer")?.and_then(|text| text.parse().ok());
        return match oldest {
            Some(oldest) if oldest <= VERSION => Ok(()),
            _ => Err(OutboxError::Newer {
                found,
                known: VERSION,
            }),
        };
    }
    if found == VERSION {
        return must_be_ours(connection);
    }
    for (version, step) in (1..).zip(STEPS).skip(found) {
        connection.execute_batch(&format!(
            "BEGIN; {step} INSERT OR IGNORE INTO meta (key, value) VALUES ('oldest_writer', '1');
             PRAGMA user_version = {version}; COMMIT;"
        ))?;
    }
    Ok(())
}

/// Refuses a file that has the same version number but other tables.
fn must_be_ours(connection: &Connection) -> Result<(), OutboxError> {
    let ours = Connection::open_in_memory()?;
    STEPS.iter().try_for_each(|step| ours.execute_batch(step))?;
    let differs = differences(connection, &ours, Beyond::Nothing)?;
    differs.map_or(Ok(()), |differs| Err(OutboxError::OtherBuild(differs)))
}
