//! Who used a product, from the rows that overlap the time: people and computers of two buckets do
//! not add up to those of both.
//!
//! Rows are found by when they began. Of those that began before the time it is known from the
//! roll-ups how many last into it, so the look back ends with the first of them.

use usher_core::usage::{Bucket, Lines, Span, Who};

use super::super::failure::Result;
use super::super::values::{Row, params};
use super::about::About;
use crate::usage::{Found, Runs, leases_over, sessions_over, surrogate};

/// Of those that last into the time `$2`, the `$3` that began last before it. One that ends just there
/// is among them, and in no bucket.
const SESSIONS_BEFORE: &str = "SELECT started_ms, ended_ms, person, computer, false \
    FROM history_sessions WHERE product = $1 AND started_ms < $2 AND ended_ms >= $2 \
    ORDER BY started_ms DESC LIMIT $3";
const SESSIONS_WITHIN: &str = "SELECT started_ms, ended_ms, person, computer \
    FROM history_sessions WHERE product = $1 AND started_ms >= $2 AND started_ms < $3";
/// With whether it is a session itself.
const LEASES_BEFORE: &str = "SELECT granted_ms, ended_ms, person, computer, \
    agent_incarnation IS NULL AND NOT EXISTS (SELECT 1 FROM history_session_keys s \
    WHERE s.lease_made_in = l.made_in AND s.lease_made_by = l.made_by) FROM history_leases l \
    WHERE NOT kept AND cause <> 'unclaimed' AND product = $1 AND granted_ms < $2 \
    AND ended_ms >= $2 ORDER BY granted_ms DESC LIMIT $3";
const LEASES_WITHIN: &str = "SELECT granted_ms, ended_ms, person, computer FROM history_leases \
    WHERE NOT kept AND cause <> 'unclaimed' AND product = $1 AND granted_ms >= $2 \
    AND granted_ms < $3";

/// People and computers in each bucket.
pub(super) fn who(about: &About<'_>, lines: &Lines, runs: &Runs) -> Result<Who> {
    let mut found = Found::new(&about.asked.buckets, about.asked.now_ms);
    let from_ms = about.time.from_ms;
    let leases = leases_over(lines, runs, from_ms);
    let alone = look_back(&mut found, about, LEASES_BEFORE, leases)?;
    within(&mut found, about, LEASES_WITHIN)?;
    let sessions = sessions_over(lines, runs, from_ms).saturating_sub(alone);
    look_back(&mut found, about, SESSIONS_BEFORE, sessions)?;
    within(&mut found, about, SESSIONS_WITHIN)?;
    Ok(found.with(runs))
}

/// Adds those that began before the time and last into it, of which there are so many. How many of
/// them are leases that are sessions themselves.
fn look_back(found: &mut Found<'_>, about: &About<'_>, sql: &str, many: i64) -> Result<i64> {
    let mut alone = 0;
    if many <= 0 {
        return Ok(alone);
    }
    let values = params![about.product, about.time.from_ms, many];
    about.db.each(sql, &values, |row| {
        alone += i64::from(row.get::<bool>(4)?);
        add(found, row)
    })?;
    Ok(alone)
}

/// Adds those that begin in the time.
fn within(found: &mut Found<'_>, about: &About<'_>, sql: &str) -> Result<()> {
    let Bucket { from_ms, to_ms } = about.time;
    let values = params![about.product, from_ms, to_ms];
    about.db.each(sql, &values, |row| add(found, row))
}

fn add(found: &mut Found<'_>, row: &Row) -> Result<()> {
    let (from_ms, until_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
    let span = Span {
        from_ms,
        until_ms: until_ms.max(from_ms),
        seats: 1,
    };
    found.add(surrogate(row.get(2)?), surrogate(row.get(3)?), span);
    Ok(())
}
