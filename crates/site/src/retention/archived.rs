//! Moves sessions and leases whose time is over to the archive.

use rusqlite::{Connection, Error, Result, params};
use usher_parquet::Kind;

use super::since;
use crate::archive::{Cell, Moving, Overdues, Table, Written};
use crate::columns::signed;
use crate::retained::Retained;
use crate::usage::IS_ALONE;

/// As [`super::rows`] removes them, with the columns of [`Moving::Sessions`].
const SESSIONS: &str = "SELECT p.product, s.product, s.started_ms, s.ended_ms, s.person, s.computer, \
    s.agent_incarnation, s.session, s.real_person, s.duration_ms, s.unseated_ms, s.lease_made_in, \
    s.lease_made_by, s.program, s.version, s.source, s.incarnation, s.event, s.gone_ms \
    FROM history_products p \
    CROSS JOIN history_sessions s ON s.product = p.number AND s.started_ms < ?1 \
    WHERE s.ended_ms < ?1 AND (s.lease_made_in IS NULL OR NOT EXISTS \
    (SELECT 1 FROM history_leases l WHERE l.source IN (SELECT number FROM history_sources) \
    AND l.made_in = s.lease_made_in AND l.made_by = s.lease_made_by AND l.ended_ms >= ?1)) \
    LIMIT ?2";
const REMOVE_SESSION: &str = "DELETE FROM history_sessions WHERE product = ?1 AND started_ms = ?2 \
    AND computer = ?3 AND agent_incarnation = ?4 AND session = ?5";
const REMOVE_LEASE: &str =
    "DELETE FROM history_leases WHERE source = ?1 AND made_in = ?2 AND made_by = ?3";

/// The same of leases, with the columns of [`Moving::Leases`]: those that `from` finds.
fn leases(from: &str) -> String {
    format!(
        "SELECT p.product, l.product, l.granted_ms, l.ended_ms, l.person, l.computer, l.source, \
         l.made_in, l.made_by, l.seats, {IS_ALONE}, l.program, l.agent_incarnation, l.session, \
         l.kept, l.held_ms, l.cause, l.retry, l.ticket_made_in, l.ticket_made_by, l.with_made_in, \
         l.with_made_by, l.incarnation, l.event, l.gone_ms FROM {from} LIMIT ?2"
    )
}

const USED: &str = "history_products p \
    CROSS JOIN history_leases l ON l.product = p.number AND l.granted_ms < ?1 \
    WHERE l.ended_ms < ?1 AND l.kept = 0 AND l.cause <> 'unclaimed'";
const UNUSED: &str = "history_leases l CROSS JOIN history_products p ON p.number = l.product \
    WHERE (l.kept <> 0 OR l.cause = 'unclaimed') AND l.ended_ms < ?1 AND l.granted_ms < ?1";

/// Rows that were over before that instant, or an earlier call's later one, at most so many: leases
/// before the sessions that held them.
pub(crate) fn overdue(connection: &Connection, before_ms: i64, limit: u32) -> Result<Overdues> {
    let before_ms = since::archives(connection, Retained::Sessions, before_ms)?;
    let mut found = Overdues {
        next: next(connection)?,
        sessions: Table::new(Moving::Sessions),
        leases: Table::new(Moving::Leases),
    };
    let limit = limit as usize;
    for from in [USED, UNUSED] {
        let left = limit.saturating_sub(found.len());
        read(
            connection,
            &leases(from),
            (before_ms, left),
            &mut found.leases,
        )?;
    }
    let left = limit.saturating_sub(found.len());
    read(connection, SESSIONS, (before_ms, left), &mut found.sessions)?;
    Ok(found)
}

fn next(connection: &Connection) -> Result<i64> {
    connection.query_row(
        "SELECT coalesce(max(number), 0) + 1 FROM archive_parts",
        [],
        |row| row.get(0),
    )
}

fn read(
    connection: &Connection,
    sql: &str,
    (before_ms, limit): (i64, usize),
    into: &mut Table,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![before_ms, signed(limit as u64)])?;
    while let Some(row) = rows.next()? {
        into.add(|place, kind| {
            Ok::<Cell, Error>(match kind {
                Kind::Text => Cell::Text(row.get(place)?),
                Kind::Flag => Cell::Flag(row.get(place)?),
                _ => Cell::Whole(row.get(place)?),
            })
        })?;
    }
    Ok(())
}

/// Enters files, and removes the rows that are in them; fails if one of these is not there.
pub(crate) fn put_away(connection: &Connection, written: &Written) -> Result<()> {
    let mut enter = connection.prepare_cached(
        "INSERT INTO archive_parts (number, what, file, sha256, bytes, rows, first_ms, last_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for it in &written.parts {
        let what = it.what.number();
        enter.execute(params![
            it.number,
            what,
            it.file,
            it.sha256,
            it.bytes,
            it.rows,
            it.first_ms,
            it.last_ms
        ])?;
    }
    let mut removed = 0;
    let mut remove = connection.prepare_cached(REMOVE_LEASE)?;
    for key in &written.leases {
        removed += remove.execute(*key)?;
    }
    let mut remove = connection.prepare_cached(REMOVE_SESSION)?;
    for key in &written.sessions {
        removed += remove.execute(*key)?;
    }
    match removed == written.rows() {
        true => Ok(()),
        false => Err(Error::StatementChangedRows(removed)),
    }
}
