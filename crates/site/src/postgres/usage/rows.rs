//! The sessions and leases of a product that overlap a time, from their rows.
//!
//! Rows are found by when they began. Of those that began before the time it is known from the
//! roll-ups how many last into it, so the look back ends with the first of them.

use usher_core::usage::{Counted, Span, quarter_of};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Row, params};
use super::level::levels_before;
use crate::usage::{Line, Whose, number_of, surrogate};

/// Of those that last into the time `$2`, the `$3` that began last before it. One that ends just there
/// is among them, and not in the time.
const SESSIONS_BEFORE: &str = "SELECT started_ms, ended_ms, person, computer, false \
    FROM history_sessions WHERE product = $1 AND started_ms < $2 AND ended_ms >= $2 \
    ORDER BY started_ms DESC LIMIT $3";
const SESSIONS_WITHIN: &str = "SELECT started_ms, ended_ms, person, computer \
    FROM history_sessions WHERE product = $1 AND started_ms >= $2 AND started_ms < $3";
/// With whether it is a session itself.
const LEASES_BEFORE: &str = "SELECT granted_ms, ended_ms, person, computer, \
    agent_incarnation IS NULL AND NOT EXISTS (SELECT 1 FROM history_session_keys s \
    WHERE s.lease_made_in = l.made_in AND s.lease_made_by = l.made_by) FROM history_leases l \
    WHERE NOT kept AND cause <> 'unclaimed' AND product = $1 AND granted_ms < $2 \
    AND ended_ms >= $2 ORDER BY granted_ms DESC LIMIT $3";
const LEASES_WITHIN: &str = "SELECT granted_ms, ended_ms, person, computer FROM history_leases \
    WHERE NOT kept AND cause <> 'unclaimed' AND product = $1 AND granted_ms >= $2 \
    AND granted_ms < $3";

/// Hands over the sessions and leases of a product that overlap a time and have ended, and a few that
/// ended just before it.
pub(super) fn each_use(
    db: &Db,
    product: i64,
    (from_ms, to_ms): (i64, i64),
    mut take: impl FnMut(Whose, Whose, Span),
) -> Result<()> {
    let begin_ms = quarter_of(from_ms);
    let levels = levels_before(db, (product, Counted::Here), number_of(begin_ms))?;
    let open = |line| levels.of(line).uses;
    // Leases and sessions without a seat are wanted.
    let leases = open(Line::Wanted).saturating_sub(open(Line::Unseated));
    let mut back = |sql: &str, many: i64| -> Result<i64> {
        let mut alone = 0;
        if many > 0 {
            db.each(sql, &params![product, begin_ms, many], |row| {
                alone += i64::from(row.get::<bool>(4)?);
                hand_over(row, &mut take)
            })?;
        }
        Ok(alone)
    };
    let alone = back(LEASES_BEFORE, leases)?;
    let sessions = open(Line::Running).saturating_sub(alone);
    back(SESSIONS_BEFORE, sessions)?;
    for sql in [LEASES_WITHIN, SESSIONS_WITHIN] {
        db.each(sql, &params![product, begin_ms, to_ms], |row| {
            hand_over(row, &mut take)
        })?;
    }
    Ok(())
}

fn hand_over(row: &Row, take: &mut impl FnMut(Whose, Whose, Span)) -> Result<()> {
    let (from_ms, until_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
    let span = Span {
        from_ms,
        until_ms: until_ms.max(from_ms),
        seats: 1,
    };
    take(surrogate(row.get(2)?), surrogate(row.get(3)?), span);
    Ok(())
}
