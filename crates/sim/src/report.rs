//! What a scenario found: of one seed, or of many.

use std::fmt;

use serde::Serialize;

use crate::clock::MINUTE;
use crate::log::Log;
use crate::tally::Tally;
use crate::text::count;
use crate::timeline::Entry;

/// How many failing seeds are named.
const NAMED: usize = 10;

/// One installation's counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// The installation that was counted.
    pub name: &'static str,
    /// The counts.
    pub tally: Tally,
}

/// One history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The scenario.
    pub scenario: &'static str,
    /// Its seed.
    pub seed: u64,
    /// Where Usher's ledger was kept.
    pub log: Log,
    /// When it begins, as the wall clock shows it.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// The telling moments, by time.
    pub timeline: Vec<Entry>,
    /// Moments that are not in the timeline.
    pub left_out: u64,
    /// The counts.
    pub columns: Vec<Column>,
    /// What should not be; none: all is well.
    pub faults: Vec<String>,
}

/// Many histories, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The scenario.
    pub scenario: &'static str,
    /// Where Usher's ledger was kept.
    pub log: Log,
    /// The first seed; the others follow it.
    pub first_seed: u64,
    /// How many seeds were played.
    pub seeds: u64,
    /// The counts.
    pub columns: Vec<Column>,
    /// How many seeds have a fault.
    pub seeds_with_faults: u64,
    /// The first of them, each with what should not be.
    pub faults: Vec<SeedFaults>,
}

/// A seed and what should not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeedFaults {
    /// The seed whose history has them.
    pub seed: u64,
    /// What should not be.
    pub faults: Vec<String>,
}

impl Series {
    /// Adds the next history.
    pub fn add(&mut self, report: Report) {
        if self.seeds == 0 {
            self.scenario = report.scenario;
            self.log = report.log;
            self.first_seed = report.seed;
            self.columns = report.columns;
        } else {
            for (sum, column) in self.columns.iter_mut().zip(&report.columns) {
                sum.tally.add(&column.tally);
            }
        }
        self.seeds += 1;
        if report.faults.is_empty() {
            return;
        }
        self.seeds_with_faults += 1;
        if self.faults.len() < NAMED {
            self.faults.push(SeedFaults {
                seed: report.seed,
                faults: report.faults,
            });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, seed {}: {} to {}\nUsher's log: {}\n",
            self.scenario, self.seed, self.from, self.to, self.log
        )?;
        for Entry {
            time, who, what, ..
        } in &self.timeline
        {
            writeln!(f, "{time}  {who:<5}  {what}")?;
        }
        if self.left_out > 0 {
            writeln!(f, "... and {} moments more", count(self.left_out))?;
        }
        write!(f, "\n{}", table(&self.columns))?;
        if self.faults.is_empty() {
            return write!(f, "\nNo fault.");
        }
        writeln!(f, "\nFaults:")?;
        write!(f, "  {}", self.faults.join("\n  "))
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.first_seed + self.seeds.saturating_sub(1);
        writeln!(
            f,
            "{}, {} seeds from {} to {last}, added up\nUsher's log: {}\n",
            self.scenario,
            count(self.seeds),
            self.first_seed,
            self.log
        )?;
        write!(f, "{}", table(&self.columns))?;
        if self.seeds_with_faults == 0 {
            return write!(f, "\nNo fault in any of them.");
        }
        write!(f, "\n{} seeds with faults:", count(self.seeds_with_faults))?;
        for seed in &self.faults {
            write!(f, "\n  seed {}: {}", seed.seed, seed.faults.join("; "))?;
        }
        Ok(())
    }
}

/// A row and its count; whether it is shown when nothing was counted.
type Row = (&'static str, bool, fn(&Tally) -> u64);

const ROWS: &[Row] = &[
    ("polls", true, |t| t.polls),
    ("messages", true, |t| t.messages),
    ("  false", true, |t| t.false_messages),
    ("  of these 9406, not running", true, |t| t.false_9406),
    ("  most of these in 24 hours", false, |t| {
        t.most_false_9406_a_day
    }),
    ("polls while it falsely says stopping", false, |t| {
        t.polls_in_false_stop
    }),
    ("  at which 9406 was said", false, |t| t.told_in_false_stop),
    ("minutes with a false or no verdict", true, |t| {
        t.unknown_ms / MINUTE
    }),
    ("states reported that were not so", true, |t| t.false_states),
    ("controls", true, |t| t.controls),
    ("  wrongly refused", true, |t| t.controls_wrongly_refused),
    ("packs due", true, |t| t.packs_due),
    ("  done, all of it", true, |t| t.packs_done),
    ("  skipped, in part or whole", true, |t| t.packs_skipped),
    ("requests", true, |t| t.requests),
    ("  while a pack ran", true, |t| t.requests_during_packs),
    ("  failed", true, |t| t.requests_failed),
    ("  answered wrongly", true, |t| t.requests_wrong),
    ("  while it was stopped on purpose", false, |t| {
        t.requests_while_stopped
    }),
    ("refused for want of a seat", true, |t| t.denied),
    ("granted beyond the seats owned", true, |t| t.over_granted),
    ("ends of its process, unasked", false, |t| t.kills),
    ("restarts for its memory", false, |t| t.memory_restarts),
    ("stops that never ended", false, |t| t.stops_hung),
    ("reboots as a cure", false, |t| t.reboots),
    ("needless healing", false, |t| t.needless_healing),
    ("recoveries of what was not answered", false, |t| {
        t.wrong_recoveries
    }),
    ("troubles injected", false, |t| t.troubles),
    ("  told at the next poll", false, |t| t.troubles_told),
];

/// The counts beside each other.
fn table(columns: &[Column]) -> String {
    let widths = (38, 14);
    let mut text = " ".repeat(widths.0);
    for column in columns {
        text += &format!("{:>width$}", column.name, width = widths.1);
    }
    text.push('\n');
    for (name, always, value) in ROWS {
        if !always && columns.iter().all(|column| value(&column.tally) == 0) {
            continue;
        }
        text += &format!("{name:<width$}", width = widths.0);
        for column in columns {
            text += &format!("{:>width$}", count(value(&column.tally)), width = widths.1);
        }
        text.push('\n');
    }
    text
}
