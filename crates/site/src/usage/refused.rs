//! Who was refused seats of a product, and whether they got one afterwards.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Result, params};
use usher_core::usage::Counted;

use super::about::{product_number, surrogate};
use super::named::{computer, person};
use super::running::runs;
use crate::columns::unsigned;
use crate::reported::{REPORT_ROWS_LIMIT, ReasonSum, Refused, RefusedPerson, SumsAsked};

const HERE: &str = "SELECT person, reason, count, first_ms, last_ms, computer \
    FROM history_denials WHERE product = ?1 AND first_ms >= ?2 AND first_ms < ?3 ORDER BY first_ms";
const ELSEWHERE: &str = "SELECT person, reason, 1, at_ms, at_ms, computer \
    FROM elsewhere_denials WHERE product = ?1 AND at_ms >= ?2 AND at_ms < ?3 ORDER BY at_ms";
const GRANTED_HERE: &str = "SELECT person, granted_ms FROM history_leases WHERE kept = 0 \
    AND cause <> 'unclaimed' AND product = ?1 AND granted_ms >= ?2";
const USED_HERE: &str = "SELECT person, started_ms FROM history_sessions \
    WHERE product = ?1 AND started_ms >= ?2";
const GRANTED_ELSEWHERE: &str = "SELECT person, started_ms FROM elsewhere_uses \
    WHERE product = ?1 AND started_ms >= ?2";

/// What is known of one of them.
struct Of {
    refusals: u64,
    first_ms: i64,
    last_ms: i64,
    reason: String,
    computer: Option<u64>,
    came_back_ms: Option<i64>,
}

impl Of {
    /// They got seats, or used it, at that time.
    fn came(&mut self, at_ms: i64) {
        if at_ms >= self.last_ms {
            let known_ms = self.came_back_ms.unwrap_or(i64::MAX);
            self.came_back_ms = Some(known_ms.min(at_ms));
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
pub(crate) fn refused(connection: &Connection, asked: &SumsAsked) -> Result<Refused> {
    let product = product_number(connection, &asked.product)?;
    let (denials, uses) = match asked.counted {
        Counted::Here => (HERE, &[GRANTED_HERE, USED_HERE][..]),
        Counted::Elsewhere => (ELSEWHERE, &[GRANTED_ELSEWHERE][..]),
    };
    let mut people: HashMap<Option<u64>, Of> = HashMap::new();
    let mut reasons: HashMap<String, Sum> = HashMap::new();
    let mut statement = connection.prepare_cached(denials)?;
    let mut rows = statement.query(params![product, asked.from_ms, asked.to_ms])?;
    while let Some(row) = rows.next()? {
        let (reason, count): (String, u64) = (row.get(1)?, unsigned(row.get(2)?));
        let (first_ms, last_ms): (i64, i64) = (row.get(3)?, row.get(4)?);
        let who = surrogate(row.get(0)?);
        let of_reason = reasons.entry(reason.clone()).or_default();
        of_reason.refusals = of_reason.refusals.saturating_add(count);
        of_reason.people.extend(who);
        let of = people.entry(who).or_insert(Of {
            refusals: 0,
            first_ms,
            last_ms,
            reason: String::new(),
            computer: None,
            came_back_ms: None,
        });
        of.refusals = of.refusals.saturating_add(count);
        of.last_ms = of.last_ms.max(last_ms);
        of.reason = reason;
        of.computer = surrogate(row.get(5)?);
    }
    let first_ms = people.values().map(|of| of.last_ms).min();
    if let Some(first_ms) = first_ms {
        for sql in uses {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![product, first_ms])?;
            while let Some(row) = rows.next()? {
                came(&mut people, surrogate(row.get(0)?), row.get(1)?);
            }
        }
        if asked.counted == Counted::Here {
            for run in runs(connection, product, &asked.running)?.each() {
                came(&mut people, Some(run.person), run.span.from_ms);
            }
        }
    }
    answer(connection, people, reasons, asked.limit)
}

/// Whoever is not known any more may have been anybody.
fn came(people: &mut HashMap<Option<u64>, Of>, person: Option<u64>, at_ms: i64) {
    if person.is_some()
        && let Some(of) = people.get_mut(&person)
    {
        of.came(at_ms);
    }
}

fn answer(
    connection: &Connection,
    people: HashMap<Option<u64>, Of>,
    reasons: HashMap<String, Sum>,
    limit: u32,
) -> Result<Refused> {
    let mut people: Vec<(Option<u64>, Of)> = people.into_iter().collect();
    people.sort_unstable_by_key(|(person, of)| (Reverse(of.last_ms), *person));
    let limit = limit.clamp(1, REPORT_ROWS_LIMIT) as usize;
    let left_out = people.len().saturating_sub(limit);
    people.truncate(limit);
    let mut rows = Vec::with_capacity(people.len());
    for (id, of) in people {
        let name = person(connection, id, None)?;
        let on = computer(connection, of.computer, None)?;
        rows.push(RefusedPerson {
            realm: name.realm,
            name: name.name,
            computer: on.name,
            refusals: of.refusals,
            first_ms: of.first_ms,
            last_ms: of.last_ms,
            reason: of.reason,
            came_back_ms: of.came_back_ms,
        });
    }
    // Surrogates are random: what is equal is in the order of the names.
    rows.sort_by(|one, other| {
        let names = (&one.name, &one.realm).cmp(&(&other.name, &other.realm));
        other.last_ms.cmp(&one.last_ms).then(names)
    });
    let reasons = reasons.into_iter().map(|(reason, sum)| ReasonSum {
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
    })
}
