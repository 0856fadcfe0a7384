//! Who held, wanted and was refused seats of one product within a period.

use rusqlite::{Connection, Row, params};
use rustc_hash::FxHashSet;
use usher_core::ledger::Reason;
use usher_core::usage::seats_help;

use super::History;
use crate::base::columns::from_i64;
use crate::queue::requests::Failure;

/// The product and the period.
#[derive(Debug, Clone, Default)]
pub struct DemandFilter {
    /// Product id.
    pub product: String,
    /// The beginning of the period; Unix milliseconds, wall clock.
    pub since: i64,
    /// The end of the period; Unix milliseconds, wall clock.
    pub until: i64,
    /// How many rows of each kind are read at most, the newest first.
    pub limit: u32,
}

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemandKind {
    /// Seats that were granted, from the time when they were asked for: the wait for them counts,
    /// and so does earlier time without a seat. Seats that nobody fetched are left out.
    Leased,
    /// A session that had no seat, or whose lease this file does not know.
    Unseated,
    /// A request that waits, or that waited and got no seat.
    Waited,
    /// Refusals that more seats would have prevented; repeats within a minute are one row.
    Refused,
}

/// Seats that somebody held or wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemandRow {
    /// The kind of the row.
    pub kind: DemandKind,
    /// The number of the event that it began with.
    pub number: u64,
    /// The surrogate of the person.
    pub subject: u64,
    /// The surrogate of the computer.
    pub computer: u64,
    /// How many seats.
    pub seats: u32,
    /// When it began; Unix milliseconds, wall clock.
    pub from: i64,
    /// When it ended, for a refusal its last repeat; none while it lasts. Unix milliseconds, wall
    /// clock.
    pub until: Option<i64>,
    /// When seats were granted; Unix milliseconds, wall clock.
    pub granted_at: Option<i64>,
    /// The number of the ticket that waited for it.
    pub ticket: Option<u64>,
    /// How often it was refused.
    pub times: u64,
    /// The program, if it is known.
    pub program: Option<String>,
}

/// What is recorded about a product within a period.
#[derive(Debug, Clone, Default)]
pub struct DemandRows {
    /// The rows, in no particular order.
    pub rows: Vec<DemandRow>,
    /// Sessions that ran within the period.
    pub sessions: u64,
    /// The durations of those sessions that have ended, in milliseconds.
    pub lengths_ms: Vec<u64>,
    /// When something about the product was first recorded; Unix milliseconds, wall clock.
    pub first_at: Option<i64>,
    /// Whether there are more rows than were read.
    pub is_cut: bool,
}

/// The names of one person and one computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The person's name.
    pub user: String,
    /// The computer's name.
    pub computer: String,
}

// `:product` is its number.
const LEASED: &str = "SELECT l.number, l.subject, l.computer, l.seats, \
     min(l.granted_at, coalesce(t.queued_at, l.granted_at), l.granted_at - coalesce(( \
        SELECT max(s.unseated_ms) FROM sessions s \
        WHERE s.lease = l.number AND s.lease_incarnation = l.incarnation), 0)), \
     l.ended_at, l.granted_at, t.number, 0, nullif(l.program, '(kept)'), NULL \
     FROM leases l LEFT JOIN tickets t ON t.number = l.ticket \
         AND t.incarnation = l.ticket_incarnation \
     WHERE l.product = ?1 AND l.granted_at < ?3 AND (l.ended_at IS NULL OR l.ended_at >= ?2) \
     AND l.cause IS NOT 'unclaimed' \
     ORDER BY l.number DESC LIMIT ?4";
const UNSEATED: &str = "SELECT s.number, s.subject, s.computer, 1, s.started_at, s.ended_at, NULL, \
     NULL, 0, s.program, NULL FROM sessions s \
     WHERE s.product = ?1 AND s.started_at < ?3 AND s.ended_at >= ?2 \
     AND (s.lease IS NULL OR NOT EXISTS (SELECT 1 FROM leases l WHERE l.number = s.lease \
         AND l.incarnation = s.lease_incarnation)) \
     ORDER BY s.number DESC LIMIT ?4";
const RUNNING: &str = "SELECT u.number, u.subject, u.computer, 1, u.since, NULL, NULL, NULL, 0, u.program, \
     NULL FROM unseated u WHERE u.product = ?1 AND u.since < ?3 AND ?2 IS NOT NULL \
     ORDER BY u.number DESC LIMIT ?4";
const WAITED: &str = "SELECT t.number, t.subject, t.computer, t.seats, t.queued_at, \
     CASE t.state WHEN 'waiting' THEN NULL ELSE coalesce(t.decided_at, t.queued_at) END, NULL, \
     t.number, 0, t.program, NULL FROM tickets t \
     WHERE t.product = ?1 AND t.queued_at < ?3 AND t.lease IS NULL AND t.state <> 'granted' \
     AND (t.state = 'waiting' OR coalesce(t.decided_at, t.queued_at) >= ?2) \
     ORDER BY t.number DESC LIMIT ?4";
