//! The tables on PostgreSQL. Steps only add; all that are missing are carried out in one transaction.
//!
//! Whole numbers are `bigint`. Ids are compared and ordered byte by byte (`COLLATE "C"`), whatever the
//! database's own order is.

mod days;
mod history;
mod imports;
mod retention;
mod shared;
mod usage;

use std::time::Duration;

use super::db::Db;
use super::failure::Result;
use super::usage::make_missing;
use super::values::params;

/// Each step, from an empty database on. `site_schema` has those that were carried out.
const STEPS: &[&[&str]] = &[
    &[MANAGER, history::STEP, imports::STEP, usage::STEP],
    &[usage::RUNS],
    &[history::MARKS],
    &[retention::STEP],
    &[imports::REMOVALS],
    &[shared::STEP],
    &[usage::BY_END],
    &[days::STEP],
];

/// The number of the lock under which one manager at a time brings the tables up to date.
const LOCK: i64 = 0x7573_6865_725f_7032;

/// The table of the steps, which is there before the first.
const BEGIN: &str = "
CREATE TABLE IF NOT EXISTS site_schema (
    step bigint PRIMARY KEY,
    made text NOT NULL
);
";

/// How long a step may take.
const STEP_WITHIN: Duration = Duration::from_secs(3_600);

/// What a manager keeps of itself.
const MANAGER: &str = "
-- The last call of each process that was committed, by which it knows what became of a COMMIT that was
-- not answered.
CREATE TABLE site_calls (
    writer bigint PRIMARY KEY,
    call   bigint NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE settings (
    name  text COLLATE \"C\" PRIMARY KEY,
    value text NOT NULL
);
CREATE TABLE servers (
    name     text COLLATE \"C\" PRIMARY KEY,
    url      text NOT NULL,
    token    text NOT NULL,
    unit     text,
    data     text,
    added_ms bigint NOT NULL
);
CREATE TABLE messages (
    record_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            bigint NOT NULL,
    severity      bigint NOT NULL,
    component     text COLLATE \"C\" NOT NULL,
    computer      text NOT NULL,
    site          text NOT NULL,
    server        text COLLATE \"C\",
    process_id    bigint NOT NULL,
    first_ms      bigint NOT NULL,
    last_ms       bigint NOT NULL,
    vals          text NOT NULL,
    count         bigint NOT NULL,
    recovered_ms  bigint,
    keep_until_ms bigint NOT NULL,
    summarised    boolean NOT NULL
);
CREATE INDEX messages_by_end ON messages (keep_until_ms);
CREATE INDEX messages_by_last ON messages (last_ms);
CREATE INDEX messages_by_server ON messages (server, record_id);
CREATE TABLE episodes (
    server     text COLLATE \"C\" NOT NULL,
    number     bigint NOT NULL,
    verdict    text NOT NULL,
    record_id  bigint,
    message_id bigint NOT NULL,
    count      bigint NOT NULL,
    first_ms   bigint NOT NULL,
    last_ms    bigint NOT NULL,
    ended_ms   bigint,
    PRIMARY KEY (server, number)
);
CREATE TABLE concerns (
    server     text COLLATE \"C\" NOT NULL,
    message_id bigint NOT NULL,
    about      text COLLATE \"C\" NOT NULL,
    record_id  bigint,
    count      bigint NOT NULL,
    PRIMARY KEY (server, message_id, about)
);
CREATE INDEX concerns_by_record ON concerns (record_id);
CREATE TABLE deliveries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id   bigint,
    rule        text NOT NULL,
    destination text NOT NULL,
    message     text NOT NULL,
    since_ms    bigint NOT NULL,
    is_told     boolean NOT NULL
);
CREATE TABLE destinations (
    destination text COLLATE \"C\" PRIMARY KEY,
    since_ms    bigint NOT NULL,
    tries       bigint NOT NULL,
    why         text NOT NULL,
    given_up    bigint NOT NULL
);
";

/// What is there before anything is changed.
pub(super) enum Found {
    /// It is up to date, or will be.
    Ours,
    /// A newer version has made so many steps; this one knows fewer.
    Newer { found: i64, known: i64 },
    /// A build that is not a release has made another step of that number.
    Other { step: i64 },
}

/// Brings the tables up to date, unless others than this version's are there.
pub(super) fn prepare(db: &Db) -> Result<Found> {
    // Another manager that starts at the same time is waited for.
    db.exists("SELECT pg_advisory_xact_lock($1::bigint)", &params![LOCK])?;
    let is_there: bool = db.one(
        "SELECT to_regclass('site_schema') IS NOT NULL",
        &[],
        |row| row.get(0),
    )?;
    if !is_there {
        db.batch(BEGIN)?;
    }
    let made = db.all(
        "SELECT step, made FROM site_schema ORDER BY step",
        &[],
        |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)),
    )?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let steps = || (1_i64..).zip(STEPS.iter().map(|step| step.concat()));
    if let Some((found, _)) = made.last().filter(|(step, _)| *step > known) {
        return Ok(Found::Newer {
            found: *found,
            known,
        });
    }
    for ((step, made), (_, ours)) in made.iter().zip(steps()) {
        if *made != ours {
            return Ok(Found::Other { step: *step });
        }
    }
    if made.len() < STEPS.len() {
        // What has much in it takes long.
        db.batch(&format!(
            "SET LOCAL statement_timeout = '{}s'",
            STEP_WITHIN.as_secs()
        ))?;
    }
    for (step, ours) in steps().skip(made.len()) {
        db.batch_within(&ours, STEP_WITHIN)?;
        let sql = "INSERT INTO site_schema (step, made) VALUES ($1, $2)";
        db.run(sql, &params![step, ours])?;
    }
    make_missing(db)?;
    // What processes have left that are long over.
    db.batch("DELETE FROM site_calls WHERE at < now() - interval '30 days'")?;
    Ok(Found::Ours)
}
