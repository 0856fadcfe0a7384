//! Who was refused seats of a product, and whether they got one afterwards.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Result, params};
use usher_core::usage::Counted;

use super::about::{product_number, surrogate};
use super::line::Adds;
use super::named::{Named, Needed, named};
use super::running::{Runs, runs};
use super::within::{Look, Whose};
use crate::archive::{Archive, Archived};
use crate::columns::unsigned;
use crate::reported::{REPORT_ROWS_LIMIT, ReasonSum, Refused, RefusedPerson, SumsAsked};

const HERE: &str = "SELECT person, reason, count, first_ms, last_ms, computer \
    FROM history_denials WHERE product = ?1 AND first_ms >= ?2 AND first_ms < ?3 ORDER BY first_ms";
const ELSEWHERE: &str = "SELECT person, reason, 1, at_ms, at_ms, computer \
    FROM elsewhere_denials WHERE product = ?1 AND at_ms >= ?2 AND at_ms < ?3 ORDER BY at_ms";
/// Of uses that began before, those that lasted: by their ends. The plus keeps SQLite from looking through all
/// that began before.
const GRANTED_ELSEWHERE: &str = "SELECT person, started_ms, \
    coalesce(ended_ms, seen_ms, 9223372036854775807) FROM elsewhere_uses \
    WHERE product = ?1 AND started_ms >= ?2 \
    UNION ALL SELECT person, started_ms, ended_ms FROM elsewhere_uses \
    WHERE product = ?1 AND +started_ms < ?2 AND ended_ms >= ?2 \
    UNION ALL SELECT person, started_ms, coalesce(seen_ms, 9223372036854775807) \
    FROM elsewhere_uses WHERE product = ?1 AND +started_ms < ?2 AND ended_ms IS NULL \
    AND coalesce(seen_ms, 9223372036854775807) >= ?2";

/// What is known of one of them.
struct Of {
    refusals: u64,
    first_ms: i64,
    last_ms: i64,
    reason: String,
    computer: Whose,
    came_back_ms: Option<i64>,
}

impl Of {
    /// They held seats, or used it, in that time. What ran on after the last refusal is a use since
    /// then, from the refusal on.
    fn came(&mut self, from_ms: i64, until_ms: i64) {
        if from_ms >= self.last_ms || until_ms > self.last_ms {
            let known_ms = self.came_back_ms.unwrap_or(i64::MAX);
            self.came_back_ms = Some(known_ms.min(from_ms.max(self.last_ms)));
        }
    }
}

/// Refusals for one reason.
#[derive(Default)]
struct Sum {
    refusals: u64,
    people: HashSet<u64>,
}

/// Who was refused in a time, and what became of them up to now. It takes memory for each of them.
pub(crate) fn refused(
    connection: &Connection,
    asked: &SumsAsked,
    archive: Option<&Archive>,
) -> Result<Refused> {
    let product = product_number(connection, &asked.product)?;
    let denials = match asked.counted {
        Counted::Here => HERE,
        Counted::Elsewhere => ELSEWHERE,
    };
    let mut found = Refusals::default();
    let mut archived = Archived::default();
    let mut statement = connection.prepare_cached(denials)?;
    let mut rows = statement.query(params![product, asked.from_ms, asked.to_ms])?;
    while let Some(row) = rows.next()? {
        found.take(Refusal {
            person: surrogate(row.get(0)?),
            reason: row.get(1)?,
            count: unsigned(row.get(2)?),
            first_ms: row.get(3)?,
            last_ms: row.get(4)?,
            computer: surrogate(row.get(5)?),
        });
    }
    match (found.first_ms(), asked.counted) {
        (None, _) => {}
        (Some(first_ms), Counted::Here) => {
            let look = Look::new(connection, product, (first_ms, i64::MAX));
            let mut reading = look.reading(archive)?;
            look.here(&mut reading, &mut |person, _, adds| {
                found.came_by(person, adds);
            })?;
            archived = reading.end();
            found.came_running(&runs(connection, product, &asked.running)?);
        }
        (Some(first_ms), Counted::Elsewhere) => {
            let mut statement = connection.prepare_cached(GRANTED_ELSEWHERE)?;
            let mut rows = statement.query(params![product, first_ms])?;
            while let Some(row) = rows.next()? {
                found.came(surrogate(row.get(0)?), (row.get(1)?, row.get(2)?));
            }
        }
    }
    let refused = found.answer(asked.limit, |needed| named(connection, needed))?;
    Ok(Refused {
        archived,
        ..refused
    })
}

/// A row of refusals.
pub(crate) struct Refusal {
    pub(crate) person: Whose,
    pub(crate) reason: String,
    pub(crate) count: u64,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) computer: Whose,
}

