//! The tables of a data file, and how a file of an earlier version becomes one of this.
//!
//! Schema changes only ever add. `schema_version` is what the file has; `oldest_writer` is the
//! lowest version that may still write it, so that the version before can take over again.
//! Names of people and computers stand in `subjects` and `computers` only: every other row holds
//! a random surrogate.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use usher_tables::{Beyond, differences};

use crate::base::error::StoreError;
use crate::base::meta::{number, put, version};
use crate::base::place::Place;
use crate::base::whole::copy_whole;

/// The schema that this version writes.
pub(crate) const SCHEMA_VERSION: u32 = 4;
/// The schema since which a person is a realm and an account, and names are in composed form.
const PEOPLE_AND_NAMES: usize = 3;

/// Each step makes version `index + 1` out of `index`, and says who may still write it then.
const STEPS: &[(&str, u32)] = &[
    (
        "
    -- A batch's events as one record, until the tables hold them.
    CREATE TABLE journal (
        first INTEGER PRIMARY KEY, count INTEGER NOT NULL, steady INTEGER NOT NULL,
        wall INTEGER NOT NULL, events BLOB NOT NULL);
    CREATE TABLE subjects (
        id INTEGER PRIMARY KEY, authority TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL);
    CREATE TABLE computers (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL);
    CREATE TABLE products (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL,
        max_ttl_seconds INTEGER NOT NULL, queue_limit INTEGER NOT NULL,
        shared_by_subject INTEGER NOT NULL, document TEXT NOT NULL,
        created_at INTEGER NOT NULL, removed INTEGER NOT NULL);
    CREATE TABLE entitlements (
        number INTEGER PRIMARY KEY, product INTEGER NOT NULL, seats INTEGER NOT NULL,
        overdraft INTEGER NOT NULL, valid_from INTEGER, valid_to INTEGER,
        allotment INTEGER NOT NULL);
    CREATE TABLE allotments (
        number INTEGER PRIMARY KEY, product INTEGER NOT NULL, entitlement INTEGER NOT NULL,
        seats INTEGER NOT NULL, valid_from INTEGER, valid_to INTEGER, deadline INTEGER);
    CREATE TABLE leases (
        number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, computer INTEGER NOT NULL, seats INTEGER NOT NULL,
        ttl_seconds INTEGER NOT NULL, deadline INTEGER NOT NULL, granted_at INTEGER NOT NULL,
        granted INTEGER NOT NULL, draws TEXT NOT NULL, session INTEGER,
        ticket INTEGER, ticket_incarnation INTEGER, holders TEXT NOT NULL,
        graced INTEGER NOT NULL, scene_seats INTEGER NOT NULL, scene_in_use INTEGER NOT NULL,
        scene_queued INTEGER NOT NULL, ended INTEGER, ended_at INTEGER, held_ms INTEGER,
        cause TEXT, program TEXT);
    CREATE INDEX leases_open ON leases (product, number) WHERE ended IS NULL;
    -- In the order in which the rows lie, for a walk over all that are out.
    CREATE INDEX leases_held ON leases (number) WHERE ended IS NULL;
    CREATE INDEX leases_ended ON leases (product, ended) WHERE ended IS NOT NULL;
    CREATE TABLE tickets (
        number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, computer INTEGER NOT NULL, seats INTEGER NOT NULL,
        ttl_seconds INTEGER NOT NULL, priority INTEGER NOT NULL, queued_at INTEGER NOT NULL,
        scene_seats INTEGER NOT NULL, scene_in_use INTEGER NOT NULL,
        scene_queued INTEGER NOT NULL, state TEXT NOT NULL, until INTEGER, lease INTEGER,
        lease_incarnation INTEGER, forgotten INTEGER NOT NULL, program TEXT);
    CREATE INDEX tickets_kept ON tickets (product, number) WHERE forgotten = 0;
    CREATE TABLE denials (
        number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, computer INTEGER NOT NULL, seats INTEGER NOT NULL,
        reason TEXT NOT NULL, scene_seats INTEGER NOT NULL, scene_in_use INTEGER NOT NULL,
        scene_queued INTEGER NOT NULL, first INTEGER NOT NULL, first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL, count INTEGER NOT NULL);
    CREATE INDEX denials_last ON denials (last_at);
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY, computer INTEGER NOT NULL, session INTEGER NOT NULL,
        sender_incarnation INTEGER NOT NULL, product INTEGER NOT NULL, program TEXT NOT NULL,
        version TEXT, subject INTEGER NOT NULL, real_subject INTEGER,
        started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
        lease INTEGER, lease_incarnation INTEGER,
        UNIQUE (computer, sender_incarnation, session));
    CREATE INDEX sessions_lease ON sessions (lease) WHERE lease IS NOT NULL;
    CREATE TABLE unseated (
        computer INTEGER NOT NULL, session INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, ttl_seconds INTEGER NOT NULL, deadline INTEGER NOT NULL,
        reason TEXT NOT NULL, number INTEGER NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (computer, session));
    CREATE TABLE marks (
        computer INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL);
    CREATE TABLE programs (
        program TEXT NOT NULL, computer INTEGER NOT NULL, starts INTEGER NOT NULL,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, PRIMARY KEY (program, computer));
    CREATE TABLE answers (
        number INTEGER PRIMARY KEY, key BLOB NOT NULL, body INTEGER NOT NULL,
        reply BLOB NOT NULL, steady INTEGER NOT NULL);
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, role TEXT NOT NULL, name TEXT NOT NULL,
        subject INTEGER, computer INTEGER, created_at INTEGER NOT NULL, expires_at INTEGER,
        revoked_at INTEGER);
    -- One row a use: what an agent saw, leases that no agent's session names, and what runs.
    CREATE VIEW uses AS
        SELECT s.number, 'S' || s.number AS id, s.product, s.program, s.subject,
            s.real_subject, s.computer, s.started_at, s.ended_at, s.duration_ms,
            CASE WHEN s.lease IS NULL THEN NULL
                ELSE printf('L%08x-%d', s.lease_incarnation, s.lease) END AS lease
        FROM sessions s
        UNION ALL
        SELECT l.number, 'S' || l.number, l.product, l.program, l.subject, NULL, l.computer,
            l.granted_at, l.ended_at, l.held_ms, printf('L%08x-%d', l.incarnation, l.number)
        FROM leases l
        WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.lease = l.number
                AND s.lease_incarnation = l.incarnation)
            AND (l.session IS NULL OR l.ended IS NULL)
        UNION ALL
        SELECT u.number, 'S' || u.number, u.product, NULL, u.subject, NULL, u.computer,
            u.since, NULL, NULL, NULL
        FROM unseated u;
    ",
        1,
    ),
    (
        "
    -- Which versions have served this file, oldest first, and when each passed its first
    -- scheduled pack.
    CREATE TABLE versions (
        number INTEGER PRIMARY KEY, version TEXT NOT NULL, schema INTEGER NOT NULL,
        since INTEGER NOT NULL, packed_at INTEGER);
    -- The one version that wrote schema 1; when it began to is not known.
    INSERT INTO versions (version, schema, since)
        SELECT '0.1.0', 1, 0 FROM meta WHERE key = 'server_id';
    ",
        1,
    ),
    // What it changes of people and names takes more than statements.
    (
        "
    -- Whether each event of the record, or the answer, is a frame with its length and form.
    ALTER TABLE journal ADD COLUMN framed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE answers ADD COLUMN framed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE products ADD COLUMN impossible_seconds INTEGER NOT NULL DEFAULT 60;
    -- A day stays a day, with the zone in which it is meant; valid_from and valid_to are instants.
    ALTER TABLE entitlements ADD COLUMN from_day TEXT;
    ALTER TABLE entitlements ADD COLUMN from_zone TEXT;
    ALTER TABLE entitlements ADD COLUMN to_day TEXT;
    ALTER TABLE entitlements ADD COLUMN to_zone TEXT;
    ALTER TABLE allotments ADD COLUMN from_day TEXT;
    ALTER TABLE allotments ADD COLUMN from_zone TEXT;
    ALTER TABLE allotments ADD COLUMN to_day TEXT;
    ALTER TABLE allotments ADD COLUMN to_zone TEXT;
    -- How seats were asked for: whether it would wait, and which refusal it comes after. NULL
    -- where that was not kept.
    ALTER TABLE leases ADD COLUMN waits INTEGER;
    ALTER TABLE leases ADD COLUMN repeats INTEGER;
    -- What else was asked for at once: `product:seats`, with commas. NULL where nothing was.
    ALTER TABLE leases ADD COLUMN also TEXT;
    ALTER TABLE tickets ADD COLUMN also TEXT;
    ALTER TABLE denials ADD COLUMN also TEXT;
    -- The first of the leases or tickets that it is one with, and how many they are.
    ALTER TABLE leases ADD COLUMN bundle INTEGER;
    ALTER TABLE leases ADD COLUMN bundle_count INTEGER;
    ALTER TABLE tickets ADD COLUMN bundle INTEGER;
    ALTER TABLE tickets ADD COLUMN bundle_count INTEGER;
    ALTER TABLE denials ADD COLUMN waits INTEGER;
    ALTER TABLE denials ADD COLUMN repeats INTEGER;
    -- How many of `count` came after another refusal of the same person, computer and product.
    ALTER TABLE denials ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE denials ADD COLUMN last_steady INTEGER;
    UPDATE denials SET last_steady = first;
    -- Seconds in which a program of no product ran, and the package that it came with.
    ALTER TABLE programs ADD COLUMN run_seconds INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE programs ADD COLUMN package TEXT;
    -- What desktops show it as.
    ALTER TABLE programs ADD COLUMN desktop_name TEXT;
    -- One person's or computer's are asked for, newest first: an index ends with the row's number.
    CREATE INDEX denials_subject ON denials (subject);
    CREATE INDEX denials_computer ON denials (computer);
    CREATE INDEX subjects_person ON subjects (authority, key);
    CREATE INDEX computers_key ON computers (key);
    -- Of the session that holds it; 0 where that was not kept.
    ALTER TABLE leases ADD COLUMN session_incarnation INTEGER NOT NULL DEFAULT 0;
    -- How much of a session's time it had no seat.
    ALTER TABLE sessions ADD COLUMN unseated_ms INTEGER NOT NULL DEFAULT 0;
    UPDATE sessions SET unseated_ms = duration_ms WHERE lease IS NULL;
    DROP VIEW uses;
    ALTER TABLE unseated RENAME TO unseated_before;
    CREATE TABLE unseated (
        computer INTEGER NOT NULL, session INTEGER NOT NULL,
        session_incarnation INTEGER NOT NULL,
        product INTEGER NOT NULL, subject INTEGER NOT NULL, ttl_seconds INTEGER NOT NULL,
        deadline INTEGER NOT NULL, reason TEXT NOT NULL, number INTEGER NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (computer, session, session_incarnation));
    INSERT INTO unseated SELECT computer, session, 0, product, subject, ttl_seconds, deadline,
        reason, number, since FROM unseated_before;
    DROP TABLE unseated_before;
    CREATE VIEW uses AS
        SELECT s.number, 'S' || s.number AS id, s.product, s.program, s.subject,
            s.real_subject, s.computer, s.started_at, s.ended_at, s.duration_ms,
            CASE WHEN s.lease IS NULL THEN NULL
                ELSE printf('L%08x-%d', s.lease_incarnation, s.lease) END AS lease,
            s.unseated_ms
        FROM sessions s
        UNION ALL
        SELECT l.number, 'S' || l.number, l.product, nullif(l.program, '(kept)'),
            l.subject, NULL, l.computer, l.granted_at, l.ended_at, l.held_ms,
            printf('L%08x-%d', l.incarnation, l.number), 0
        FROM leases l
        WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.lease = l.number
                AND s.lease_incarnation = l.incarnation)
            AND (l.session IS NULL OR l.ended IS NULL)
            -- A seat that is kept for a start to come is no use before that.
            AND NOT (l.session IS NULL AND l.program IS '(kept)')
        UNION ALL
        SELECT u.number, 'S' || u.number, u.product, NULL, u.subject, NULL, u.computer,
            u.since, NULL, NULL, NULL, NULL
        FROM unseated u;
    ALTER TABLE tickets ADD COLUMN repeats INTEGER;
    -- Since when it is passed over, and when it is refused for that.
    ALTER TABLE tickets ADD COLUMN aside_since INTEGER;
    ALTER TABLE tickets ADD COLUMN deny_at INTEGER;
    -- Of a refused one.
    ALTER TABLE tickets ADD COLUMN denied_for TEXT;
    ALTER TABLE tickets ADD COLUMN decision INTEGER;
    ALTER TABLE tickets ADD COLUMN decision_incarnation INTEGER;
    -- When its wait was over, and how long it was.
    ALTER TABLE tickets ADD COLUMN queued INTEGER;
    ALTER TABLE tickets ADD COLUMN decided_at INTEGER;
    ALTER TABLE tickets ADD COLUMN waited_ms INTEGER;
    -- Who has changed what.
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor_kind TEXT NOT NULL,
        actor TEXT NOT NULL, request TEXT NOT NULL, what TEXT NOT NULL, product INTEGER,
        entitlement INTEGER, lease INTEGER, ticket INTEGER);
    -- One row an ask and its outcome, however it was answered.
    CREATE VIEW asks AS
        SELECT l.number, l.incarnation, l.product, l.subject, l.computer, l.seats,
            l.granted_at AS asked_at, l.waits, 0 AS waited_ms, 'granted' AS outcome,
            NULL AS reason, l.repeats, 1 AS count, l.repeats IS NOT NULL AS retries,
            l.also, l.bundle
        FROM leases l WHERE l.ticket IS NULL
        UNION ALL
        SELECT t.number, t.incarnation, t.product, t.subject, t.computer, t.seats, t.queued_at,
            1, t.waited_ms, CASE WHEN t.state = 'granted' OR t.lease IS NOT NULL THEN 'granted'
                ELSE t.state END, t.denied_for, t.repeats, 1, t.repeats IS NOT NULL,
            t.also, t.bundle
        FROM tickets t
        UNION ALL
        SELECT d.number, d.incarnation, d.product, d.subject, d.computer, d.seats, d.first_at,
            d.waits, 0, 'denied', d.reason, d.repeats, d.count, d.retries, d.also, NULL
        FROM denials d WHERE d.reason <> 'impossible';
    ",
        3,
    ),
    (
        "
    -- What is said of an entitlement besides its seats and dates: a name that no other has, and
    -- price, contract and their like as JSON. No row where nothing is said.
    CREATE TABLE entitlement_details (
        number INTEGER PRIMARY KEY, name TEXT, document TEXT NOT NULL);
    ",
        3,
    ),
];

