//! Usher beside its peers: in one go, on one machine, by one load generator.
//!
//! Rounds alternate: in each, every contender is measured once, and what a contender shows is held
//! against the no-op server of the same round. Medians over rounds are reported.

pub(crate) mod computer;
pub(crate) mod noop;
pub(crate) mod postgres;
pub(crate) mod private;
mod redis;
pub(crate) mod table;
mod usher;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::setting::Setting;
use clap::Args;
use usher_bench::engine::Plan;
use usher_bench::load::LoadReport;

use private::Folder;
use table::Row;

/// Products, pools or keys in a run without a hot one.
const MANY: usize = 100;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds; medians are reported
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each contender is measured in a round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections; each number is a table of its own
    #[arg(long, value_delimiter = ',', default_value = "64,256")]
    connections: Vec<usize>,
    /// One short round: to see that it works, not to quote
    #[arg(long)]
    quick: bool,
    /// Leave contenders out: usher, redis, postgresql
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    #[command(flatten)]
    setting: Setting,
}

/// A server with something that can be asked of it.
trait Contender {
    /// What it is, in the table.
    fn name(&self) -> &str;
    /// Measures it once.
    fn measure(&mut self, plan: &Plan) -> Result<LoadReport, String>;
}

/// Runs all rounds, prints the tables and writes them down.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot take over signal {signal}: {error}"))?;
    }
    let folder = Folder::make(&arguments.setting.place.folder)?;
    let mut contenders = start(arguments, &folder)?;
    let (rounds, seconds) = if arguments.quick {
        (1, 0.5)
    } else {
        (arguments.rounds.clamp(1, 100), arguments.seconds)
    };
    let duration = Duration::try_from_secs_f64(seconds.clamp(0.1, 60.0))
        .map_err(|_| format!("`{seconds}` is no number of seconds"))?;

    let mut tables = Vec::new();
    for &connections in &arguments.connections {
        let plan = Plan {
            connections: connections.clamp(1, usher_bench::load::CONNECTIONS_LIMIT),
            threads: 1,
            warm_up: Duration::from_millis(500),
            duration,
            requests_limit: usher_bench::load::REQUESTS_LIMIT,
            rate: None,
            server_pid: None,
        };
        let rows = measure(&mut contenders, &plan, rounds, &stop)?;
        tables.push(table::markdown(connections, &rows));
    }
    drop(contenders);

    let facts = computer::facts(folder.path());
    let body = table::document(&facts, rounds, duration, &tables);
    arguments.setting.tell("side-by-side", &body)
}

fn start(arguments: &Arguments, folder: &Folder) -> Result<Vec<Box<dyn Contender>>, String> {
    let with = |name: &str| !arguments.without.iter().any(|without| without == name);
    let mut contenders = noop::start(folder)?;
    if with("usher") {
        contenders.extend(usher::start(folder, &arguments.setting.usher)?);
    }
    if with("redis") {
        contenders.extend(redis::start(folder)?);
    }
    if with("postgresql") {
        contenders.extend(postgres::start(folder)?);
    }
    Ok(contenders)
}

fn measure(
    contenders: &mut [Box<dyn Contender>],
    plan: &Plan,
    rounds: usize,
    stop: &AtomicBool,
) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = contenders.iter().map(|one| Row::new(one.name())).collect();
    for round in 0..rounds {
        // The first of one round is not the first of the next: none has the warmest machine.
        for step in 0..contenders.len() {
            if stop.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
            let index = (step + round) % contenders.len();
            let contender = &mut contenders[index];
            let report = contender
                .measure(plan)
                .map_err(|why| format!("{}: {why}", contender.name()))?;
            eprintln!(
                "round {} of {rounds}, {} connections: {:40} {:>8.0} requests/s",
                round + 1,
                plan.connections,
                contender.name(),
                report.requests_per_second,
            );
            if !report.errors.is_empty() || report.unsettled > 0 {
                return Err(format!(
                    "{} did not answer as hoped:\n{report}",
                    contender.name()
                ));
            }
            rows[index].reports.push(report);
        }
    }
    Ok(rows)
}
