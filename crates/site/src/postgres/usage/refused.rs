//! Who was refused seats of a product, and whether they got one afterwards.

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use super::about::product_number;
use super::named::named;
use super::running::runs;
use super::within::Look;
use crate::archive::{Archive, Archived};
use crate::columns::unsigned;
use crate::reported::{Refused, SumsAsked};
use crate::usage::{Refusal, Refusals, surrogate};

const HERE: &str = "SELECT person, reason, count, first_ms, last_ms, computer \
    FROM history_denials WHERE product = $1 AND first_ms >= $2 AND first_ms < $3 ORDER BY first_ms";
const ELSEWHERE: &str = "SELECT person, reason, 1::bigint, at_ms, at_ms, computer \
    FROM elsewhere_denials WHERE product = $1 AND at_ms >= $2 AND at_ms < $3 ORDER BY at_ms";
/// Of uses that began before, those that lasted: by their ends.
const GRANTED_ELSEWHERE: &str = "SELECT person, started_ms, \
    coalesce(ended_ms, seen_ms, 9223372036854775807) FROM elsewhere_uses \
    WHERE product = $1 AND started_ms >= $2 \
    UNION ALL SELECT person, started_ms, ended_ms FROM elsewhere_uses \
    WHERE product = $1 AND started_ms < $2 AND ended_ms >= $2 \
    UNION ALL SELECT person, started_ms, coalesce(seen_ms, 9223372036854775807) \
    FROM elsewhere_uses WHERE product = $1 AND started_ms < $2 AND ended_ms IS NULL \
    AND coalesce(seen_ms, 9223372036854775807) >= $2";

/// Who was refused in a time, and what became of them up to now. It takes memory for each of them.
pub(in crate::postgres) fn refused(
    db: &Db,
    asked: &SumsAsked,
    archive: Option<&Archive>,
) -> Result<Refused> {
    let product = product_number(db, &asked.product)?;
    let denials = match asked.counted {
        Counted::Here => HERE,
        Counted::Elsewhere => ELSEWHERE,
    };
    let mut found = Refusals::default();
    let mut archived = Archived::default();
    let values = params![product, asked.from_ms, asked.to_ms];
    db.each(denials, &values, |row| {
        found.take(Refusal {
            person: surrogate(row.get(0)?),
            reason: row.get(1)?,
            count: unsigned(row.get(2)?),
            first_ms: row.get(3)?,
            last_ms: row.get(4)?,
            computer: surrogate(row.get(5)?),
        });
        Ok(())
    })?;
    match (found.first_ms(), asked.counted) {
        (None, _) => {}
        (Some(first_ms), Counted::Here) => {
            let look = Look::new(db, product, (first_ms, i64::MAX));
            let mut reading = look.reading(archive)?;
            look.here(&mut reading, &mut |person, _, adds| {
                found.came_by(person, adds);
            })?;
            archived = reading.end();
            found.came_running(&runs(db, product, &asked.running)?);
        }
        (Some(first_ms), Counted::Elsewhere) => {
            db.each(GRANTED_ELSEWHERE, &params![product, first_ms], |row| {
                found.came(surrogate(row.get(0)?), (row.get(1)?, row.get(2)?));
                Ok(())
            })?;
        }
    }
    let refused = found.answer(asked.limit, |needed| named(db, needed))?;
    Ok(Refused {
        archived,
        ..refused
    })
}
