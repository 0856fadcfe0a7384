//! Refusals of which it is known how they ended, by who told of them and by product.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Result, params};
use usher_core::usage::{Denials, Denied, RETRY_MS, judged};

use super::about::surrogate;
use super::running::runs;
use crate::columns::unsigned;
use crate::now::{Settled, SettledAsked, SettledTime, Teller};
use crate::used::RunningUse;

/// Those of whom nobody knows any more who they were: no surrogate is 0.
const UNKNOWN: u64 = 0;

/// What became of the refusals in the times that are asked about. Whoever was refused and holds a
/// lease that is not among those that run, and not ended, got no seat.
pub(crate) fn settled(connection: &Connection, asked: &SettledAsked) -> Result<Vec<Settled>> {
    let mut found = Vec::new();
    for tables in [HERE, ELSEWHERE] {
        found.extend(tables.settled(connection, asked)?);
    }
    Ok(found)
}

/// Where refusals and grants of one kind of teller are.
#[derive(Clone, Copy)]
struct Tables {
    is_here: bool,
    /// The number of a teller.
    teller: &'static str,
    /// Whether a product was refused to anybody between two instants.
    any: &'static str,
    /// Refusals of a product, from behind an instant up to another.
    denials: &'static str,
    /// Whom a product was granted to, from an instant on up to another.
    granted: &'static str,
}

const HERE: Tables = Tables {
    is_here: true,
    teller: "SELECT number FROM history_sources WHERE server = ?1",
    any: "SELECT p.number, p.product FROM history_products p WHERE EXISTS \
        (SELECT 1 FROM history_denials d WHERE d.product = p.number \
        AND d.first_ms > ?1 AND d.first_ms <= ?2)",
    denials: "SELECT source, person, computer, first_ms, last_ms, count FROM history_denials \
        WHERE product = ?1 AND first_ms > ?2 AND first_ms <= ?3",
    granted: "SELECT person, granted_ms FROM history_leases WHERE kept = 0 \
        AND cause <> 'unclaimed' AND product = ?1 AND granted_ms >= ?2 AND granted_ms <= ?3",
};

const ELSEWHERE: Tables = Tables {
    is_here: false,
    teller: "SELECT number FROM import_sources WHERE source = ?1",
    any: "SELECT p.number, p.product FROM history_products p WHERE EXISTS \
        (SELECT 1 FROM elsewhere_denials d WHERE d.product = p.number \
        AND d.at_ms > ?1 AND d.at_ms <= ?2)",
    denials: "SELECT source, person, computer, at_ms, at_ms, 1, number FROM elsewhere_denials \
        WHERE product = ?1 AND at_ms > ?2 AND at_ms <= ?3",
    granted: "SELECT person, started_ms FROM elsewhere_uses \
        WHERE product = ?1 AND started_ms >= ?2 AND started_ms <= ?3",
};

impl Tables {
    fn settled(self, connection: &Connection, asked: &SettledAsked) -> Result<Vec<Settled>> {
        let times = self.times(connection, asked)?;
        let Some((from_ms, to_ms)) = whole(&times) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for (product, id) in self.refused(connection, from_ms, to_ms)? {
            let since_ms = refused_since(from_ms);
            let denied = self.denied(connection, product, since_ms, to_ms)?;
            let granted = self.granted(connection, product, &denied, asked, &id)?;
            found.extend(of_product(&id, &times, &denied, granted));
        }
        Ok(found)
    }

