//! A question to a filled site, asked several times.

use std::time::Instant;

use super::goals::{Figure, Goal, Unit};
use crate::figures::median;

/// Each question that a report asks, in seconds.
pub(super) const GOAL: f64 = 0.5;
/// A report has at most so many lines. What has more is asked for in pages.
pub(super) const REPORT_LINES: usize = 10_000;

/// Asks so many times; the median.
pub(super) fn asked(
    what: String,
    goal: Goal,
    rounds: usize,
    ask: impl Fn() -> Result<(), String>,
) -> Result<Figure, String> {
    eprintln!("asked: {what}");
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        ask()?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    Ok(Figure::new(what, goal, median(&seconds), Unit::Seconds))
}