/// Opens a connection as the writer needs it.
pub(crate) fn connect(path: &Path, place: Place) -> Result<Connection, StoreError> {
    let database = |doing| {
        move |source| StoreError::Database {
            doing,
            path: path.into(),
            source,
        }
    };
    let connection = place.open(path).map_err(database("open"))?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(database("open"))?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(database("open"))?;
    connection.set_prepared_statement_cache_capacity(64);
    let pages: i64 = connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .map_err(database("open"))?;
    if pages == 0 {
        // So that a pack can give room back: it can only be said of a file with nothing in it.
        connection
            .execute_batch("PRAGMA auto_vacuum = INCREMENTAL")
            .map_err(database("open"))?;
    }
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(database("open"))?;
    if mode != "wal" {
        return Err(StoreError::Damaged {
            path: path.into(),
            why: "the file system does not allow SQLite's write-ahead log".to_owned(),
        });
    }
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF; \
             PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 268435456;",
        )
        .map_err(database("open"))?;
    Ok(connection)
}

/// What becomes of a file of an earlier version as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// It stays beside the new one.
    Beside,
    /// It lies elsewhere already.
    Elsewhere,
}

/// Brings a file to this version's schema; a new one from nothing. `people_and_names` does what
/// schema 3 changes beside the tables. A file with other tables than this version makes is refused,
/// and left as it is.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    saved: Saved,
    people_and_names: fn(&Connection, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let database = |source| StoreError::Database {
        doing: "migrate",
        path: path.into(),
        source,
    };
    let found = version(connection).map_err(database)?;
    let oldest = number(connection, "oldest_writer")
        .map_err(database)?
        .unwrap_or(0);
    if oldest > u64::from(SCHEMA_VERSION) {
        let known = SCHEMA_VERSION;
        return Err(StoreError::TooNew {
            path: path.into(),
            found,
            known,
        });
    }
    if found >= SCHEMA_VERSION {
        return must_be_ours(connection, path, found);
    }
    if found > 0 && saved == Saved::Beside {
        let name = path.with_extension(format!("db.schema-{found}"));
        copy_whole(connection, path, &name)?;
    }
    let transaction = connection.transaction().map_err(database)?;
    make_meta(&transaction).map_err(database)?;
    for (version, (step, oldest_writer)) in (1..).zip(STEPS).skip(found as usize) {
        transaction.execute_batch(step).map_err(|error| {
            // A statement that the tables do not fit: what the step expects is not there, or what it
            // makes is there already.
            match error.sqlite_error_code() {
                Some(ErrorCode::Unknown) if found > 0 => {
                    other_build(path, found, error.to_string())
                }
                _ => database(error),
            }
        })?;
        if version == PEOPLE_AND_NAMES {
            people_and_names(&transaction, path)?;
        }
        put(&transaction, "oldest_writer", u64::from(*oldest_writer)).map_err(database)?;
    }
    put(&transaction, "schema_version", u64::from(SCHEMA_VERSION)).map_err(database)?;
    must_be_ours(&transaction, path, found)?;
    transaction.commit().map_err(database)
}