    /// The times by the numbers of their tellers; those that are empty, or of which nothing was ever
    /// told, are left out.
    fn times<'a>(self, connection: &Connection, asked: &'a SettledAsked) -> Result<Times<'a>> {
        let mut statement = connection.prepare_cached(self.teller)?;
        let mut times = HashMap::new();
        for (name, time) in told_times(asked, self.is_here) {
            let number: Option<i64> = statement.query_row([name], |row| row.get(0)).optional()?;
            if let Some(number) = number {
                times.insert(number, time);
            }
        }
        Ok(times)
    }

    fn refused(
        self,
        connection: &Connection,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(i64, String)>> {
        let mut statement = connection.prepare_cached(self.any)?;
        let rows = statement.query_map([from_ms, to_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Refusals in their order, each with the number of who told of it.
    fn denied(
        self,
        connection: &Connection,
        product: i64,
        since_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(Denied, i64)>> {
        let mut statement = connection.prepare_cached(self.denials)?;
        let rows = statement.query_map([product, since_ms, to_ms], |row| {
            let nobody = match self.is_here {
                true => UNKNOWN,
                false => nobody(row.get(6)?),
            };
            let denied = Denied {
                person: surrogate(row.get(1)?).unwrap_or(nobody),
                computer: surrogate(row.get(2)?).unwrap_or(UNKNOWN),
                first_ms: row.get(3)?,
                last_ms: row.get(4)?,
                count: unsigned(row.get(5)?),
            };
            Ok((denied, row.get(0)?))
        })?;
        let mut denied: Vec<(Denied, i64)> = rows.collect::<Result<_>>()?;
        denied.sort_unstable();
        Ok(denied)
    }

    /// Whom of those that were refused seats were granted to, and when.
    fn granted(
        self,
        connection: &Connection,
        product: i64,
        denied: &[(Denied, i64)],
        asked: &SettledAsked,
        id: &str,
    ) -> Result<Vec<(u64, i64)>> {
        let Some((first_ms, until_ms)) = granted_within(denied) else {
            return Ok(Vec::new());
        };
        let mut granted = match self.is_here {
            true => runs(connection, product, running_of(asked, id))?.granted,
            false => Vec::new(),
        };
        let mut statement = connection.prepare_cached(self.granted)?;
        let mut rows = statement.query(params![product, first_ms, until_ms])?;
        while let Some(row) = rows.next()? {
            if let Some(person) = surrogate(row.get(0)?) {
                granted.push((person, row.get(1)?));
            }
        }
        Ok(to_those(denied, granted))
    }
}

/// The times by the numbers of their tellers.
pub(crate) type Times<'a> = HashMap<i64, &'a SettledTime>;

/// The times that are not empty, with the names of their tellers: of servers, or of sources.
pub(crate) fn told_times(
    asked: &SettledAsked,
    is_here: bool,
) -> impl Iterator<Item = (&String, &SettledTime)> {
    asked.times.iter().filter_map(move |time| {
        let name = match &time.teller {
            Teller::Server(id) if is_here => id,
            Teller::Source(source) if !is_here => source,
            _ => return None,
        };
        (time.after_ms < time.through_ms).then_some((name, time))
    })
}

/// From behind which instant to which all of them are; none: there is none.
pub(crate) fn whole(times: &Times<'_>) -> Option<(i64, i64)> {
    let from_ms = times.values().map(|time| time.after_ms).min();
    let to_ms = times.values().map(|time| time.through_ms).max();
    from_ms.zip(to_ms)
}

/// Before a time are the refusals by which one in it may be a retry.
pub(crate) fn refused_since(from_ms: i64) -> i64 {
    from_ms.saturating_sub(2 * RETRY_MS)
}

/// The person of a row of an import that names nobody: two of whom nothing is known are not one
/// person. Surrogates are below these numbers.
pub(crate) fn nobody(row: i64) -> u64 {
    u64::MAX.saturating_sub(unsigned(row))
}

/// From which instant to which a grant may satisfy one of these refusals; none: there is none.
pub(crate) fn granted_within(denied: &[(Denied, i64)]) -> Option<(i64, i64)> {
    let firsts = denied.iter().map(|(denied, _)| denied.first_ms);
    let (first_ms, last_ms) = firsts.clone().min().zip(firsts.max())?;
    Some((first_ms, last_ms.saturating_add(RETRY_MS)))
}

/// What of a product still runs.
pub(crate) fn running_of<'a>(asked: &'a SettledAsked, product: &str) -> &'a [RunningUse] {
    let running = asked.running.iter().find(|(id, _)| id == product);
    running.map_or(&[][..], |(_, running)| running)
}

/// The grants to those who were refused.
pub(crate) fn to_those(denied: &[(Denied, i64)], mut granted: Vec<(u64, i64)>) -> Vec<(u64, i64)> {
    let people: HashSet<u64> = denied.iter().map(|(denied, _)| denied.person).collect();
    granted.retain(|(person, _)| people.contains(person));
    granted
}

/// What became of the refusals of a product, each with the number of who told of it, in their order.
pub(crate) fn of_product(
    product: &str,
    times: &Times<'_>,
    denied: &[(Denied, i64)],
    granted: Vec<(u64, i64)>,
) -> Vec<Settled> {
    let all: Vec<Denied> = denied.iter().map(|(denied, _)| *denied).collect();
    let mut by_teller: BTreeMap<&Teller, Denials> = BTreeMap::new();
    // Both are in the order of the refusals.
    let judged = judged(&all, granted, i64::MAX);
    for (one, (_, teller)) in judged.iter().zip(denied) {
        let time = times.get(teller);
        let is_in =
            |time: &&&SettledTime| one.at_ms > time.after_ms && one.at_ms <= time.through_ms;
        if let Some(time) = time.filter(is_in) {
            by_teller.entry(&time.teller).or_default().add(one);
        }
    }
    let settled = by_teller.into_iter().map(|(teller, denials)| Settled {
        teller: teller.clone(),
        product: product.to_owned(),
        denials,
    });
    settled.collect()
}
