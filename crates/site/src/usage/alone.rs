//! Leases that no session held, as those that were checked out by name: each is a session itself.
//!
//! Whether one is known only when both are there, in whatever order they come: a session takes the
//! lease that it held out of the sessions.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::line::{Adds, LeaseRow, Line, of_lease};
use crate::collected::Made;
use crate::columns::signed;

/// Whether a lease of `history_leases l` is one, as a condition.
pub(super) const IS_ALONE: &str = "(l.agent_incarnation IS NULL AND NOT EXISTS \
    (SELECT 1 FROM history_sessions s WHERE s.lease_made_in = l.made_in \
    AND s.lease_made_by = l.made_by))";

/// Whether no session that is known held that lease.
pub(super) fn is_alone(connection: &Connection, lease: Made) -> Result<bool> {
    Ok(sessions(connection, lease)? == 0)
}

/// What a lease added as a session until the first session came that held it, with its product; none
/// if it added nothing, or another session came before.
pub(super) fn no_longer(connection: &Connection, lease: Made) -> Result<Option<(i64, Adds)>> {
    if sessions(connection, lease)? != 1 {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT product, granted_ms, ended_ms FROM history_leases \
         WHERE source IN (SELECT number FROM history_sources) AND made_in = ?1 AND made_by = ?2 \
         AND agent_incarnation IS NULL AND kept = 0 AND cause <> 'unclaimed'",
    )?;
    let key = params![lease.incarnation, signed(lease.event)];
    let found = statement.query_row(key, |row| {
        let adds = of_lease(LeaseRow {
            seats: 1,
            granted_ms: row.get(1)?,
            ended_ms: row.get(2)?,
            is_session: true,
        });
        let of_session = adds.map(|add| add.filter(|(line, _)| *line == Line::Running));
        Ok((row.get(0)?, of_session))
    });
    found.optional()
}

/// How many sessions held a lease; 2 stands for more.
fn sessions(connection: &Connection, lease: Made) -> Result<i64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM history_sessions \
             WHERE lease_made_in = ?1 AND lease_made_by = ?2 LIMIT 2)",
        )?
        .query_row(params![lease.incarnation, signed(lease.event)], |row| {
            row.get(0)
        })
}
