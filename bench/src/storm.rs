//! A storm of starts: one program again and again, each after the end of the one before, with
//! something beside it and without, in changing order.

use std::any::Any;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::{median, quantile};

/// From the end of one measure to the next. A server or an agent has started and settled by then,
/// and what the one before left behind is over.
const APART: Duration = Duration::from_millis(1_200);
/// Before each round, not counted: caches are as in the middle of a storm.
pub(crate) const STARTS_TO_WARM_UP: u32 = 50;

/// Makes ready what starts are measured beside; it ends when what this answers is dropped.
pub(crate) type Beside<'a> = &'a dyn Fn() -> Result<Box<dyn Any>, String>;

/// Beside nothing.
pub(crate) fn nothing() -> Result<Box<dyn Any>, String> {
    Ok(Box::new(()))
}

/// Starts beside several things, each time between two measures beside nothing, so that what the
/// computer does of itself from one minute to the next falls out.
pub(crate) struct Turns {
    /// Microseconds beside nothing.
    alone: Vec<f64>,
    /// Of each: microseconds, and how many times those beside nothing just before and after.
    beside: Vec<Vec<(f64, f64)>>,
}

impl Turns {
    /// Measures `once` beside each, `rounds` times. Each begins as long after the one before as
    /// all others: a processor that has rested is faster.
    pub(crate) fn measure(
        rounds: usize,
        contenders: &[Beside<'_>],
        once: &dyn Fn() -> Result<f64, String>,
    ) -> Result<Turns, String> {
        let count = contenders.len();
        let mut ended = Instant::now();
        let mut rested = |beside: Beside<'_>| {
            let _beside = beside()?;
            thread::sleep(APART.saturating_sub(ended.elapsed()));
            let measured = once();
            ended = Instant::now();
            measured
        };
        let mut alone = vec![rested(&nothing)?];
        let mut beside = vec![Vec::with_capacity(rounds); count];
        for turn in 0..rounds * count {
            let which = turn % count;
            let before = alone[turn];
            let measured = rested(contenders[which])?;
            let after = rested(&nothing)?;
            beside[which].push((measured, measured * 2.0 / (before + after)));
            alone.push(after);
        }
        Ok(Turns { alone, beside })
    }

    /// The median beside nothing.
    pub(crate) fn alone(&self) -> f64 {
        median(&self.alone)
    }

    /// A table of how much more a start takes beside each.
    pub(crate) fn table(&self, names: &[&str]) -> String {
        let mut text = "\
| | a start | more: lower quartile | median | upper quartile |
|---|--:|--:|--:|--:|
"
        .to_owned();
        for (name, figures) in names.iter().zip(&self.beside) {
            let (starts, ratios): (Vec<f64>, Vec<f64>) = figures.iter().copied().unzip();
            let percent = |ratio: f64| (ratio - 1.0) * 100.0;
            text += &format!(
                "| {name} | {:.0} µs | {:+.1} % | {:+.1} % | {:+.1} % |\n",
                median(&starts),
                percent(quantile(&ratios, 0.25)),
                percent(median(&ratios)),
                percent(quantile(&ratios, 0.75)),
            );
        }
        text
    }
}

/// Microseconds a start, of so many.
pub(crate) fn round(program: &Path, starts: u32) -> Result<f64, String> {
    start_many(program, &[], STARTS_TO_WARM_UP)?;
    let begun = Instant::now();
    start_many(program, &[], starts)?;
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(starts))
}

pub(crate) fn start_many(program: &Path, arguments: &[&str], count: u32) -> Result<(), String> {
    for _ in 0..count {
        let ended = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .status();
        match ended {
            Ok(status) if status.success() => {}
            other => return Err(format!("{} did not run: {other:?}", program.display())),
        }
    }
    Ok(())
}
