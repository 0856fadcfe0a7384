//! Who used a product and for how long.

use std::cmp::Reverse;
use std::collections::HashMap;

use rusqlite::{Connection, Result};
use rustc_hash::{FxHashMap, FxHashSet};
use usher_core::usage::{Counted, Span};

use super::about::product_number;
use super::line::{Adds, Line};
use super::named::{Name, Named, Needed, named};
use super::running::{Runs, runs};
use super::within::{Look, Whose};
use crate::archive::{Archive, Archived};
use crate::reported::{REPORT_ROWS_LIMIT, SumsAsked, UseSum, UseSums, UsedBy};

/// The uses of each person, or on each computer. It takes memory for each of them.
pub(crate) fn sums(
    connection: &Connection,
    asked: &SumsAsked,
    archive: Option<&Archive>,
) -> Result<UseSums> {
    let product = product_number(connection, &asked.product)?;
    let look = Look::new(connection, product, (asked.from_ms, asked.to_ms));
    let look = look.of_people(asked.people.as_deref());
    let mut found = Uses::new(asked);
    let mut archived = Archived::default();
    match asked.counted {
        Counted::Elsewhere => look.elsewhere(&mut |person, computer, adds| {
            found.add(person, computer, adds);
        })?,
        Counted::Here => {
            let runs = runs(connection, product, &asked.running)?;
            let mut reading = look.reading(archive)?;
            look.here(&mut reading, &mut |person, computer, adds| {
                found.add(person, computer, adds);
            })?;
            archived = reading.end();
            found.add_running(&runs);
        }
    }
    let sums = found.answer(|needed| named(connection, needed))?;
    Ok(UseSums { archived, ..sums })
}

/// What was used within a time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) sessions: u64,
    running: u64,
    pub(super) open_ms: u64,
    pub(super) seat_ms: u64,
    others: u64,
    pub(super) last_ms: i64,
}

impl Sum {
    /// What of a use of that quantity is in the time that is asked about; none: nothing.
    pub(super) fn within(asked: &SumsAsked, line: Line, span: Span) -> Option<Sum> {
        let (from_ms, to_ms) = (asked.from_ms, asked.to_ms);
        let is_late = span.from_ms >= to_ms;
        let is_early = match span.is_instant() {
            true => span.from_ms < from_ms,
            false => span.until_ms <= from_ms,
        };
        if is_late || is_early {
            return None;
        }
        let ms = span.ms_within(from_ms, to_ms);
        let last_ms = span.until_ms.min(to_ms);
        match line {
            // It is among what is wanted.
            Line::Unseated => None,
            Line::Wanted => Some(Sum {
                seat_ms: ms.saturating_mul(span.seats.into()),
                last_ms,
                ..Sum::default()
            }),
            Line::Running => Some(Sum {
                sessions: 1,
                running: u64::from(span.until_ms == i64::MAX),
                open_ms: ms,
                last_ms,
                ..Sum::default()
            }),
        }
    }

    pub(super) fn join(&mut self, other: &Sum) {
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.running = self.running.saturating_add(other.running);
        self.open_ms = self.open_ms.saturating_add(other.open_ms);
        self.seat_ms = self.seat_ms.saturating_add(other.seat_ms);
        self.others = self.others.saturating_add(other.others);
        self.last_ms = self.last_ms.max(other.last_ms);
    }
}

/// What was used, by person and computer.
pub(crate) struct Uses<'a> {
    asked: &'a SumsAsked,
    /// Of whom alone uses count; none: of everybody.
    people: Option<FxHashSet<u64>>,
    /// By whose they are, and by the other of person and computer.
    pairs: FxHashMap<(Whose, Whose), Sum>,
    /// The place among what still runs of those whom the site may not know.
    told: HashMap<u64, usize>,
}

