//! Times without a seat of a product, beside one of its entitlements.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use usher_api::Entitlement as Wire;

use super::named::called;
use super::sums::usable;
use super::validity::end;
use crate::output::tame;

/// An end at 18:00 and a beginning at midnight, or midnights of two time zones, are no gap.
const SHORTEST_HOURS: i64 = 23;

/// Says when nothing of its product is owned between `it` and what comes next, or what was before:
/// of what is still to come.
pub(super) fn sentences(it: &Wire, all: &[&Wire], now: Timestamp, here: &str) -> Vec<String> {
    let others: Vec<&Wire> = all
        .iter()
        .copied()
        .filter(|other| other.id != it.id && usable(other) > 0)
        .collect();
    let gaps = [behind(it, &others), before(it, &others)];
    let to_come = |gap: &Gap<'_>| gap.until > now && gap.is_long();
    let gaps = gaps.into_iter().flatten().filter(to_come);
    gaps.map(|gap| gap.told(&it.product, now, here)).collect()
}

/// A time without a seat.
struct Gap<'a> {
    since: Timestamp,
    until: Timestamp,
    /// What ends with its beginning.
    last: &'a Wire,
    /// What begins with its end.
    next: &'a Wire,
}

/// Between its end and what begins next.
fn behind<'a>(it: &'a Wire, others: &[&'a Wire]) -> Option<Gap<'a>> {
    let since = it.to?;
    let goes_on = |other: &Wire| {
        other.from.is_none_or(|from| from <= since) && other.to.is_none_or(|to| to > since)
    };
    if others.iter().any(|other| goes_on(other)) {
        return None;
    }
    let later = others
        .iter()
        .filter_map(|other| Some((other.from?, *other)));
    let (until, next) = later
        .filter(|(from, _)| *from > since)
        .min_by_key(|(from, _)| *from)?;
    Some(Gap {
        since,
        until,
        last: it,
        next,
    })
}

/// Between the end of what was before and its beginning.
fn before<'a>(it: &'a Wire, others: &[&'a Wire]) -> Option<Gap<'a>> {
    let until = it.from?;
    let is_there = |other: &Wire| {
        other.from.is_none_or(|from| from < until) && other.to.is_none_or(|to| to >= until)
    };
    if others.iter().any(|other| is_there(other)) {
        return None;
    }
    let earlier = others.iter().filter_map(|other| Some((other.to?, *other)));
    let (since, last) = earlier
        .filter(|(to, _)| *to < until)
        .max_by_key(|(to, _)| *to)?;
    Some(Gap {
        since,
        until,
        last,
        next: it,
    })
}

impl Gap<'_> {
    fn is_long(&self) -> bool {
        self.since
            .checked_add(SHORTEST_HOURS.hours())
            .is_ok_and(|shortest| self.until >= shortest)
    }

    fn told(&self, product: &str, now: Timestamp, here: &str) -> String {
        let day = |day: &Option<String>| day.as_deref().and_then(|day| day.parse::<Date>().ok());
        let first = day(&self.last.to_day).and_then(|day| day.tomorrow().ok());
        let last = day(&self.next.from_day).and_then(|day| day.yesterday().ok());
        let shown = |day: Option<Date>, zone: &Option<String>, at: Timestamp| {
            end(
                day.map(|day| day.to_string()).as_ref(),
                zone.as_ref(),
                Some(at),
                here,
            )
        };
        let first = shown(first, &self.last.time_zone, self.since);
        let last = shown(last, &self.next.time_zone, self.until);
        let when = match self.since <= now {
            true => format!("Until {last}"),
            false if first == last => format!("On {first}"),
            false => format!("From {first} to {last}"),
        };
        format!(
            "{when} no seat of {} is owned: then {} begins.",
            tame(product),
            called(self.next)
        )
    }
}

#[cfg(test)]
mod tests;
