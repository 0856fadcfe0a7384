//! Which groups of people used a product, for how long, and with how many seats at once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rusqlite::{Connection, Result};
use rustc_hash::{FxHashMap, FxHashSet};
use usher_core::usage::{Counted, Edge, Span};

use super::about::product_number;
use super::line::{Adds, Line};
use super::running::{Runs, runs};
use super::sums::Sum;
use super::within::{Look, Whose};
use crate::archive::{Archive, Archived};
use crate::reported::{
    GroupSum, GroupSums, GroupsAsked, InGroups, REPORT_ROWS_LIMIT, SumsAsked, WhichGroup,
};

/// Ends of uses that are held to find peaks: each takes 24 bytes. Of more no peak is found.
const EDGES_LIMIT: usize = 4_000_000;

/// The uses of each group.
pub(crate) fn grouped(
    connection: &Connection,
    asked: &GroupsAsked,
    archive: Option<&Archive>,
) -> Result<GroupSums> {
    let sums = &asked.sums;
    let product = product_number(connection, &sums.product)?;
    let look = Look::new(connection, product, (sums.from_ms, sums.to_ms));
    let mut found = Grouped::new(asked);
    let mut archived = Archived::default();
    match sums.counted {
        Counted::Elsewhere => look.elsewhere(&mut |person, computer, adds| {
            found.add(person, computer, adds);
        })?,
        Counted::Here => {
            let runs = runs(connection, product, &sums.running)?;
            let mut reading = look.reading(archive)?;
            look.here(&mut reading, &mut |person, computer, adds| {
                found.add(person, computer, adds);
            })?;
            archived = reading.end();
            found.add_running(&runs);
        }
    }
    Ok(GroupSums {
        archived,
        ..found.answer()
    })
}

/// What one person used.
#[derive(Default)]
struct OfPerson {
    sum: Sum,
    computers: FxHashSet<u64>,
}

/// What was used, by person, until it is known which groups they are in.
pub(crate) struct Grouped<'a> {
    asked: &'a GroupsAsked,
    /// The places of people in `people`.
    places: FxHashMap<Whose, usize>,
    people: Vec<(Whose, OfPerson)>,
    /// The place among what still runs of those whom the site may not know.
    told: FxHashMap<u64, usize>,
    /// What begins and ends within the time, each with the place of the person; none: too much.
    edges: Option<Vec<(Edge, usize)>>,
}