/// Who was refused, and why.
#[derive(Default)]
pub(crate) struct Refusals {
    people: HashMap<Whose, Of>,
    reasons: HashMap<String, Sum>,
}

impl Refusals {
    /// Adds a row; they come in the order of their beginnings.
    pub(crate) fn take(&mut self, row: Refusal) {
        let of_reason = self.reasons.entry(row.reason.clone()).or_default();
        of_reason.refusals = of_reason.refusals.saturating_add(row.count);
        of_reason.people.extend(row.person);
        let of = self.people.entry(row.person).or_insert(Of {
            refusals: 0,
            first_ms: row.first_ms,
            last_ms: row.last_ms,
            reason: String::new(),
            computer: None,
            came_back_ms: None,
        });
        of.refusals = of.refusals.saturating_add(row.count);
        of.last_ms = of.last_ms.max(row.last_ms);
        of.reason = row.reason;
        of.computer = row.computer;
    }

    /// From when on it matters who came; none: nobody was refused.
    pub(crate) fn first_ms(&self) -> Option<i64> {
        self.people.values().map(|of| of.last_ms).min()
    }

    /// Somebody held seats, or used the product, from an instant to another. Whoever is not known any
    /// more may have been anybody.
    pub(crate) fn came(&mut self, person: Whose, (from_ms, until_ms): (i64, i64)) {
        if person.is_some()
            && let Some(of) = self.people.get_mut(&person)
        {
            of.came(from_ms, until_ms);
        }
    }

    /// The same by what a row adds to quantities.
    pub(crate) fn came_by(&mut self, person: Whose, adds: Adds) {
        for (_, span) in adds.into_iter().flatten() {
            self.came(person, (span.from_ms, span.until_ms));
        }
    }

    /// What still runs is in use now.
    pub(crate) fn came_running(&mut self, runs: &Runs) {
        for run in runs.each() {
            self.came(Some(run.person), (run.span.from_ms, run.span.until_ms));
        }
    }

    /// With the names that `look` finds.
    pub(crate) fn answer<E>(
        self,
        limit: u32,
        look: impl FnOnce(&Needed) -> std::result::Result<Named, E>,
    ) -> std::result::Result<Refused, E> {
        let mut people: Vec<(Whose, Of)> = self.people.into_iter().collect();
        people.sort_unstable_by_key(|(person, of)| (Reverse(of.last_ms), *person));
        let limit = limit.clamp(1, REPORT_ROWS_LIMIT) as usize;
        let left_out = people.len().saturating_sub(limit);
        people.truncate(limit);
        let named = look(&Needed {
            people: people.iter().filter_map(|(person, _)| *person).collect(),
            computers: people.iter().filter_map(|(_, of)| of.computer).collect(),
        })?;
        let rows = people.into_iter().map(|(id, of)| {
            let name = named.person(id).unwrap_or_default();
            RefusedPerson {
                realm: name.realm,
                name: name.name,
                computer: named.computer(of.computer).and_then(|on| on.name),
                refusals: of.refusals,
                first_ms: of.first_ms,
                last_ms: of.last_ms,
                reason: of.reason,
                came_back_ms: of.came_back_ms,
            }
        });
        let mut rows: Vec<RefusedPerson> = rows.collect();
        // Surrogates are random: what is equal is in the order of the names.
        rows.sort_by(|one, other| {
            let names = (&one.name, &one.realm).cmp(&(&other.name, &other.realm));
            other.last_ms.cmp(&one.last_ms).then(names)
        });
        let reasons = self.reasons.into_iter().map(|(reason, sum)| ReasonSum {
            reason,
            refusals: sum.refusals,
            people: u64::try_from(sum.people.len()).unwrap_or(u64::MAX),
        });
        let mut reasons: Vec<ReasonSum> = reasons.collect();
        reasons.sort_unstable_by(|one, other| {
            let refusals = other.refusals.cmp(&one.refusals);
            refusals.then(one.reason.cmp(&other.reason))
        });
        Ok(Refused {
            people: rows,
            left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            reasons,
            archived: Archived::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_since_a_refusal_are_found_by_when_they_began_and_ended() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&crate::schema::STEPS.concat())
            .unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {GRANTED_ELSEWHERE}");
        let mut statement = connection.prepare(&sql).unwrap();
        let plan: Vec<String> = statement
            .query_map(params![1, 100], |row| row.get(3))
            .unwrap()
            .collect::<Result<_>>()
            .unwrap();
        let uses: Vec<&String> = plan.iter().filter(|it| it.contains(" t USING")).collect();
        assert_eq!(uses.len(), 3, "{plan:?}");
        for (look, by) in uses
            .iter()
            .zip(["started_ms>?", "ended_ms>?", "ended_ms=?"])
        {
            assert!(look.contains(&format!("(product=? AND {by}")), "{plan:?}");
        }
    }
}
