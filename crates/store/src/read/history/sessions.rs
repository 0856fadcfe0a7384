//! Use: sessions that ran or run, products' use in a time, programs of no product.
//!
//! A session is what an agent saw from start to end. A lease that no agent's session names (a
//! checkout by `usher run` or through the API) is a session of its own, from grant to end. So one
//! use is one session, however it was seated. A seat that was waited for and that nobody fetched is
//! no use.

use std::fmt;
use std::str::FromStr;

use rusqlite::params;

use super::{History, Owner, Rows, page};
use crate::base::columns::from_i64;
use crate::queue::requests::Failure;

/// A filter for sessions. Each part that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Whose sessions count.
    pub owner: Owner,
    /// Product id.
    pub product: Option<String>,
    /// Name of the person who is counted; for accounts of a directory, case is ignored.
    pub user: Option<String>,
    /// The computer's key or name.
    pub computer: Option<String>,
    /// Only sessions that ended at or after this instant, or still run; Unix milliseconds, wall
    /// clock.
    pub since: Option<i64>,
    /// Only sessions that began before this instant; Unix milliseconds, wall clock.
    pub until: Option<i64>,
    /// Only running sessions (true), or only ended ones (false).
    pub running: Option<bool>,
}

/// A filter for sums of use: by owner, product and period.
#[derive(Debug, Clone, Default)]
pub struct UsageFilter {
    /// Whose sessions count.
    pub owner: Owner,
    /// Product id.
    pub product: Option<String>,
    /// The beginning of the period; Unix milliseconds, wall clock.
    pub since: i64,
    /// The end of the period; Unix milliseconds, wall clock.
    pub until: i64,
}

/// One use of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The id of the session.
    pub id: String,
    /// The number of the event that began or reported it. It orders sessions that began at the same
    /// instant.
    pub number: u64,
    /// Product id.
    pub product: String,
    /// The program that began it, by file name.
    pub program: Option<String>,
    /// The name of the person who is counted.
    pub user: String,
    /// The realm of that user.
    pub authority: String,
    /// The account that it ran as, if that is another.
    pub real_user: Option<String>,
    /// The computer's name.
    pub computer: String,
    /// When it began; Unix milliseconds, wall clock.
    pub started_at: i64,
    /// When it ended; none while it runs. Unix milliseconds, wall clock.
    pub ended_at: Option<i64>,
    /// How long it lasted, or has lasted at `now`, in milliseconds.
    pub duration_ms: u64,
    /// For how many of these milliseconds it had no seat, as far as is known.
    pub unseated_ms: u64,
    /// The id of the lease that it held.
    pub lease: Option<String>,
}

/// The place of a session in the list: by its start, not by its report, which may come long after
/// its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPlace {
    /// When it began; Unix milliseconds, wall clock.
    pub started_at: i64,
    /// The number, as in [`SessionRow::number`].
    pub number: u64,
}

impl fmt::Display for SessionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started_at, self.number)
    }
}

/// The text is not a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

impl FromStr for SessionPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (started_at, number) = text.split_once('.').ok_or(NoPlace)?;
        let place = SessionPlace {
            started_at: started_at.parse().map_err(|_| NoPlace)?,
            number: number.parse().map_err(|_| NoPlace)?,
        };
        // Numbers lie in the file as signed ones.
        let is_one = i64::try_from(place.number).is_ok() && place.to_string() == text;
        is_one.then_some(place).ok_or(NoPlace)
    }
}

/// The use of a product within a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// Product id.
    pub product: String,
    /// Sessions that ran within the period.
    pub sessions: u64,
    /// How many of them run now.
    pub running: u64,
    /// How many of them had no seat for some of their time.
    pub unseated: u64,
    /// Different people.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// The sum of their durations within the period, in milliseconds.
    pub total_ms: u64,
    /// How much of that was without a seat, in milliseconds.
    pub unseated_ms: u64,
    /// When it was last in use; Unix milliseconds, wall clock.
    pub last_used_at: Option<i64>,
}

