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
    &[retention::ARCHIVE],
];

/// The number of the lock under which one manager at a time brings the tables up to date.
const LOCK: i64 = 0x7573_6865_725f_7032;

/// The table of the steps, which is made before the first.
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
    let made = made(db)?;
    let found = found(&made);
    if matches!(found, Found::Ours) {
        if made.len() < STEPS.len() {
            // What has much in it takes long.
            db.batch(&format!(
                "SET LOCAL statement_timeout = '{}s'",
                STEP_WITHIN.as_secs()
            ))?;
        }
        carry_out(db, made.len(), STEPS.len())?;
        make_missing(db)?;
        // What processes have left that are long over.
        db.batch("DELETE FROM site_calls WHERE at < now() - interval '30 days'")?;
    }
    Ok(found)
}

/// The texts of the steps of this version.
pub(super) fn steps() -> impl Iterator<Item = String> {
    STEPS.iter().map(|step| step.concat())
}

/// How many there are.
pub(super) fn known() -> usize {
    STEPS.len()
}

/// A step by its number, from 1 on, and its text.
pub(super) type Step = (i64, String);

/// The steps that were carried out; none if nothing is there.
pub(super) fn made(db: &Db) -> Result<Vec<Step>> {
    let sql = "SELECT to_regclass('site_schema') IS NOT NULL";
    if !db.one::<bool>(sql, &[], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let sql = "SELECT step, made FROM site_schema ORDER BY step";
    db.all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whether tables that were made by these steps are this version's, or can be brought up to date.
pub(super) fn found(made: &[Step]) -> Found {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if let Some((found, _)) = made.last().filter(|(step, _)| *step > known) {
        return Found::Newer {
            found: *found,
            known,
        };
    }
    let differs = made
        .iter()
        .zip(steps())
        .find(|((_, made), ours)| made != ours);
    match differs {
        Some(((step, _), _)) => Found::Other { step: *step },
        None => Found::Ours,
    }
}

/// Carries out the steps behind the first `from`, up to the first `to`.
pub(super) fn carry_out(db: &Db, from: usize, to: usize) -> Result<()> {
    if from == 0 {
        db.batch(BEGIN)?;
    }
    for (number, ours) in (1_i64..).zip(steps()).take(to).skip(from) {
        db.batch_within(&ours, STEP_WITHIN)?;
        let sql = "INSERT INTO site_schema (step, made) VALUES ($1, $2)";
        db.run(sql, &params![number, ours])?;
    }
    Ok(())
}
