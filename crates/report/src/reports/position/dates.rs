//! The dates on which what is owned changes.

use std::collections::BTreeSet;

use usher_api::{Cell, Entitlement, Plot, Point, Series, Timestamp};

use super::{DATED, Line, need};
use crate::asked::Asked;
use crate::cells;
use crate::draft::Table;
use crate::gathered::{OwnedOn, metric};
use crate::words::minute;

/// What is owned from a date on of one line.
pub(super) struct Change {
    at: Timestamp,
    /// The place of the line.
    line: usize,
    before: u64,
    after: u64,
}

/// Whether an entitlement is valid at an instant.
pub(super) fn is_valid(it: &Entitlement, at: Timestamp) -> bool {
    it.from.is_none_or(|from| from <= at) && it.to.is_none_or(|to| at < to)
}

/// The changes after an instant, the next one first.
pub(super) fn changes(lines: &[Line<'_>], owned: &[OwnedOn], at: Timestamp) -> Vec<Change> {
    let mut changes = Vec::new();
    // Of what is owned in part no one knows what a change leaves.
    let known = |(_, line): &(usize, &Line<'_>)| line.owned.is_some();
    for (place, line) in lines.iter().enumerate().filter(known) {
        let of_it: Vec<&Entitlement> = owned
            .iter()
            .map(|it| &it.entitlement)
            .filter(|it| (&*it.product, it.metric) == (line.product, line.metric))
            .collect();
        let bounds = of_it.iter().flat_map(|it| [it.from, it.to]).flatten();
        let dates: BTreeSet<Timestamp> = bounds.filter(|bound| *bound > at).collect();
        let seats_at = |at: Timestamp| -> u64 {
            let valid = of_it.iter().filter(|it| is_valid(it, at));
            valid.map(|it| u64::from(it.seats)).sum()
        };
        let mut before = seats_at(at);
        for date in dates {
            let after = seats_at(date);
            if after != before {
                changes.push(Change {
                    at: date,
                    line: place,
                    before,
                    after,
                });
            }
            before = after;
        }
    }
    changes.sort_by_key(|it| (it.at, it.line));
    changes
}

/// The changes as a table, and what it says.
pub(super) fn table(asked: &Asked, lines: &[Line<'_>], changes: &[Change]) -> (Table, String) {
    let mut table = Table::new("by_date", "By date", &DATED);
    let mut first_short: Option<(&Change, &Line<'_>)> = None;
    for it in changes {
        let Some(line) = lines.get(it.line) else {
            continue;
        };
        let shortfall = need::shortfall(Some(it.after), &line.needed);
        if shortfall.at_least().is_some() {
            first_short = first_short.or(Some((it, line)));
        }
        table.row(vec![
            Cell::time(it.at),
            Cell::text(line.product),
            Cell::text(metric(line.metric)),
            cells::count(it.before),
            cells::count(it.after),
            line.needed.cell(),
            shortfall.cell(),
            Cell::text(shortfall.word()),
        ]);
    }
    let summary = match (changes.len(), first_short) {
        (0, _) => "What is owned does not change later.".to_owned(),
        (_, None) => "No later change is known to leave a product short.".to_owned(),
        (_, Some((it, line))) => format!(
            "The first change that leaves a product short is on {}: {} has {} instead of {}.",
            minute(it.at, &asked.zone),
            line.name(),
            it.after,
            it.before,
        ),
    };
    (table, summary)
}

/// Of one line, what is owned and what is needed over the dates.
pub(super) fn plot(
    asked: &Asked,
    lines: &[Line<'_>],
    changes: &[Change],
    at: Timestamp,
) -> Option<Plot> {
    let [line] = lines else {
        return None;
    };
    let (first, last) = (changes.first()?, changes.last()?);
    let point = |at, seats: u64| Point {
        at,
        value: Some(seats as f64),
    };
    let mut owned = vec![point(at, first.before)];
    owned.extend(changes.iter().map(|it| point(it.at, it.after)));
    // Some time after the last change, so that it is seen.
    let beyond_ms = (last.at.as_millisecond() - at.as_millisecond()) / 5;
    let to_ms = last.at.as_millisecond().saturating_add(beyond_ms);
    let to = Timestamp::from_millisecond(to_ms).unwrap_or(last.at);
    let mut series = vec![step("owned", owned)];
    if let need::Needed::Exactly(seats, _) | need::Needed::AtLeast(seats, _) = line.needed {
        series.push(step("needed", vec![point(at.max(asked.from), seats)]));
    }
    Some(Plot::Lines {
        unit: "seats".to_owned(),
        from: at,
        to,
        series,
    })
}

fn step(title: &str, points: Vec<Point>) -> Series {
    Series {
        title: title.to_owned(),
        is_step: true,
        points,
    }
}
