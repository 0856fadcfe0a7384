//! A storm of starts: one program again and again, each after the end of the one before, with
//! something beside it and without, in changing order.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::figures::quantile;

pub(crate) const STARTS_IN_ROUND: u32 = 300;
/// Before each round, not counted: caches are as in the middle of a storm.
pub(crate) const STARTS_TO_WARM_UP: u32 = 20;

/// Two measures side by side, many times, each first as often as the other.
#[derive(Default)]
pub(crate) struct Pairs {
    pub(crate) first: Vec<f64>,
    pub(crate) second: Vec<f64>,
    pub(crate) notes: Vec<f64>,
}

impl Pairs {
    pub(crate) fn measure(
        pairs: usize,
        first: impl Fn(&mut Vec<f64>) -> Result<f64, String>,
        second: impl Fn(&mut Vec<f64>) -> Result<f64, String>,
    ) -> Result<Pairs, String> {
        let mut measured = Pairs::default();
        for pair in 0..pairs {
            let notes = &mut measured.notes;
            let (a, b) = match pair % 2 {
                0 => {
                    let a = first(notes)?;
                    (a, second(notes)?)
                }
                _ => {
                    let b = second(notes)?;
                    (first(notes)?, b)
                }
            };
            measured.first.push(a);
            measured.second.push(b);
        }
        Ok(measured)
    }

    /// A line of a table: how far the second of each pair is above the first.
    pub(crate) fn row(&self, name: &str) -> String {
        let ratios = self.ratios();
        let percent = |share| (quantile(&ratios, share) - 1.0) * 100.0;
        format!(
            "| {name} | {:+.1} % | {:+.1} % | {:+.1} % |\n",
            percent(0.25),
            percent(0.5),
            percent(0.75)
        )
    }

    fn ratios(&self) -> Vec<f64> {
        let pairs = self.first.iter().zip(&self.second);
        pairs.map(|(first, second)| second / first).collect()
    }
}

/// Microseconds a start.
pub(crate) fn round(program: &Path) -> Result<f64, String> {
    start_many(program, &[], STARTS_TO_WARM_UP)?;
    let begun = Instant::now();
    start_many(program, &[], STARTS_IN_ROUND)?;
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(STARTS_IN_ROUND))
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
