//! The spans of time in which the same entitlements of a product are valid together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use usher_api::Entitlement as Wire;

use super::sums::usable;
use super::validity::end;
use crate::output::counted;

/// How many entitlements of a span are named; the rest are counted.
const NAMED: usize = 4;

/// A span of time in which the same several entitlements are valid.
pub(super) struct Span<'a> {
    /// `None`: it has no beginning.
    first: Option<(Timestamp, Day<'a>)>,
    /// `None`: it has no end.
    last: Option<(Timestamp, Day<'a>)>,
    /// The first of the valid entitlements.
    pub(super) valid: Vec<&'a Wire>,
    pub(super) count: usize,
    seats: u64,
}

/// A day as it was given, and its zone.
type Day<'a> = Option<(String, Option<&'a String>)>;

impl Span<'_> {
    /// The span in words.
    pub(super) fn when(&self, here: &str) -> String {
        let shown = |edge: &Option<(Timestamp, Day<'_>)>| {
            edge.as_ref().map(|(at, day)| {
                let (day, zone) = day.as_ref().map(|(day, zone)| (day, *zone)).unzip();
                end(day, zone.flatten(), Some(*at), here)
            })
        };
        match (shown(&self.first), shown(&self.last)) {
            (Some(from), Some(to)) if from == to => format!("on {from}"),
            (Some(from), Some(to)) => format!("from {from} to {to}"),
            (Some(from), None) => format!("from {from} on"),
            (None, Some(to)) => format!("until {to}"),
            (None, None) => "at all times".to_owned(),
        }
    }

    /// The seats that may be used then.
    pub(super) fn together(&self) -> String {
        counted(self.seats, "seat")
    }
}

/// The change at an instant.
#[derive(Default)]
struct Edge<'a> {
    begin: Vec<usize>,
    end: Vec<usize>,
    /// The day that begins at this instant, and the day before it.
    day: Option<(Date, Option<&'a String>)>,
}

/// The first spans that are not over and in which an entitlement for which `is_new` holds is valid
/// together with others; and how many more spans there are.
pub(super) fn spans<'a>(
    all: &[&'a Wire],
    is_new: impl Fn(&Wire) -> bool,
    limit: usize,
    now: Timestamp,
) -> (Vec<Span<'a>>, usize) {
    let mut edges: BTreeMap<Timestamp, Edge<'a>> = BTreeMap::new();
    let mut valid: BTreeSet<usize> = BTreeSet::new();
    for (index, &it) in all.iter().enumerate() {
        let zone = it.time_zone.as_ref();
        match it.from {
            None => {
                valid.insert(index);
            }
            Some(at) => {
                let edge = edges.entry(at).or_default();
                edge.begin.push(index);
                let day = it.from_day.as_ref().and_then(|day| day.parse().ok());
                edge.day = edge.day.or(day.map(|day| (day, zone)));
            }
        }
        if let Some(at) = it.to {
            let edge = edges.entry(at).or_default();
            edge.end.push(index);
            let day = it.to_day.as_ref().and_then(|day| day.parse().ok());
            let next = day.and_then(|day: Date| day.tomorrow().ok());
            edge.day = edge.day.or(next.map(|day| (day, zone)));
        }
    }
    let mut found = Vec::new();
    let mut more = 0;
    let mut first = None;
    let mut counting = Counting::of(&valid, all, &is_new);
    let steps = edges.into_iter().map(Some).chain([None]);
    for step in steps {
        let ended = step.as_ref().is_some_and(|(at, _)| *at <= now);
        if valid.len() > 1 && counting.new > 0 && !ended {
            match found.len() < limit {
                false => more += 1,
                true => found.push(Span {
                    first: first.take(),
                    last: step.as_ref().map(|(at, edge)| {
                        let before = edge.day.and_then(|(day, zone)| {
                            let before = day.yesterday().ok()?;
                            Some((before.to_string(), zone))
                        });
                        (*at, before)
                    }),
                    valid: valid.iter().take(NAMED).map(|index| all[*index]).collect(),
                    count: valid.len(),
                    seats: counting.seats,
                }),
            }
        }
        let Some((at, edge)) = step else { break };
        for index in edge.end {
            valid.remove(&index);
            counting.less(all[index], &is_new);
        }
        for index in edge.begin {
            valid.insert(index);
            counting.more(all[index], &is_new);
        }
        let day = edge.day.map(|(day, zone)| (day.to_string(), zone));
        first = Some((at, day));
    }
    (found, more)
}

/// The sums of the valid entitlements.
struct Counting {
    seats: u64,
    new: usize,
}

impl Counting {
    fn of(valid: &BTreeSet<usize>, all: &[&Wire], is_new: &impl Fn(&Wire) -> bool) -> Counting {
        let mut counting = Counting { seats: 0, new: 0 };
        valid
            .iter()
            .for_each(|index| counting.more(all[*index], is_new));
        counting
    }

    fn more(&mut self, it: &Wire, is_new: &impl Fn(&Wire) -> bool) {
        self.seats += usable(it);
        self.new += usize::from(is_new(it));
    }

    fn less(&mut self, it: &Wire, is_new: &impl Fn(&Wire) -> bool) {
        self.seats = self.seats.saturating_sub(usable(it));
        self.new = self.new.saturating_sub(usize::from(is_new(it)));
    }
}
