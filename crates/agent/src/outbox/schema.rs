//! Tables of `agent.db`. Changes only add; the version says what is there.

use rusqlite::Connection;

use super::OutboxError;

/// The newest schema that this version knows.
const VERSION: i64 = 1;

const TABLES: &str = "
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
";

/// Makes or checks the tables.
pub(super) fn prepare(connection: &Connection) -> Result<(), OutboxError> {
    // WAL with FULL: what was committed survives a power cut, and reading never waits.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;
         PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 4194304;",
    )?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > VERSION {
        return Err(OutboxError::Newer {
            found,
            known: VERSION,
        });
    }
    if found == 0 {
        connection.execute_batch(&format!(
            "BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    Ok(())
}