fn make_meta(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    )
}

/// Refuses a file whose tables are not those that this version makes: the first write would find
/// out, and take it for a fault of the disk. `found` is the file's schema.
fn must_be_ours(connection: &Connection, path: &Path, found: u32) -> Result<(), StoreError> {
    let beyond = match found > SCHEMA_VERSION {
        true => Beyond::Columns,
        false => Beyond::Nothing,
    };
    let compare = || {
        let ours = Connection::open_in_memory()?;
        make_meta(&ours)?;
        STEPS
            .iter()
            .try_for_each(|(step, _)| ours.execute_batch(step))?;
        differences(connection, &ours, beyond)
    };
    let differs = compare().map_err(|source| StoreError::Database {
        doing: "look at the tables of",
        path: path.into(),
        source,
    })?;
    differs.map_or(Ok(()), |differs| Err(other_build(path, found, differs)))
}

fn other_build(path: &Path, schema: u32, differs: String) -> StoreError {
    StoreError::OtherBuild {
        path: path.into(),
        schema,
        differs,
    }
}

/// Columns that a file of an earlier schema lacks: since which schema they are there, and what
/// stands for them before it. A name that is part of another comes after it.
const LATER: &[(u32, &str, &str)] = &[
    (3, "impossible_seconds", "60"),
    (3, "from_day", "NULL"),
    (3, "from_zone", "NULL"),
    (3, "to_day", "NULL"),
    (3, "to_zone", "NULL"),
    (3, "session_incarnation", "0"),
    (3, "aside_since", "NULL"),
    (3, "deny_at", "NULL"),
    (3, "denied_for", "NULL"),
    (3, "decision_incarnation", "NULL"),
    (3, "decision", "NULL"),
    (3, "last_steady", "first"),
    (3, "bundle_count", "NULL"),
    (3, "bundle", "NULL"),
    (3, "framed", "0"),
];

/// A query as a file of that schema can answer it: it may be looked at before it is brought to
/// this version's.
pub(crate) fn as_of(sql: &str, schema: u32) -> String {
    LATER
        .iter()
        .filter(|(since, ..)| schema < *since)
        .fold(sql.to_owned(), |sql, (_, column, before)| {
            sql.replace(column, before)
        })
}
