//! Makes the roll-ups of a history that was collected by a version without them.

use rusqlite::{Connection, Result};
use usher_core::usage::Counted;

use super::alone::IS_ALONE;
use super::line::{LeaseRow, SessionRow, of_lease, of_session};
use super::roll_up::RollUp;
use crate::settings;

/// The setting that says which version of the roll-ups is made.
pub(crate) const MADE: &str = "usage_rolled_up";
/// The version that this build makes.
pub(crate) const THESE: &str = "2";

/// Makes them if they are not made yet, all of them or none.
pub(crate) fn make_missing(connection: &mut Connection) -> Result<()> {
    if settings::get(connection, MADE)?.as_deref() == Some(THESE) {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    from_rows(&transaction)?;
    settings::put(&transaction, MADE, THESE)?;
    transaction.commit()
}

/// Goes once through the rows. It holds as many quarters as a [`RollUp`] does.
fn from_rows(connection: &Connection) -> Result<()> {
    connection.execute_batch("DELETE FROM usage_quarters; DELETE FROM usage_days;")?;
    let mut roll_up = RollUp::new(connection);
    let mut sessions = connection.prepare(
        "SELECT product, started_ms, ended_ms, unseated_ms, lease_made_in IS NOT NULL \
         FROM history_sessions",
    )?;
    let mut rows = sessions.query([])?;
    while let Some(row) = rows.next()? {
        let session = SessionRow {
            started_ms: row.get(1)?,
            ended_ms: row.get(2)?,
            unseated_ms: row.get(3)?,
            has_lease: row.get(4)?,
        };
        roll_up.change(row.get(0)?, Counted::Here, of_session(session), 1)?;
    }
    let mut leases = connection.prepare(&format!(
        "SELECT product, seats, granted_ms, ended_ms, {IS_ALONE} FROM history_leases l \
         WHERE kept = 0 AND cause <> 'unclaimed'"
    ))?;
    let mut rows = leases.query([])?;
    while let Some(row) = rows.next()? {
        let lease = LeaseRow {
            seats: row.get(1)?,
            granted_ms: row.get(2)?,
            ended_ms: row.get(3)?,
            is_session: row.get(4)?,
        };
        roll_up.change(row.get(0)?, Counted::Here, of_lease(lease), 1)?;
    }
    roll_up.write()
}
