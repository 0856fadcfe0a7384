//! Packs that are started and stopped again while requests come evenly. Each round compares a
//! window within a pack with the windows just before and after it, so that what else changes in the
//! meantime (the file grows, the computer is busy) counts little; the two windows without a pack
//! are compared with each other as the control.

use super::Bench;
use crate::figures::{median, quantile};

/// The longest answers of a round's windows, and how far the pack was in it.
pub(super) struct Round {
    before_ms: f64,
    within_ms: f64,
    after_ms: f64,
    failed: u64,
    progress: f64,
}

impl Round {
    /// The p99 within a pack to the mean of those without.
    fn ratio(&self) -> f64 {
        self.within_ms / ((self.before_ms + self.after_ms) / 2.0)
    }

    /// The p99 of the second window without a pack to that of the first.
    fn control(&self) -> f64 {
        self.after_ms / self.before_ms
    }
}

/// Measures so many rounds. A pack that is stopped resumes when it starts again.
pub(super) fn measure(bench: &Bench, rate: f64, count: u32) -> Result<Vec<Round>, String> {
    let mut rounds = Vec::new();
    for number in 1..=count {
        let before = bench.measure(Some(rate))?;
        bench.begin_a_pack()?;
        let within = bench.measure(Some(rate))?;
        let pack = bench.pack()?;
        if pack.state != "running" {
            return Err(format!(
                "the pack was over in round {number} of {count}: make a larger store (--mib), or \
                 fewer rounds"
            ));
        }
        bench.stop_the_pack()?;
        let after = bench.measure(Some(rate))?;
        let p99_ms = |tally: &super::Tally| tally.latency.quantile(0.99).as_secs_f64() * 1e3;
        let round = Round {
            before_ms: p99_ms(&before),
            within_ms: p99_ms(&within),
            after_ms: p99_ms(&after),
            failed: before.failed() + within.failed() + after.failed(),
            progress: pack.progress,
        };
        eprintln!(
            "{number:3}: p99 {:.2} ms before, {:.2} within, {:.2} after a pack at {:.0} %",
            round.before_ms,
            round.within_ms,
            round.after_ms,
            round.progress * 100.0
        );
        rounds.push(round);
    }
    Ok(rounds)
}

pub(super) fn table(facts: &str, rate: f64, rounds: &[Round]) -> String {
    let ratios: Vec<f64> = rounds.iter().map(Round::ratio).collect();
    let controls: Vec<f64> = rounds.iter().map(Round::control).collect();
    let failed: u64 = rounds.iter().map(|round| round.failed).sum();
    let mut table = format!(
        "{facts} {rate:.0} requests/s at even intervals, half of full speed; {} rounds, failed \
         requests: {failed}.\n\n\
         | p99 | lower quartile | median | upper quartile |\n|---|--:|--:|--:|\n",
        rounds.len()
    );
    for (name, figures) in [
        ("within a pack to without", &ratios),
        ("without to without, the control", &controls),
    ] {
        table += &format!(
            "| {name} | {:.2} | {:.2} | {:.2} |\n",
            quantile(figures, 0.25),
            median(figures),
            quantile(figures, 0.75)
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_judged_by_the_windows_around_it_and_the_control_by_those_alone() {
        let round = |before_ms, within_ms, after_ms| Round {
            before_ms,
            within_ms,
            after_ms,
            failed: 0,
            progress: 0.5,
        };
        let rounds = [
            round(2.0, 3.0, 4.0),
            round(2.0, 6.0, 2.0),
            round(4.0, 6.0, 4.0),
        ];
        let table = table("Facts.", 10.0, &rounds);
        assert!(
            table.contains("| within a pack to without | 1.00 | 1.50 | 3.00 |"),
            "{table}"
        );
        assert!(
            table.contains("the control | 1.00 | 1.00 | 2.00 |"),
            "{table}"
        );
    }
}
