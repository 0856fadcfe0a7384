//! Makes the roll-ups of a history that was collected by a version without them, or with others.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::settings;
use super::super::values::Row;
use super::roll_up::RollUp;
use super::within::IS_ALONE;
use crate::usage::{Adds, LeaseRow, MADE, SessionRow, THESE, of_lease, of_session};

/// Makes them if they are not made yet. Each statement takes a part of the rows only: the server ends what
/// takes long.
pub(in crate::postgres) fn make_missing(db: &Db) -> Result<()> {
    if settings::get(db, MADE)?.as_deref() == Some(THESE) {
        return Ok(());
    }
    db.batch("DELETE FROM usage_quarters; DELETE FROM usage_days")?;
    let mut roll_up = RollUp::new(db);
    db.batch(
        "DECLARE all_sessions NO SCROLL CURSOR FOR SELECT product, started_ms, ended_ms, \
         unseated_ms, lease_made_in IS NOT NULL FROM history_sessions",
    )?;
    take(db, "FETCH 20000 FROM all_sessions", &mut roll_up, |row| {
        let session = SessionRow {
            started_ms: row.get(1)?,
            ended_ms: row.get(2)?,
            unseated_ms: row.get(3)?,
            has_lease: row.get(4)?,
        };
        Ok((row.get(0)?, of_session(session)))
    })?;
    db.batch(&format!(
        "DECLARE all_leases NO SCROLL CURSOR FOR SELECT product, seats, granted_ms, ended_ms, \
         {IS_ALONE} FROM history_leases l WHERE NOT kept AND cause <> 'unclaimed'"
    ))?;
    take(db, "FETCH 20000 FROM all_leases", &mut roll_up, |row| {
        let lease = LeaseRow {
            seats: row.get(1)?,
            granted_ms: row.get(2)?,
            ended_ms: row.get(3)?,
            is_session: row.get(4)?,
        };
        Ok((row.get(0)?, of_lease(lease)))
    })?;
    roll_up.write()?;
    db.batch("CLOSE all_sessions; CLOSE all_leases")?;
    settings::put(db, MADE, THESE)
}

/// Adds what rows say, so many at once as `sql` fetches.
fn take(
    db: &Db,
    sql: &str,
    roll_up: &mut RollUp<'_>,
    read: impl Fn(&Row) -> Result<(i64, Adds)>,
) -> Result<()> {
    loop {
        let rows = db.all(sql, &[], &read)?;
        if rows.is_empty() {
            return Ok(());
        }
        for (product, adds) in rows {
            roll_up.change(product, adds, 1)?;
        }
    }
}