/// A program of no product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRow {
    /// The file name, without its folder.
    pub program: String,
    /// Starts that agents saw.
    pub starts: u64,
    /// Seconds in which it ran, the sum over all computers.
    pub run_seconds: u64,
    /// The package that installed it, if that is known.
    pub package: Option<String>,
    /// The name under which desktops show it, if that is known.
    pub desktop_name: Option<String>,
    /// Computers that it was seen on.
    pub computers: u64,
    /// When it was first seen; Unix milliseconds, wall clock.
    pub first_at: i64,
    /// When it was last seen; Unix milliseconds, wall clock.
    pub last_at: i64,
}

impl History {
    /// Sessions, those that began last first. `before` is the cursor: none begins at the newest.
    /// `now_wall_ms` is when those that run are looked at.
    pub fn sessions(
        &self,
        filter: &SessionFilter,
        now_wall_ms: i64,
        before: Option<SessionPlace>,
        limit: u32,
    ) -> Result<Rows<SessionRow, SessionPlace>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT u.number, u.id, p.id, u.program, s.name, s.authority, r.name, c.name, \
                 u.started_at, u.ended_at, coalesce(u.duration_ms, max(0, ?7 - u.started_at)), \
                 u.lease, coalesce(u.unseated_ms, max(0, ?7 - u.started_at)) \
                 FROM uses u JOIN products p ON p.number = u.product \
                 JOIN subjects s ON s.id = u.subject JOIN computers c ON c.id = u.computer \
                 LEFT JOIN subjects r ON r.id = u.real_subject \
                 WHERE (?1 IS NULL OR p.id = ?1) AND (?2 IS NULL OR s.name = ?2 \
                    OR s.key = ?9 AND s.authority NOT IN ('usher', 'local') \
                    AND s.authority NOT GLOB 'computer:*') \
                 AND (?3 IS NULL OR c.key = ?3 OR c.name = ?3) \
                 AND (?4 IS NULL OR u.ended_at IS NULL OR u.ended_at >= ?4) \
                 AND (?13 IS NULL OR u.started_at < ?13) \
                 AND (?5 IS NULL OR (u.ended_at IS NULL) = ?5) \
                 AND (?10 IS NULL OR s.authority = ?10 AND s.key = ?11) \
                 AND (?12 IS NULL OR c.key = ?12) \
                 AND (?6 IS NULL OR u.started_at < ?6 OR u.started_at = ?6 AND u.number < ?14) \
                 ORDER BY u.started_at DESC, u.number DESC LIMIT ?8",
            )?;
            let rows = statement.query_map(
                params![
                    filter.product,
                    filter.user,
                    filter.computer,
                    filter.since,
                    filter.running,
                    before.map(|place| place.started_at),
                    now_wall_ms,
                    limit + 1,
                    filter.user.as_ref().map(|user| user.to_lowercase()),
                    filter.owner.realm(),
                    filter.owner.account(),
                    filter.owner.computer,
                    filter.until,
                    before.map(|place| place.number.cast_signed()),
                ],
                |row| {
                    Ok(SessionRow {
                        number: from_i64(row.get(0)?),
                        id: row.get(1)?,
                        product: row.get(2)?,
                        program: row.get(3)?,
                        user: row.get(4)?,
                        authority: row.get(5)?,
                        real_user: row.get(6)?,
                        computer: row.get(7)?,
                        started_at: row.get(8)?,
                        ended_at: row.get(9)?,
                        duration_ms: from_i64(row.get(10)?),
                        lease: row.get(11)?,
                        unseated_ms: from_i64(row.get(12)?),
                    })
                },
            )?;
            Ok(page(
                rows.collect::<Result<_, _>>()?,
                limit,
                |row: &SessionRow| SessionPlace {
                    started_at: row.started_at,
                    number: row.number,
                },
            ))
        })
    }

    /// Each product's use by sessions that touched a time, by product id. Of each the part that lies
    /// in it counts, by the wall clock, and no more than it lasted. `after` counts rows.
    pub fn usage(
        &self,
        filter: &UsageFilter,
        now_wall_ms: i64,
        (after, limit): (u64, u32),
    ) -> Result<Rows<UsageRow>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT p.id, count(*), sum(u.ended_at IS NULL), \
                 sum(coalesce(u.unseated_ms > 0, 1)), \
                 count(DISTINCT u.subject), count(DISTINCT u.computer), \
                 sum(min(coalesce(u.duration_ms, max(0, ?4 - u.started_at)), \
                     max(0, min(coalesce(u.ended_at, ?4), ?3) - max(u.started_at, ?2)))), \
                 max(coalesce(u.ended_at, ?4)), \
                 sum(min(coalesce(u.unseated_ms, max(0, ?4 - u.started_at)), \
                     max(0, min(coalesce(u.ended_at, ?4), ?3) - max(u.started_at, ?2)))) \
                 FROM uses u JOIN products p ON p.number = u.product \
                 JOIN subjects s ON s.id = u.subject JOIN computers c ON c.id = u.computer \
                 WHERE (?1 IS NULL OR p.id = ?1) AND u.started_at < ?3 \
                 AND (u.ended_at IS NULL OR u.ended_at >= ?2) \
                 AND (?7 IS NULL OR s.authority = ?7 AND s.key = ?8) \
                 AND (?9 IS NULL OR c.key = ?9) \
                 GROUP BY p.id ORDER BY p.id LIMIT ?5 OFFSET ?6",
            )?;
            let rows = statement.query_map(
                params![
                    filter.product,
                    filter.since,
                    filter.until,
                    now_wall_ms,
                    limit + 1,
                    after as i64,
                    filter.owner.realm(),
                    filter.owner.account(),
                    filter.owner.computer,
                ],
                |row| {
                    Ok(UsageRow {
                        product: row.get(0)?,
                        sessions: from_i64(row.get(1)?),
                        running: from_i64(row.get(2)?),
                        unseated: from_i64(row.get(3)?),
                        users: from_i64(row.get(4)?),
                        computers: from_i64(row.get(5)?),
                        total_ms: from_i64(row.get(6)?),
                        last_used_at: row.get(7)?,
                        unseated_ms: from_i64(row.get(8)?),
                    })
                },
            )?;
            let mut found = page(rows.collect::<Result<_, _>>()?, limit, |_| 0);
            found.next = found.next.map(|_| after + u64::from(limit));
            Ok(found)
        })
    }

    /// When each product was last in use, by product id, in Unix milliseconds; none of those that
    /// never were. Of what runs it is now.
    pub fn last_used(&self, now_wall_ms: i64) -> Result<Vec<(String, i64)>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT p.id, max(coalesce(u.ended_at, ?1)) FROM uses u \
                 JOIN products p ON p.number = u.product GROUP BY p.id",
            )?;
            let rows = statement.query_map([now_wall_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// Programs of no product, those that ran longest first. `after` counts rows.
    pub fn programs(&self, after: u64, limit: u32) -> Result<Rows<ProgramRow>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT program, sum(starts), count(*), min(first_at), max(last_at), \
                     sum(run_seconds), max(package), max(desktop_name) \
                 FROM programs GROUP BY program ORDER BY 6 DESC, 2 DESC, 1 LIMIT ?1 OFFSET ?2",
            )?;
            let rows = statement.query_map(params![limit + 1, after as i64], |row| {
                Ok(ProgramRow {
                    program: row.get(0)?,
                    starts: from_i64(row.get(1)?),
                    computers: from_i64(row.get(2)?),
                    first_at: row.get(3)?,
                    last_at: row.get(4)?,
                    run_seconds: from_i64(row.get(5)?),
                    package: row.get(6)?,
                    desktop_name: row.get(7)?,
                })
            })?;
            let mut found = page(rows.collect::<Result<_, _>>()?, limit, |_| 0);
            found.next = found.next.map(|_| after + u64::from(limit));
            Ok(found)
        })
    }
}
