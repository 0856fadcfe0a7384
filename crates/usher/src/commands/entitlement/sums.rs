//! What an import makes of what is owned: today, and at most on one day to come.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use usher_api::Entitlement as Wire;
use usher_core::ledger::{Validity, Wall, takes_over};

use super::validity::end;
use crate::output::Table;

/// What an import does to a product. Seats are those that may be used, with the overdraft. They
/// count on the days on which they are valid.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    product: String,
    /// Valid today.
    seats_before: u64,
    /// Of all rows, on whatever days.
    seats_added: u64,
    /// Valid today, with the rows.
    seats_after: u64,
    /// The most on one day from today on; what is taken over from does not count beside what takes
    /// over.
    most_seats: u64,
    /// From when there are so many; null: today.
    most_from: Option<String>,
    entitlements_added: u64,
}

/// The changes that `added` makes to `owned`, by product in the order of the rows.
pub(super) fn changes(added: &[Wire], owned: &[Wire], now: Timestamp, here: &str) -> Vec<Change> {
    let mut products: BTreeMap<&str, Vec<&Wire>> = BTreeMap::new();
    for it in owned {
        products.entry(&it.product).or_default().push(it);
    }
    let mut order: Vec<&str> = Vec::new();
    let mut new: BTreeMap<&str, Vec<&Wire>> = BTreeMap::new();
    for it in added {
        let of_product = new.entry(&it.product).or_default();
        if of_product.is_empty() {
            order.push(&it.product);
        }
        of_product.push(it);
    }
    let change = |product: &str| {
        let old = products.get(product).map_or(&[][..], Vec::as_slice);
        let new = new.get(product).map_or(&[][..], Vec::as_slice);
        let all = [old, new].concat();
        let (most_seats, first) = most(&all, now);
        Change {
            product: product.to_owned(),
            seats_before: today(old, now),
            seats_added: new.iter().map(|it| usable(it)).sum(),
            seats_after: today(&all, now),
            most_seats,
            most_from: first
                .map(|it| end(it.from_day.as_ref(), it.time_zone.as_ref(), it.from, here)),
            entitlements_added: new.len() as u64,
        }
    };
    order.into_iter().map(change).collect()
}

/// Whether an entitlement with these dates may be one that another takes over from, or that takes
/// over: on the days on which both count it is a renewal, and no more seats.
pub(super) fn renews(next: &Wire, it: &Wire) -> bool {
    takes_over(validity(next), validity(it))
}

/// The seats of it that may be used.
pub(super) fn usable(it: &Wire) -> u64 {
    u64::from(it.seats) + u64::from(it.overdraft)
}

fn validity(it: &Wire) -> Validity {
    let wall = |at: Timestamp| Wall(at.as_millisecond());
    (it.from.map(wall), it.to.map(wall))
}

/// Whether it is valid at an instant.
pub(super) fn is_valid(it: &Wire, now: Timestamp) -> bool {
    it.from.is_none_or(|from| from <= now) && it.to.is_none_or(|to| to > now)
}

fn today(all: &[&Wire], now: Timestamp) -> u64 {
    let valid = all.iter().filter(|it| is_valid(it, now));
    valid.map(|it| usable(it)).sum()
}

/// The most seats at an instant from now on, and what begins when there are so many; none: now,
/// with all that counts now.
fn most<'a>(all: &[&'a Wire], now: Timestamp) -> (u64, Option<&'a Wire>) {
    let handed_over = handovers(all);
    // What happens at an instant: what ends then ends before what begins.
    let mut steps: BTreeMap<Timestamp, (u64, u64, Option<&Wire>)> = BTreeMap::new();
    let mut seats = 0_u64;
    for &it in all {
        let ends = [it.to, handed_over.get(&*it.id).copied()];
        let ends = ends.into_iter().flatten().min();
        if ends.is_some_and(|at| at <= now) {
            continue;
        }
        let count = usable(it);
        match it.from.filter(|from| *from > now) {
            None => seats += count,
            Some(from) => {
                let step = steps.entry(from).or_default();
                (step.1, step.2) = (step.1 + count, Some(it));
            }
        }
        if let Some(at) = ends {
            steps.entry(at).or_default().0 += count;
        }
    }
    let mut most = (today(all, now), None);
    for (less, more, first) in steps.into_values() {
        seats = (seats + more).saturating_sub(less);
        if seats > most.0 {
            most = (seats, first);
        }
    }
    most
}

/// When another takes over, by id.
fn handovers<'a>(all: &[&'a Wire]) -> BTreeMap<&'a str, Timestamp> {
    // Of those that begin together, the one that lasts longest is enough.
    let mut by_from: BTreeMap<Timestamp, &Wire> = BTreeMap::new();
    for &it in all {
        let Some(from) = it.from else { continue };
        let longest = by_from.entry(from).or_insert(it);
        let lasts_longer = it
            .to
            .is_none_or(|to| longest.to.is_some_and(|other| to > other));
        if lasts_longer {
            *longest = it;
        }
    }
    let taken_over = |it: &'a Wire| {
        let to = it.to?;
        let mut before = by_from.range(..to).rev();
        let near = before.by_ref().take(LOOKED);
        let next = near.filter(|(_, next)| renews(next, it)).last()?;
        Some((&*it.id, *next.0))
    };
    all.iter().filter_map(|it| taken_over(it)).collect()
}

/// Beginnings before an end that are looked at for one that takes over. People renew on a day or
/// two; a file of instants of its own for each row shall not take for ever.
const LOOKED: usize = 64;

/// The changes as a table.
pub(super) fn table(changes: &[Change]) -> Table {
    let mut table = Table::new(&[
        "PRODUCT",
        ">TODAY",
        ">ROWS",
        ">THEN TODAY",
        ">AT MOST",
        "FROM",
    ]);
    for change in changes {
        table.row([
            change.product.clone(),
            change.seats_before.to_string(),
            change.entitlements_added.to_string(),
            change.seats_after.to_string(),
            change.most_seats.to_string(),
            change
                .most_from
                .clone()
                .unwrap_or_else(|| "today".to_owned()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
