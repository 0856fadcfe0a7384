//! Who leads the site: one manager at a time, for as long as it renews its lease in the database.
//!
//! The lease is judged by the database's clock alone. What the leader writes is fenced by the number of
//! its lead, the epoch: one that was frozen, and wakes up when another leads, writes nothing any more.

use std::time::Duration;

use super::connect::application;
use super::db::Db;
use super::failure::{Error, Result};
use super::values::{Row, params};
use crate::leader::{Candidate, Leader};

/// SQL: now, in Unix milliseconds; not when the transaction began.
const NOW_MS: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// How long a session of a leader whose lease is over is waited for that is being ended.
const END_WITHIN_MS: i64 = 500;

/// Who leads, or led last.
pub(super) fn leader(db: &Db) -> Result<Leader> {
    let sql = format!(
        "SELECT epoch, holder, name, address, since_ms, expires_ms, given_up, {NOW_MS} \
         FROM site_leader"
    );
    db.one(&sql, &[], |row: &Row| {
        Ok(Leader {
            epoch: row.get(0)?,
            holder: row.get(1)?,
            name: row.get(2)?,
            address: row.get(3)?,
            since_ms: row.get(4)?,
            expires_ms: row.get(5)?,
            gave_up: row.get(6)?,
            at_ms: row.get(7)?,
        })
    })
}

/// Ends the sessions in which a process writes that leads no longer: what they have under way would be
/// waited for, and a process that is frozen ends nothing.
pub(super) fn end_sessions(db: &Db, holder: &str) -> Result<()> {
    let sql = "SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity \
               WHERE application_name = $1 AND datname = current_database() \
               AND pid <> pg_backend_pid()";
    let whose = application(Some(holder));
    db.each(sql, &params![whose, END_WITHIN_MS], |_| Ok(()))
}

/// Takes the lead after `before`, unless somebody did meanwhile; answers the epoch, and since when.
pub(super) fn take(
    db: &Db,
    candidate: &Candidate,
    holder: &str,
    before: &Leader,
) -> Result<Option<(i64, i64)>> {
    let sql = format!(
        "UPDATE site_leader SET epoch = epoch + 1, holder = $1, name = $2, address = $3, \
         since_ms = {NOW_MS}, expires_ms = {NOW_MS} + $4, given_up = false \
         WHERE epoch = $5 AND (expires_ms <= {NOW_MS} OR holder = $1 OR holder = $6) \
         RETURNING epoch, since_ms"
    );
    let lease_ms = in_ms(candidate.lease);
    let values = params![
        holder,
        candidate.name,
        candidate.address,
        lease_ms,
        before.epoch,
        candidate.ended
    ];
    db.optional(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A lead: its number, and the process whose it is. A standby that did not know of the last leads gives
/// their numbers out again, and not to the same process.
type Lead<'a> = (i64, &'a str);

/// Renews a lease that is not over; answers whether it was renewed.
pub(super) fn renew(db: &Db, (epoch, holder): Lead<'_>, lease: Duration) -> Result<bool> {
    let sql = format!(
        "UPDATE site_leader SET expires_ms = {NOW_MS} + $3 \
         WHERE epoch = $1 AND holder = $2 AND expires_ms > {NOW_MS}"
    );
    Ok(db.run(&sql, &params![epoch, holder, in_ms(lease)])? > 0)
}

/// Ends a lease now, if it is not over.
pub(super) fn give_up(db: &Db, (epoch, holder): Lead<'_>) -> Result<()> {
    let sql = format!(
        "UPDATE site_leader SET expires_ms = {NOW_MS}, given_up = true \
         WHERE epoch = $1 AND holder = $2 AND expires_ms > {NOW_MS}"
    );
    db.run(&sql, &params![epoch, holder]).map(drop)
}

/// Goes no further unless that lead goes on; until the end of the transaction no other can begin.
pub(super) fn fence(db: &Db, (epoch, holder): Lead<'_>) -> Result<()> {
    let sql = format!(
        "SELECT epoch FROM site_leader WHERE epoch = $1 AND holder = $2 \
         AND expires_ms > {NOW_MS} FOR KEY SHARE"
    );
    match db.exists(&sql, &params![epoch, holder])? {
        true => Ok(()),
        false => Err(Error::Fenced),
    }
}

fn in_ms(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 2)
}