impl<'a> Uses<'a> {
    /// Nothing yet.
    pub(crate) fn new(asked: &'a SumsAsked) -> Uses<'a> {
        let people = asked.people.as_ref();
        Uses {
            asked,
            people: people.map(|people| people.iter().copied().collect()),
            pairs: FxHashMap::default(),
            told: HashMap::new(),
        }
    }

    /// Adds what still runs.
    pub(crate) fn add_running(&mut self, runs: &Runs) {
        for run in runs.each() {
            let whose = match self.asked.by {
                UsedBy::Person => run.person,
                UsedBy::Computer => run.computer,
            };
            self.told.insert(whose, run.place);
            self.take(Some(run.person), Some(run.computer), run.adds);
        }
    }

    /// Adds what of it overlaps the time, if it is of somebody who is asked about.
    pub(crate) fn add(&mut self, person: Whose, computer: Whose, adds: Adds) {
        let is_of = |people: &FxHashSet<u64>| person.is_some_and(|person| people.contains(&person));
        if self.people.as_ref().is_none_or(is_of) {
            self.take(person, computer, adds);
        }
    }

    fn take(&mut self, person: Whose, computer: Whose, adds: Adds) {
        let pair = match self.asked.by {
            UsedBy::Person => (person, computer),
            UsedBy::Computer => (computer, person),
        };
        for (line, span) in adds.into_iter().flatten() {
            if let Some(sum) = Sum::within(self.asked, line, span) {
                let known = self.pairs.entry(pair);
                known.and_modify(|known| known.join(&sum)).or_insert(sum);
            }
        }
    }

    /// With the names that `look` finds.
    pub(crate) fn answer<E>(
        self,
        look: impl FnOnce(&Needed) -> std::result::Result<Named, E>,
    ) -> std::result::Result<UseSums, E> {
        let mut each: HashMap<Whose, Sum> = HashMap::new();
        for ((whose, other), sum) in &self.pairs {
            let others = u64::from(other.is_some());
            let sum = Sum { others, ..*sum };
            let known = each.entry(*whose);
            known.and_modify(|known| known.join(&sum)).or_insert(sum);
        }
        let mut sums: Vec<(Whose, Sum)> = each.into_iter().collect();
        sums.sort_unstable_by_key(|(whose, sum)| {
            (Reverse(sum.open_ms), Reverse(sum.sessions), *whose)
        });
        let limit = self.asked.limit.clamp(1, REPORT_ROWS_LIMIT) as usize;
        let left_out = sums.len().saturating_sub(limit);
        sums.truncate(limit);
        let named = look(&self.needed(&sums))?;
        let mut rows = Vec::with_capacity(sums.len());
        for (whose, sum) in sums {
            let name = self.name(&named, whose);
            rows.push(UseSum {
                realm: name.realm,
                name: name.name,
                sessions: sum.sessions,
                running: sum.running,
                open_ms: sum.open_ms,
                seat_ms: sum.seat_ms,
                others: sum.others,
                last_ms: sum.last_ms,
            });
        }
        // Surrogates are random: what is equal is in the order of the names.
        rows.sort_by(|one, other| {
            let key = |it: &UseSum| (Reverse(it.open_ms), Reverse(it.sessions));
            let names = (&one.name, &one.realm).cmp(&(&other.name, &other.realm));
            key(one).cmp(&key(other)).then(names)
        });
        Ok(UseSums {
            rows,
            left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
            archived: Archived::default(),
        })
    }

    fn needed(&self, sums: &[(Whose, Sum)]) -> Needed {
        let ids = sums.iter().filter_map(|(whose, _)| *whose).collect();
        let mut needed = Needed::default();
        match self.asked.by {
            UsedBy::Person => needed.people = ids,
            UsedBy::Computer => needed.computers = ids,
        }
        needed
    }

    /// Of one that the site does not know yet it is what a server told of something that runs.
    fn name(&self, named: &Named, whose: Whose) -> Name {
        let place = whose.and_then(|whose| self.told.get(&whose));
        let told = place.and_then(|place| self.asked.running.get(*place));
        let name = match self.asked.by {
            UsedBy::Person => named.person(whose).or(told.map(Name::told_person)),
            UsedBy::Computer => named.computer(whose).or(told.map(Name::told_computer)),
        };
        name.unwrap_or_default()
    }
}
