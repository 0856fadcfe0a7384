//! Who used a product, from the rows that overlap the time: people and computers of two buckets do
//! not add up to those of both.
//!
//! Rows are found by when they began. Of those that began before the time it is known from the
//! roll-ups how many last into it, so the look back ends with the first of them.

use rusqlite::{Result, Row, params};
use usher_core::usage::{Bucket, Distinct, Lines, Span, Stretch, Who};

use super::about::{About, surrogate};
use super::alone::IS_ALONE;
use super::running::Runs;

const SESSIONS_BEFORE: &str = "SELECT started_ms, ended_ms, person, computer, 0 \
    FROM history_sessions WHERE product = ?1 AND started_ms < ?2 ORDER BY started_ms DESC";
const SESSIONS_WITHIN: &str = "SELECT started_ms, ended_ms, person, computer \
    FROM history_sessions WHERE product = ?1 AND started_ms >= ?2 AND started_ms < ?3";
const LEASES_WITHIN: &str = "SELECT granted_ms, ended_ms, person, computer FROM history_leases \
    WHERE kept = 0 AND cause <> 'unclaimed' AND product = ?1 AND granted_ms >= ?2 \
    AND granted_ms < ?3";

/// With whether it is a session itself, of those that last into the time.
fn leases_before() -> String {
    format!(
        "SELECT granted_ms, ended_ms, person, computer, \
         CASE WHEN ended_ms >= ?2 THEN {IS_ALONE} ELSE 0 END FROM history_leases l \
         WHERE kept = 0 AND cause <> 'unclaimed' AND product = ?1 AND granted_ms < ?2 \
         ORDER BY granted_ms DESC"
    )
}

/// People and computers in each bucket.
pub(super) fn who(about: &About<'_>, lines: &Lines, runs: &Runs) -> Result<Who> {
    let buckets = &about.asked.buckets;
    let mut found = Found::new(buckets, about.asked.now_ms);
    let from_ms = about.time.from_ms;
    let alone = found.look_back(about, &leases_before(), leases_over(lines, runs, from_ms))?;
    found.within(about, LEASES_WITHIN)?;
    let sessions = sessions_over(lines, runs, from_ms).saturating_sub(alone);
    found.look_back(about, SESSIONS_BEFORE, sessions)?;
    found.within(about, SESSIONS_WITHIN)?;
    Ok(found.with(runs))
}

/// How many leases that have ended began before that instant, where the first bucket begins, and last
/// into it.
pub(crate) fn leases_over(lines: &Lines, runs: &Runs, from_ms: i64) -> i64 {
    // Leases and sessions without a seat are wanted.
    let leases = opening(&lines.wanted).saturating_sub(opening(&lines.unseated));
    leases.saturating_sub(runs.before(from_ms, false))
}

/// The same of sessions, and of leases that are sessions themselves.
pub(crate) fn sessions_over(lines: &Lines, runs: &Runs, from_ms: i64) -> i64 {
    opening(&lines.running).saturating_sub(runs.before(from_ms, true))
}

/// Uses just before the first bucket.
fn opening(line: &[Stretch]) -> i64 {
    line.first().map_or(0, |stretch| stretch.opening.uses)
}

/// Who used it in each bucket, as far as rows were looked at.
pub(crate) struct Found<'a> {
    users: Distinct<'a>,
    computers: Distinct<'a>,
    now_ms: i64,
}

impl<'a> Found<'a> {
    /// Nobody yet.
    pub(crate) fn new(buckets: &'a [Bucket], now_ms: i64) -> Found<'a> {
        Found {
            users: Distinct::new(buckets),
            computers: Distinct::new(buckets),
            now_ms,
        }
    }

    /// Those, and who has what still runs.
    pub(crate) fn with(mut self, runs: &Runs) -> Who {
        for run in runs.each() {
            self.add(Some(run.person), Some(run.computer), run.span);
        }
        Who {
            users: self.users.counts(),
            computers: self.computers.counts(),
            active_ms: Vec::new(),
        }
    }

    /// Adds those that began before the time and last into it, of which there are so many. How many
    /// of them are leases that are sessions themselves.
    fn look_back(&mut self, about: &About<'_>, sql: &str, many: i64) -> Result<i64> {
        let (mut left, mut alone) = (many, 0);
        if many <= 0 {
            return Ok(alone);
        }
        let from_ms = about.time.from_ms;
        let mut statement = about.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![about.product, from_ms])?;
        while left > 0
            && let Some(row) = rows.next()?
        {
            let span = span(row)?;
            // One that ends just there is among them, and in no bucket.
            if !span.is_instant() && span.until_ms >= from_ms {
                left -= 1;
                alone += row.get::<_, i64>(4)?;
                self.add_row(row, span)?;
            }
        }
        Ok(alone)
    }

    /// Adds those that begin in the time.
    fn within(&mut self, about: &About<'_>, sql: &str) -> Result<()> {
        let Bucket { from_ms, to_ms } = about.time;
        let mut statement = about.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![about.product, from_ms, to_ms])?;
        while let Some(row) = rows.next()? {
            let span = span(row)?;
            self.add_row(row, span)?;
        }
        Ok(())
    }

    fn add_row(&mut self, row: &Row<'_>, span: Span) -> Result<()> {
        self.add(surrogate(row.get(2)?), surrogate(row.get(3)?), span);
        Ok(())
    }

    /// Whoever is not known any more is nobody.
    pub(crate) fn add(&mut self, person: Option<u64>, computer: Option<u64>, span: Span) {
        let Some(span) = span.before(self.now_ms) else {
            return;
        };
        if let Some(person) = person {
            self.users.add(person, span);
        }
        if let Some(computer) = computer {
            self.computers.add(computer, span);
        }
    }
}

fn span(row: &Row<'_>) -> Result<Span> {
    let (from_ms, until_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
    Ok(Span {
        from_ms,
        until_ms: until_ms.max(from_ms),
        seats: 1,
    })
}
