//! The quantities of a product in buckets, made in one pass over days that are packed and their hours, over
//! the quarters of all other time, and over what still runs.

use std::collections::BTreeMap;

use usher_core::usage::{
    Bucket, Edge, Lines, Node, QUARTER_MS, Stretch, Stretches, Timeline, quarter_of,
};

use super::hours::{OfLines, Rolled, unpack_day, unpack_hours};
use super::level::{Levels, sum};
use super::line::{LINES, Line};
use super::mark::{Mark, edges_of};
use super::packed::Unreadable;
use super::parts::{Part, parts};
use super::quarter::{DAY_MS, number_of};
use super::running::Runs;
use crate::used::UsedAsked;

/// Takes when a quarter begins, in Unix milliseconds, and its marks.
pub(crate) type TakeQuarter<'a> = dyn FnMut(i64, &[Mark]) + 'a;

/// What is packed of days, by their numbers.
pub(crate) type PackedDays = BTreeMap<i64, Vec<u8>>;

/// Where the roll-ups are read.
pub(crate) trait Source {
    /// Why they cannot be.
    type Error;

    /// Has the quarters of these numbers taken, both included, in their order.
    fn quarters(&self, numbers: (i64, i64), take: &mut TakeQuarter<'_>) -> Result<(), Self::Error>;

    /// The error of what cannot be unpacked.
    fn unreadable(&self, why: Unreadable) -> Self::Error;
}

/// What is in each bucket of the time. `opening` is what the roll-ups have in use just before the quarter
/// in which that begins; `packed` has the hours of days.
pub(crate) fn lines<S: Source>(
    asked: &UsedAsked,
    time: Bucket,
    opening: &Levels,
    runs: &Runs,
    packed: &PackedDays,
    source: &S,
) -> Result<Lines, S::Error> {
    let begin_ms = quarter_of(time.from_ms);
    let timelines = LINES.map(|line| Timeline::of(runs.spans(line)));
    let mut making: Vec<Making<'_>> = Vec::with_capacity(LINES.len());
    for (line, runs) in LINES.into_iter().zip(&timelines) {
        let opening = sum(opening.of(line), runs.opening(begin_ms));
        let made = Stretches::new(&asked.buckets, asked.now_ms, &asked.gaps, opening);
        making.push(Making {
            line,
            made: match line.has_levels() {
                true => made,
                false => made.without_tallies(),
            },
            running: runs.quarters_between(begin_ms, time.to_ms).collect(),
            next: 0,
        });
    }
    let (first, last) = (number_of(begin_ms), number_of(time.to_ms.saturating_sub(1)));
    let is_whole = |from_ms, to_ms| {
        let mut all = making.iter();
        all.all(|of_line| of_line.is_whole(from_ms, to_ms))
    };
    let bytes_of = |day: i64| packed.get(&day).map_or(&[][..], |bytes| bytes);
    let mut unpacked: Option<(i64, OfLines)> = None;
    for part in parts((first, last), packed.keys().copied(), is_whole) {
        match part {
            Part::Quarters(first, last) => {
                source.quarters((first, last), &mut |from_ms, marks| {
                    for of_line in &mut making {
                        of_line.quarter(from_ms, marks);
                    }
                })?;
            }
            Part::Day(day) => {
                let from_ms = day.saturating_mul(DAY_MS);
                let whole = unpack_day(from_ms, bytes_of(day));
                let whole = whole.map_err(|why| source.unreadable(why))?;
                for (of_line, whole) in making.iter_mut().zip(&whole) {
                    of_line.rolled(whole, from_ms);
                }
            }
            Part::Hour(day, from_ms) => {
                if unpacked.as_ref().is_none_or(|(number, _)| *number != day) {
                    let hours = unpack_hours(day.saturating_mul(DAY_MS), bytes_of(day));
                    unpacked = Some((day, hours.map_err(|why| source.unreadable(why))?));
                }
                if let Some((_, hours)) = &unpacked {
                    for (of_line, hours) in making.iter_mut().zip(hours) {
                        of_line.rolled(hours, from_ms);
                    }
                }
            }
        }
    }
    let mut made = making.into_iter().map(Making::end);
    let [wanted, running, unseated] = LINES.map(|_| made.next().unwrap_or_default());
    Ok(Lines {
        wanted,
        running,
        unseated,
        ..Lines::default()
    })
}

/// A quantity while it is made.
struct Making<'a> {
    line: Line,
    made: Stretches<'a>,
    /// The quarters in which something begins that still runs, in their order.
    running: Vec<(Node, &'a [Edge])>,
    /// The first of them that is not taken.
    next: usize,
}

impl Making<'_> {
    /// Whether a time may come from what is packed: no bucket and no gap cuts it, and nothing begins in it
    /// that still runs.
    fn is_whole(&self, from_ms: i64, to_ms: i64) -> bool {
        let first = self
            .running
            .partition_point(|(node, _)| node.from_ms < from_ms);
        let begins = self.running.get(first);
        begins.is_none_or(|(node, _)| node.from_ms >= to_ms) && self.made.is_whole(from_ms, to_ms)
    }

    /// Takes the time that begins then of those that are packed; nothing changes in one that is not
    /// among these.
    fn rolled(&mut self, all: &[Rolled], from_ms: i64) {
        self.up_to(from_ms);
        if let Ok(place) = all.binary_search_by_key(&from_ms, |it| it.node.from_ms) {
            let it = &all[place];
            self.made.take_rolled(&it.node, it.levels.iter().copied());
        }
    }

    /// Takes a quarter, with what begins in it and before it and still runs.
    fn quarter(&mut self, from_ms: i64, marks: &[Mark]) {
        self.up_to(from_ms);
        let mut edges: Vec<Edge> = edges_of(marks, self.line).collect();
        if let Some((_, others)) = self
            .running
            .get(self.next)
            .filter(|(node, _)| node.from_ms == from_ms)
        {
            self.next += 1;
            edges.extend_from_slice(others);
            edges.sort_unstable();
        }
        if !edges.is_empty() {
            let node = Node::of(from_ms, from_ms.saturating_add(QUARTER_MS), &edges);
            self.made.take(&node, &edges);
        }
    }

    /// Takes what begins before an instant and still runs.
    fn up_to(&mut self, at_ms: i64) {
        while let Some((node, edges)) = self.running.get(self.next) {
            if node.from_ms >= at_ms {
                return;
            }
            self.made.take(node, edges);
            self.next += 1;
        }
    }

    fn end(mut self) -> Vec<Stretch> {
        self.up_to(i64::MAX);
        self.made.end()
    }
}