impl<'a> Grouped<'a> {
    /// Nothing yet.
    pub(crate) fn new(asked: &'a GroupsAsked) -> Grouped<'a> {
        Grouped {
            asked,
            places: FxHashMap::default(),
            people: Vec::new(),
            told: FxHashMap::default(),
            edges: Some(Vec::new()),
        }
    }

    /// Adds what still runs.
    pub(crate) fn add_running(&mut self, runs: &Runs) {
        for run in runs.each() {
            self.told.insert(run.person, run.place);
            self.add(Some(run.person), Some(run.computer), run.adds);
        }
    }

    /// Adds what of it overlaps the time.
    pub(crate) fn add(&mut self, person: Whose, computer: Whose, adds: Adds) {
        for (line, span) in adds.into_iter().flatten() {
            let Some(sum) = Sum::within(&self.asked.sums, line, span) else {
                continue;
            };
            let place = self.place(person);
            if let Some((_, of)) = self.people.get_mut(place) {
                of.sum.join(&sum);
                of.computers.extend(computer);
            }
            if line == Line::Wanted {
                self.add_edges(place, span);
            }
        }
    }

    fn place(&mut self, person: Whose) -> usize {
        let next = self.people.len();
        let place = *self.places.entry(person).or_insert(next);
        if place == next {
            self.people.push((person, OfPerson::default()));
        }
        place
    }

    fn add_edges(&mut self, place: usize, span: Span) {
        let Some(edges) = &mut self.edges else {
            return;
        };
        let edges_of = edges_within(&self.asked.sums, span);
        edges.extend(edges_of.into_iter().flatten().map(|edge| (edge, place)));
        if edges.len() > EDGES_LIMIT {
            self.edges = None;
        }
    }

    /// The sums of the groups.
    pub(crate) fn answer(self) -> GroupSums {
        let whose = self.people.iter().map(|(whose, _)| self.groups_of(*whose));
        let groups: Vec<Vec<WhichGroup>> = whose.collect();
        let mut found = GroupSums::default();
        let mut totals: BTreeMap<WhichGroup, Total> = BTreeMap::new();
        for ((whose, of), groups) in self.people.iter().zip(&groups) {
            found.seat_ms = found.seat_ms.saturating_add(of.sum.seat_ms);
            found.in_several += u64::from(groups.len() > 1);
            for group in groups {
                let total = totals.entry(*group).or_default();
                total.sum.join(&of.sum);
                total.users += u64::from(whose.is_some());
                total.computers.extend(&of.computers);
            }
        }
        let peaks = self.edges.map(|edges| peaks(edges, &groups));
        let rows = totals.into_iter().map(|(whose, total)| {
            let peak = peaks.as_ref().map(|peaks| peaks.get(&whose));
            let peak = peak.map(|peak| peak.copied().unwrap_or_default());
            GroupSum {
                whose,
                sessions: total.sum.sessions,
                open_ms: total.sum.open_ms,
                seat_ms: total.sum.seat_ms,
                users: total.users,
                computers: u64::try_from(total.computers.len()).unwrap_or(u64::MAX),
                peak: peak.map(|peak| peak.seats),
                peak_at_ms: peak.and_then(|peak| peak.at_ms),
                last_ms: total.sum.last_ms,
            }
        });
        found.rows = rows.collect();
        let limit = self.asked.sums.limit.clamp(1, REPORT_ROWS_LIMIT) as usize;
        let left_out = found.rows.len().saturating_sub(limit);
        if left_out > 0 {
            let longest = |row: &GroupSum| (Reverse(row.open_ms), Reverse(row.seat_ms), row.whose);
            found.rows.sort_unstable_by_key(longest);
            found.rows.truncate(limit);
            found.rows.sort_unstable_by_key(|row| row.whose);
        }
        found.left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
        found
    }

    /// At least one.
    fn groups_of(&self, whose: Whose) -> Vec<WhichGroup> {
        let known = whose.and_then(|person| self.asked.people.get(&person));
        let told = || {
            let place = self.told.get(&whose?)?;
            self.asked.running.get(*place)
        };
        match known.or_else(told) {
            Some(InGroups::Of(groups)) if groups.is_empty() => vec![WhichGroup::InNone],
            Some(InGroups::Of(groups)) => groups.iter().copied().map(WhichGroup::Group).collect(),
            Some(InGroups::NotKnown) | None => vec![WhichGroup::NotKnown],
        }
    }
}

/// What one group used.
#[derive(Default)]
struct Total {
    sum: Sum,
    users: u64,
    computers: FxHashSet<u64>,
}

/// The beginning and the end of a use, as far as they are within the time. One that began before counts
/// from its beginning on.
fn edges_within(asked: &SumsAsked, span: Span) -> [Option<Edge>; 2] {
    let until_ms = match span.until_ms < asked.to_ms {
        true => span.until_ms,
        false => i64::MAX,
    };
    let from_ms = span.from_ms.max(asked.from_ms);
    let within = Span {
        from_ms,
        until_ms,
        ..span
    };
    let (begin, end) = within.edges();
    [Some(begin), end]
}

/// The most seats at once, and the first instant with so many.
#[derive(Clone, Copy, Default)]
struct Peak {
    seats: u64,
    at_ms: Option<i64>,
}

/// Those of each group, of edges in any order, each with the place of the person's groups.
fn peaks(mut edges: Vec<(Edge, usize)>, groups: &[Vec<WhichGroup>]) -> FxHashMap<WhichGroup, Peak> {
    edges.sort_unstable();
    let mut levels: FxHashMap<WhichGroup, (i64, Peak)> = FxHashMap::default();
    for (edge, place) in edges {
        for group in groups.get(place).into_iter().flatten() {
            let (level, peak) = levels.entry(*group).or_default();
            *level = level.saturating_add(edge.seats_change());
            let seats = u64::try_from(*level).unwrap_or(0);
            if seats > peak.seats {
                peak.seats = seats;
                peak.at_ms = Some(edge.at_ms);
            }
        }
    }
    let peaks = levels.into_iter();
    peaks.map(|(group, (_, peak))| (group, peak)).collect()
}