const REFUSED: &str = "SELECT d.number, d.subject, d.computer, d.seats, d.first_at, d.last_at, \
     NULL, NULL, d.count, NULL, d.reason FROM denials d \
     WHERE d.product = ?1 AND d.first_at < ?3 AND d.last_at >= ?2 \
     ORDER BY d.number DESC LIMIT ?4";
const LENGTHS: &str = "SELECT CASE WHEN u.ended_at IS NULL THEN NULL ELSE u.duration_ms END \
     FROM uses u WHERE u.product = ?1 AND u.started_at < ?3 \
     AND (u.ended_at IS NULL OR u.ended_at >= ?2) ORDER BY u.number DESC LIMIT ?4";
const FIRST: &str = "SELECT min(at) FROM ( \
     SELECT min(started_at) AS at FROM uses WHERE product = ?1 \
     UNION ALL SELECT min(queued_at) FROM tickets WHERE product = ?1 \
     UNION ALL SELECT min(first_at) FROM denials WHERE product = ?1)";

impl History {
    /// What is recorded about a product within a period; nothing for an unknown product.
    pub fn demand(&self, filter: &DemandFilter) -> Result<DemandRows, Failure> {
        self.query(|connection| {
            let mut found = DemandRows::default();
            let mut products =
                connection.prepare_cached("SELECT number FROM products WHERE id = ?1")?;
            let mut products = products.query([&filter.product])?;
            let Some(product) = products.next()? else {
                return Ok(found);
            };
            let asked = Asked {
                connection,
                product: product.get(0)?,
                filter,
            };
            for (kind, sql) in [
                (DemandKind::Leased, LEASED),
                (DemandKind::Unseated, UNSEATED),
                (DemandKind::Unseated, RUNNING),
                (DemandKind::Waited, WAITED),
                (DemandKind::Refused, REFUSED),
            ] {
                let rows = asked.rows(sql, |row| demand_row(kind, row), &mut found.is_cut)?;
                found.rows.extend(rows.into_iter().flatten());
            }
            leave_out_what_was_granted(&mut found.rows);
            let lengths: Vec<Option<i64>> =
                asked.rows(LENGTHS, |row| row.get(0), &mut found.is_cut)?;
            found.sessions = lengths.len() as u64;
            let ended = lengths.into_iter().flatten();
            found.lengths_ms = ended.map(from_i64).collect();
            found.first_at = connection
                .prepare_cached(FIRST)?
                .query_row([asked.product], |row| row.get(0))?;
            Ok(found)
        })
    }

    /// The names of a person and a computer, by their surrogates.
    pub fn names(&self, subject: u64, computer: u64) -> Result<Names, Failure> {
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT (SELECT name FROM subjects WHERE id = ?1), \
                     (SELECT name FROM computers WHERE id = ?2)",
                )?
                .query_row([subject.cast_signed(), computer.cast_signed()], |row| {
                    Ok(Names {
                        user: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                        computer: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    })
                })
        })
    }
}

/// The query parameters, the same for each table.
struct Asked<'a> {
    connection: &'a Connection,
    product: i64,
    filter: &'a DemandFilter,
}

impl Asked<'_> {
    /// At most as many rows as were asked for, the newest.
    fn rows<T>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
        is_cut: &mut bool,
    ) -> rusqlite::Result<Vec<T>> {
        let DemandFilter {
            since,
            until,
            limit,
            ..
        } = self.filter;
        let mut statement = self.connection.prepare_cached(sql)?;
        let asked = params![self.product, since, until, i64::from(*limit) + 1];
        let mut rows: Vec<T> = statement
            .query_map(asked, read)?
            .collect::<Result<_, _>>()?;
        *is_cut |= rows.len() > *limit as usize;
        rows.truncate(*limit as usize);
        Ok(rows)
    }
}

/// A ticket whose seat was given back says no more which lease it was; the lease does, and holds the
/// wait. One whose seat nobody fetched has waited in vain.
fn leave_out_what_was_granted(rows: &mut Vec<DemandRow>) {
    let leased = rows.iter().filter(|row| row.kind == DemandKind::Leased);
    let granted: FxHashSet<u64> = leased.filter_map(|row| row.ticket).collect();
    let is_told = |ticket: u64| granted.contains(&ticket);
    rows.retain(|row| row.kind != DemandKind::Waited || !row.ticket.is_some_and(is_told));
}

/// None: a refusal that more seats would not have spared.
fn demand_row(kind: DemandKind, row: &Row<'_>) -> rusqlite::Result<Option<DemandRow>> {
    let reason: Option<String> = row.get(10)?;
    if let Some(reason) = reason
        && !Reason::of_word(&reason).is_some_and(seats_help)
    {
        return Ok(None);
    }
    Ok(Some(DemandRow {
        kind,
        number: from_i64(row.get(0)?),
        subject: from_i64(row.get(1)?),
        computer: from_i64(row.get(2)?),
        seats: row.get(3)?,
        from: row.get(4)?,
        until: row.get(5)?,
        granted_at: row.get(6)?,
        ticket: row.get::<_, Option<i64>>(7)?.map(from_i64),
        times: from_i64(row.get(8)?),
        program: row.get(9)?,
    }))
}
