//! Moves sessions and leases whose time is over to the archive.

use usher_parquet::Kind;

use super::super::db::Db;
use super::super::failure::{Error, Result};
use super::super::usage::IS_ALONE;
use super::super::values::{Arrays, Param, params};
use super::{partitions, since};
use crate::archive::{Cell, Moving, Overdues, Table, Written};
use crate::columns::signed;
use crate::retained::Retained;

/// As [`partitions`] removes them, with the columns of [`Moving::Sessions`].
const SESSIONS: &str = "SELECT p.product, s.product, s.started_ms, s.ended_ms, s.person, s.computer, \
    s.agent_incarnation, s.session, s.real_person, s.duration_ms, s.unseated_ms, s.lease_made_in, \
    s.lease_made_by, s.program, s.version, s.source, k.incarnation, k.event, k.gone_ms \
    FROM (SELECT * FROM history_sessions s WHERE s.started_ms < $1 AND s.ended_ms < $1 \
    AND (s.lease_made_in IS NULL OR NOT EXISTS (SELECT 1 FROM history_leases l \
    WHERE l.source IN (SELECT number FROM history_sources) AND l.made_in = s.lease_made_in \
    AND l.made_by = s.lease_made_by AND l.ended_ms >= $1)) LIMIT $2) s \
    JOIN history_products p ON p.number = s.product \
    LEFT JOIN history_session_keys k ON k.computer = s.computer \
    AND k.agent_incarnation = s.agent_incarnation AND k.session = s.session";

/// Sessions by their keys; their beginnings are within `$6` and `$7`, so that only those partitions are
/// looked at.
const REMOVE_SESSIONS: &str = "WITH gone AS (DELETE FROM history_sessions s USING unnest( \
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
    AS k(product, started_ms, computer, agent_incarnation, session) \
    WHERE s.started_ms BETWEEN $6 AND $7 AND s.product = k.product AND s.started_ms = k.started_ms \
    AND s.computer = k.computer AND s.agent_incarnation = k.agent_incarnation \
    AND s.session = k.session RETURNING s.computer, s.agent_incarnation, s.session) \
    DELETE FROM history_session_keys k USING gone g WHERE k.computer = g.computer \
    AND k.agent_incarnation = g.agent_incarnation AND k.session = g.session";
const REMOVE_LEASES: &str = "DELETE FROM history_leases l \
    USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(source, made_in, made_by) \
    WHERE l.source = k.source AND l.made_in = k.made_in AND l.made_by = k.made_by";

/// The same of leases, with the columns of [`Moving::Leases`].
fn leases() -> String {
    format!(
        "SELECT p.product, l.product, l.granted_ms, l.ended_ms, l.person, l.computer, l.source, \
         l.made_in, l.made_by, l.seats, {IS_ALONE}, l.program, l.agent_incarnation, l.session, \
         l.kept, l.held_ms, l.cause, l.retry, l.ticket_made_in, l.ticket_made_by, l.with_made_in, \
         l.with_made_by, l.incarnation, l.event, l.gone_ms FROM history_products p \
         CROSS JOIN LATERAL (SELECT * FROM history_leases WHERE product = p.number \
         AND granted_ms < $1 AND ended_ms < $1 LIMIT $2) l LIMIT $2"
    )
}

/// Rows that were over before that instant, or an earlier call's later one, at most so many: leases
/// before the sessions that held them. With the last of them, partitions go that are empty.
pub(in crate::postgres) fn overdue(db: &Db, before_ms: i64, limit: u32) -> Result<Overdues> {
    let before_ms = since::archives(db, Retained::Sessions, before_ms)?;
    let sql = "SELECT coalesce(max(number), 0) + 1 FROM archive_parts";
    let mut found = Overdues {
        next: db.one(sql, &[], |row| row.get(0))?,
        sessions: Table::new(Moving::Sessions),
        leases: Table::new(Moving::Leases),
    };
    let left = u64::from(limit);
    read(
        db,
        &leases(),
        &params![before_ms, signed(left)],
        &mut found.leases,
    )?;
    let left = left.saturating_sub(found.len() as u64);
    read(
        db,
        SESSIONS,
        &params![before_ms, signed(left)],
        &mut found.sessions,
    )?;
    if found.is_empty() {
        partitions::remove_empty(db, before_ms)?;
    }
    Ok(found)
}

fn read(db: &Db, sql: &str, params: &[Param], into: &mut Table) -> Result<()> {
    db.each(sql, params, |row| {
        into.add(|place, kind| {
            Ok::<Cell, Error>(match kind {
                Kind::Text => Cell::Text(row.get(place)?),
                Kind::Flag => Cell::Flag(row.get(place)?),
                _ => Cell::Whole(row.get(place)?),
            })
        })
    })
}

/// Enters files, and removes the rows that are in them; fails if one of these is not there.
pub(in crate::postgres) fn put_away(db: &Db, written: &Written) -> Result<()> {
    for it in &written.parts {
        db.run(
            "INSERT INTO archive_parts (number, what, file, sha256, bytes, rows, first_ms, last_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &params![
                it.number,
                it.what.number(),
                it.file,
                it.sha256,
                it.bytes,
                it.rows,
                it.first_ms,
                it.last_ms
            ],
        )?;
    }
    let mut removed = 0;
    if !written.leases.is_empty() {
        removed += db.run(REMOVE_LEASES, arrays(&written.leases).params())?;
    }
    let began = || written.sessions.iter().map(|key| key[1]);
    if let Some((first_ms, last_ms)) = began().min().zip(began().max()) {
        let keys = arrays(&written.sessions);
        let all = keys.params().iter().cloned();
        let all: Vec<Param> = all.chain(params![first_ms, last_ms]).collect();
        removed += db.run(REMOVE_SESSIONS, &all)?;
    }
    match removed == written.rows() as u64 {
        true => Ok(()),
        false => Err(Error::Missing),
    }
}

fn arrays<const WIDTH: usize>(keys: &[[i64; WIDTH]]) -> Arrays {
    let rows = keys
        .iter()
        .map(|key| key.map(|it| Param::Int(Some(it))).to_vec());
    Arrays::of(&rows.collect::<Vec<_>>())
}
