//! Leases that no session held, as those that were checked out by name: each is a session itself.
//!
//! Whether one is known only when both are there, in whatever order they come: a session takes the
//! lease that it held out of the sessions.

use rusqlite::{Connection, Result};

use super::line::{Adds, LeaseRow, Line, of_lease};
use crate::collected::Made;
use crate::columns::signed;

/// A lease, as its server numbers it.
pub(super) type LeaseKey = [i64; 2];

pub(super) fn key_of(lease: Made) -> LeaseKey {
    [lease.incarnation.into(), signed(lease.event)]
}

/// Whether a lease of `history_leases l` is one, as a condition.
pub(crate) const IS_ALONE: &str = "(l.agent_incarnation IS NULL AND NOT EXISTS \
    (SELECT 1 FROM history_sessions s WHERE s.lease_made_in = l.made_in \
    AND s.lease_made_by = l.made_by))";

/// Whether no session that is known held that lease.
pub(super) fn is_alone(connection: &Connection, lease: LeaseKey) -> Result<bool> {
    Ok(sessions(connection, lease, 1)? == 0)
}

/// What a lease added as a session, with its product, if no session held it before so many that are
/// there now.
pub(super) fn no_longer(
    connection: &Connection,
    lease: LeaseKey,
    many: i64,
) -> Result<Vec<(i64, Adds)>> {
    let mut statement = connection.prepare_cached(
        "SELECT product, granted_ms, ended_ms FROM history_leases \
         WHERE source IN (SELECT number FROM history_sources) AND made_in = ?1 AND made_by = ?2 \
         AND agent_incarnation IS NULL AND kept = 0 AND cause <> 'unclaimed'",
    )?;
    let found = statement.query_map(lease, |row| {
        let adds = of_lease(LeaseRow {
            seats: 1,
            granted_ms: row.get(1)?,
            ended_ms: row.get(2)?,
            is_session: true,
        });
        let of_session = adds.map(|add| add.filter(|(line, _)| *line == Line::Running));
        Ok((row.get(0)?, of_session))
    })?;
    let found: Vec<(i64, Adds)> = found.collect::<Result<_>>()?;
    // Most leases are none of these, so that is looked up first.
    match found.is_empty() || sessions(connection, lease, many + 1)? != many {
        true => Ok(Vec::new()),
        false => Ok(found),
    }
}

/// How many sessions held a lease; `limit` stands for more.
fn sessions(connection: &Connection, [made_in, made_by]: LeaseKey, limit: i64) -> Result<i64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM history_sessions \
             WHERE lease_made_in = ?1 AND lease_made_by = ?2 LIMIT ?3)",
        )?
        .query_row([made_in, made_by, limit], |row| row.get(0))
}
