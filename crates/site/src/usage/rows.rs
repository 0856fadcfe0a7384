//! The sessions and leases of a product that overlap a time, from their rows.
//!
//! Rows are found by when they began. Of those that began before the time it is known from the
//! roll-ups how many last into it, so the look back ends with the first of them.

use rusqlite::{Connection, Result, Row, params};
use usher_core::usage::{Counted, Span, quarter_of};

use super::about::surrogate;
use super::alone::IS_ALONE;
use super::level::levels_before;
use super::line::Line;
use super::quarter::number_of;
use super::within::Whose;

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

/// Takes the person and the computer of a use, and when it was.
type Take<'a> = dyn FnMut(Whose, Whose, Span) + 'a;

/// Hands over the sessions and leases of a product that overlap a time and have ended, and a few that
/// ended just before it.
pub(super) fn each_use(
    connection: &Connection,
    product: i64,
    (from_ms, to_ms): (i64, i64),
    mut take: impl FnMut(Whose, Whose, Span),
) -> Result<()> {
    let begin_ms = quarter_of(from_ms);
    let levels = levels_before(connection, (product, Counted::Here), number_of(begin_ms))?;
    let open = |line| levels.of(line).uses;
    // Leases and sessions without a seat are wanted.
    let leases = open(Line::Wanted).saturating_sub(open(Line::Unseated));
    let look = Look {
        connection,
        product,
        begin_ms,
        to_ms,
    };
    let alone = look.back(&leases_before(), leases, &mut take)?;
    look.within(LEASES_WITHIN, &mut take)?;
    let sessions = open(Line::Running).saturating_sub(alone);
    look.back(SESSIONS_BEFORE, sessions, &mut take)?;
    look.within(SESSIONS_WITHIN, &mut take)
}

/// Where rows are looked up.
struct Look<'a> {
    connection: &'a Connection,
    product: i64,
    begin_ms: i64,
    to_ms: i64,
}

impl Look<'_> {
    /// Those that began before the time and last into it, of which there are so many. How many of them
    /// are leases that are sessions themselves.
    fn back(&self, sql: &str, many: i64, take: &mut Take<'_>) -> Result<i64> {
        let (mut left, mut alone) = (many, 0);
        if many <= 0 {
            return Ok(alone);
        }
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.product, self.begin_ms])?;
        while left > 0
            && let Some(row) = rows.next()?
        {
            let span = span(row)?;
            // One that ends just there is among them, and not in the time.
            if !span.is_instant() && span.until_ms >= self.begin_ms {
                left -= 1;
                alone += row.get::<_, i64>(4)?;
                take(surrogate(row.get(2)?), surrogate(row.get(3)?), span);
            }
        }
        Ok(alone)
    }

    /// Those that begin in the time.
    fn within(&self, sql: &str, take: &mut Take<'_>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.product, self.begin_ms, self.to_ms])?;
        while let Some(row) = rows.next()? {
            take(surrogate(row.get(2)?), surrogate(row.get(3)?), span(row)?);
        }
        Ok(())
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
