//! The quantities of a product in buckets, made in one pass over its quarters of an hour and over what
//! still runs.

use std::iter::Peekable;

use usher_core::usage::{Bucket, Edge, Lines, Node, QUARTER_MS, Stretches, Timeline};

use super::level::{Levels, sum};
use super::line::{LINES, Line};
use super::mark::{Mark, edges_of};
use super::quarter::{begin_of, number_of};
use super::running::Runs;
use crate::used::UsedAsked;

/// Takes when a quarter begins, in Unix milliseconds, and its marks.
pub(crate) type TakeQuarter<'a> = dyn FnMut(i64, &[Mark]) + 'a;

/// What is in each bucket of the time. `opening` is what the roll-ups have in use just before the quarter
/// in which that begins; `read` has the quarters taken that overlap it, in their order.
pub(crate) fn lines<E>(
    asked: &UsedAsked,
    time: Bucket,
    opening: &Levels,
    runs: &Runs,
    read: impl FnOnce(&mut TakeQuarter<'_>) -> Result<(), E>,
) -> Result<Lines, E> {
    let begin_ms = begin_of(number_of(time.from_ms));
    let timelines = LINES.map(|line| Timeline::of(runs.spans(line)));
    let mut making: Vec<_> = LINES
        .into_iter()
        .zip(&timelines)
        .map(|(line, runs)| {
            let opening = sum(opening.of(line), runs.opening(begin_ms));
            let made = Stretches::new(&asked.buckets, asked.now_ms, &asked.gaps, opening);
            let running = runs.quarters_between(begin_ms, time.to_ms).peekable();
            Making {
                line,
                made,
                running,
            }
        })
        .collect();
    read(&mut |from_ms, marks| {
        for of_line in &mut making {
            of_line.take(from_ms, marks);
        }
    })?;
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
struct Making<'a, I: Iterator<Item = (Node, &'a [Edge])>> {
    line: Line,
    made: Stretches<'a>,
    /// What still runs, by quarters.
    running: Peekable<I>,
}

impl<'a, I: Iterator<Item = (Node, &'a [Edge])>> Making<'a, I> {
    fn take(&mut self, from_ms: i64, marks: &[Mark]) {
        while let Some((node, edges)) = self.running.next_if(|it| it.0.from_ms < from_ms) {
            self.made.take(&node, edges);
        }
        let mut edges: Vec<Edge> = edges_of(marks, self.line).collect();
        if let Some((_, others)) = self.running.next_if(|it| it.0.from_ms == from_ms) {
            edges.extend_from_slice(others);
            edges.sort_unstable();
        }
        if !edges.is_empty() {
            let node = Node::of(from_ms, from_ms.saturating_add(QUARTER_MS), &edges);
            self.made.take(&node, &edges);
        }
    }

    fn end(mut self) -> Vec<usher_core::usage::Stretch> {
        for (node, edges) in self.running {
            self.made.take(&node, edges);
        }
        self.made.end()
    }
}
