//! Answers about the use of a product: of what is counted here, levels come from the roll-ups, people
//! from days that are packed, and refusals, waits and what is not packed from the rows.

use std::collections::HashSet;

use rusqlite::{Connection, Error, Result, params};
use usher_core::usage::{Bucket, Counted, Denied, Lines, RETRY_MS, Wait};

use super::about::{About, product_number, surrogate};
use super::level::levels_before;
use super::line::counted_number;
use super::lines::{Source, TakeQuarter, lines};
use super::packed::Unreadable;
use super::quarter::{self, number_of};
use super::running::{Runs, runs};
use super::uses;
use super::{days, elsewhere};
use crate::archive::{Archive, Reading, parts};
use crate::columns::unsigned;
use crate::used::{Used, UsedAsked};

/// Those of whom nobody knows any more who they were: no surrogate is 0.
const UNKNOWN: u64 = 0;

/// What is known of a product in the buckets that are asked about.
pub(crate) fn used(
    connection: &Connection,
    asked: &UsedAsked,
    archive: Option<&Archive>,
) -> Result<Used> {
    let (Some(first), Some(last)) = (asked.buckets.first(), asked.buckets.last()) else {
        return Ok(Used::default());
    };
    let about = About {
        connection,
        asked,
        product: product_number(connection, &asked.product)?,
        time: Bucket {
            from_ms: first.from_ms,
            to_ms: last.to_ms.min(asked.now_ms).max(first.from_ms),
        },
    };
    if asked.counted == Counted::Elsewhere {
        return elsewhere::used(&about);
    }
    let runs = runs(connection, about.product, &asked.running)?;
    let mut used = Used::default();
    if asked.parts.levels {
        used.lines = about.lines(&runs)?;
    }
    let mut reading = about.reading(archive)?;
    if asked.parts.who {
        used.who = uses::who(&about, &runs, &mut reading)?;
    }
    if asked.parts.wants {
        used.denials = about.denials()?;
        used.granted = about.granted(&used.denials, &runs, &mut reading)?;
        used.waits = about.waits()?;
    }
    used.archived = reading.end();
    Ok(used)
}

impl Source for About<'_> {
    type Error = Error;

    fn quarters(&self, (first, last): (i64, i64), take: &mut TakeQuarter<'_>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT quarter, edges FROM usage_quarters WHERE product = ?1 AND counted = ?2 \
             AND quarter >= ?3 AND quarter <= ?4 ORDER BY quarter",
        )?;
        let counted = counted_number(self.asked.counted);
        let mut rows = statement.query([self.product, counted, first, last])?;
        while let Some(row) = rows.next()? {
            let (from_ms, marks) = quarter::read(row)?;
            take(from_ms, &marks);
        }
        Ok(())
    }

    fn unreadable(&self, why: Unreadable) -> Error {
        quarter::unreadable(why)
    }
}

impl About<'_> {
    /// Each quantity in each bucket, in one pass over the hours and quarters.
    fn lines(&self, runs: &Runs) -> Result<Lines> {
        let Bucket { from_ms, to_ms } = self.time;
        let of = (self.product, self.asked.counted);
        let opening = levels_before(self.connection, of, number_of(from_ms))?;
        let packed = days::hours(self.connection, self.product, (from_ms, to_ms))?;
        lines(self.asked, self.time, &opening, runs, &packed, self)
    }

    /// Refusals in the time, and before it those by which one in it may be a retry.
    fn denials(&self) -> Result<Vec<Denied>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT person, computer, first_ms, last_ms, count FROM history_denials \
             WHERE product = ?1 AND first_ms >= ?2 AND first_ms < ?3",
        )?;
        // One that is repeated lasts for a minute.
        let since_ms = self.time.from_ms.saturating_sub(2 * RETRY_MS);
        let asked = params![self.product, since_ms, self.time.to_ms];
        let rows = statement.query_map(asked, |row| {
            Ok(Denied {
                person: surrogate(row.get(0)?).unwrap_or(UNKNOWN),
                computer: surrogate(row.get(1)?).unwrap_or(UNKNOWN),
                first_ms: row.get(2)?,
                last_ms: row.get(3)?,
                count: unsigned(row.get(4)?),
            })
        })?;
        rows.collect()
    }

    /// Whom of those that were refused seats were granted to.
    fn granted(
        &self,
        denials: &[Denied],
        runs: &Runs,
        reading: &mut Reading<'_>,
    ) -> Result<Vec<(u64, i64)>> {
        let people: HashSet<u64> = denials.iter().map(|denied| denied.person).collect();
        let firsts = denials.iter().map(|denied| denied.first_ms);
        let Some((first_ms, last_ms)) = firsts.clone().min().zip(firsts.max()) else {
            return Ok(Vec::new());
        };
        // What comes later satisfies none of them.
        let until_ms = last_ms.saturating_add(RETRY_MS);
        let mut statement = self.connection.prepare_cached(
            "SELECT person, granted_ms FROM history_leases WHERE kept = 0 \
             AND cause <> 'unclaimed' AND product = ?1 AND granted_ms >= ?2 AND granted_ms <= ?3",
        )?;
        let mut granted = runs.granted.clone();
        let mut rows = statement.query(params![self.product, first_ms, until_ms])?;
        while let Some(row) = rows.next()? {
            if let Some(person) = surrogate(row.get(0)?) {
                granted.push((person, row.get(1)?));
            }
        }
        reading.overlapping(
            self.product,
            (first_ms, until_ms.saturating_add(1)),
            &mut |it| {
                let person = it.person.filter(|_| it.is_lease && it.from_ms >= first_ms);
                granted.extend(person.map(|person| (person, it.from_ms)));
            },
        );
        granted.retain(|(person, _)| people.contains(person));
        Ok(granted)
    }

    /// The archive, for the time and for what is looked up around it.
    fn reading<'a>(&self, archive: Option<&'a Archive>) -> Result<Reading<'a>> {
        let from_ms = self.time.from_ms.saturating_sub(2 * RETRY_MS);
        let to_ms = self.time.to_ms.saturating_add(2 * RETRY_MS);
        let known = parts(self.connection, (from_ms, to_ms))?;
        Ok(Reading::new(archive, known))
    }

    /// Waits that began in the time.
    fn waits(&self) -> Result<Vec<Wait>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT queued_ms, waited_ms, decided_ms FROM history_waits \
             WHERE product = ?1 AND queued_ms >= ?2 AND queued_ms < ?3",
        )?;
        let asked = params![self.product, self.time.from_ms, self.time.to_ms];
        let rows = statement.query_map(asked, |row| {
            let queued_ms: i64 = row.get(0)?;
            let waited_ms: Option<i64> = row.get(1)?;
            let decided_ms: Option<i64> = row.get(2)?;
            let until_ms = waited_ms.map(|ms| queued_ms.saturating_add(ms));
            Ok(Wait {
                queued_ms,
                // Of what is not known it is at least that it is over.
                until_ms: until_ms.or(decided_ms).unwrap_or(queued_ms),
            })
        })?;
        rows.collect()
    }
}
