//! `programs`: programs of no product that people use most.

use std::collections::BTreeMap;

use usher_api::ColumnKind::{Count, Seconds, Text, Time};
use usher_api::{Cell, ProgramCount, Report, ReportName};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::plots;
use crate::words::{counted, duration, many};

/// What `programs` is made from.
#[derive(Debug, Clone, Default)]
pub struct ProgramsInput {
    /// What each server counts; a program that several of them saw is there several times.
    pub programs: Vec<ProgramCount>,
}

/// Programs of no product, the longest running first. Counts are of all time, for servers keep no
/// others.
pub fn programs(asked: &Asked, input: ProgramsInput) -> Report {
    let mut draft = Draft::new(ReportName::Programs, "Programs of no product");
    let columns = [
        ("program", "Program", Text),
        ("desktop_name", "Name", Text),
        ("package", "Package", Text),
        ("starts", "Starts", Count),
        ("run_seconds", "Ran for", Seconds),
        ("computers", "Computers", Count),
        ("first_at", "First seen", Time),
        ("last_at", "Last seen", Time),
    ];
    let programs = together(input.programs);
    let mut table = Table::new("programs", "Programs", &columns);
    for it in &programs {
        table.row(vec![
            Cell::text(&it.program),
            cells::text(it.desktop_name.as_deref()),
            cells::text(it.package.as_deref()),
            cells::count(it.starts),
            cells::seconds(it.run_seconds as f64),
            cells::count(it.computers),
            Cell::time(it.first_at),
            Cell::time(it.last_at),
        ]);
    }
    let bars = programs.iter().map(|it| {
        let title = it.desktop_name.as_ref().unwrap_or(&it.program);
        plots::bar(title, "ran for", it.run_seconds as f64 / 3_600.0)
    });
    let plot = plots::bars("hours", bars.collect());
    let summary = match programs.first() {
        None => "No program of no product was seen.".to_owned(),
        Some(first) => format!(
            "{} of no product; {} ran longest, {} on {}.",
            many(programs.len(), "program"),
            first.program,
            duration(first.run_seconds as f64),
            counted(first.computers, "computer"),
        ),
    };
    draft.add(table, summary, plot);
    draft.note(
        "Counts are of all the time that each server has recorded, whatever time was asked for. \
         Who started a program is not recorded. A computer that moved to another server counts \
         at both.",
    );
    draft.report(asked)
}

/// The counts of all servers, the longest running first.
fn together(programs: Vec<ProgramCount>) -> Vec<ProgramCount> {
    let mut by_name: BTreeMap<String, ProgramCount> = BTreeMap::new();
    for it in programs {
        let Some(known) = by_name.get_mut(&it.program) else {
            by_name.insert(it.program.clone(), it);
            continue;
        };
        known.starts = known.starts.saturating_add(it.starts);
        known.run_seconds = known.run_seconds.saturating_add(it.run_seconds);
        known.computers = known.computers.saturating_add(it.computers);
        known.first_at = known.first_at.min(it.first_at);
        known.last_at = known.last_at.max(it.last_at);
        // Whichever server is asked first, one of their answers.
        known.package = known.package.take().max(it.package);
        known.desktop_name = known.desktop_name.take().max(it.desktop_name);
    }
    let mut programs: Vec<ProgramCount> = by_name.into_values().collect();
    programs.sort_by(|one, other| {
        let key = |it: &ProgramCount| (it.run_seconds, it.starts);
        key(other).cmp(&key(one))
    });
    programs
}
