//! `usher sim`: plays a scenario on a virtual clock, and compares what was said with what was true.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use usher_sim::{Log, Options, Planted, SCENARIOS, Scenario, Series};

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{Table, line, print, print_json};

/// Simulate a site and its faults on a virtual clock, and check what Usher says and does
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher sim --list
  usher sim q299261
  usher sim q299261 --seed 7 --json
  usher sim q299261 --seeds 1000 --log memory
  usher sim false-alarms

Usher's ledger is kept in the store, on a made-up disk that loses and tears what is not synced when
a process is killed; or in memory, which is faster, and usual for false-alarms. It is printed which.

The same seed gives the same history, byte for byte, so a seed that shows a fault always shows it.
The command ends with 1 if Usher says or does anything wrong. It asks no server, and writes
nothing.")]
pub(crate) struct Sim {
    /// Which scenario
    #[arg(value_name = "SCENARIO", required_unless_present = "list")]
    scenario: Option<String>,
    /// List the scenarios
    #[arg(long)]
    list: bool,
    /// The seed of the random history
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many seeds to play, from --seed on; the counts are added up
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// Where Usher's ledger is kept
    #[arg(long, value_name = "LOG", value_parser = logs())]
    log: Option<Log>,
    /// Give Usher a fault, to see that the scenario finds it
    #[arg(long, value_name = "FAULT", hide = true, value_parser = faults())]
    plant: Option<Planted>,
}

fn faults() -> impl TypedValueParser<Value = Planted> {
    PossibleValuesParser::new(Planted::ALL.map(Planted::name)).try_map(|word| {
        Planted::ALL
            .into_iter()
            .find(|fault| fault.name() == word)
            .ok_or("no such fault")
    })
}

fn logs() -> impl TypedValueParser<Value = Log> {
    PossibleValuesParser::new(Log::ALL.map(Log::name)).try_map(|word| {
        Log::ALL
            .into_iter()
            .find(|log| log.name() == word)
            .ok_or("no such log")
    })
}

/// A scenario in a list.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    summary: &'static str,
}

pub(crate) fn run(args: &Sim, context: &Context) -> Result<(), Failure> {
    let Some(name) = args.scenario.as_deref().filter(|_| !args.list) else {
        return list(context);
    };
    let scenario = Scenario::named(name).ok_or_else(|| {
        Failure::usage(format!("there is no scenario `{name}`"))
            .next("`usher sim --list` shows those that there are.")
    })?;
    let options = |seed| Options {
        seed,
        planted: args.plant,
        log: args.log,
    };
    let faulty = if args.seeds == 1 {
        let report = scenario.play(&options(args.seed));
        match context.json() {
            true => print_json(&report)?,
            false => line(report.to_string())?,
        }
        u64::from(!report.faults.is_empty())
    } else {
        let mut series = Series::default();
        for seed in args.seed..args.seed.saturating_add(args.seeds) {
            series.add(scenario.play(&options(seed)));
        }
        match context.json() {
            true => print_json(&series)?,
            false => line(series.to_string())?,
        }
        series.seeds_with_faults
    };
    match faulty {
        0 => Ok(()),
        _ => Err(Failure::Quiet(exit::FAILED)),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let listed: Vec<Listed> = SCENARIOS
        .iter()
        .map(|it| Listed {
            name: it.name,
            summary: it.summary,
        })
        .collect();
    if context.json() {
        return print_json(&listed);
    }
    let mut table = Table::new(&["SCENARIO", "PLAYS"]);
    for it in listed {
        table.row([it.name.to_owned(), it.summary.to_owned()]);
    }
    print(&table.text())
}
