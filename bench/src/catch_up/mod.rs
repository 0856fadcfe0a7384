//! A server that was cut off from its site for a month is caught up with while it serves, and server,
//! manager and database are killed again and again: how long does it take, and is each session there once?

mod backlog;
mod compare;
mod kills;
mod parts;
mod serving;

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use usher_bench::engine::{self, Plan};

use crate::beside::computer;
use crate::beside::private::Folder;
use crate::beside::table::grouped;
use crate::disk::room_left;
use crate::setting::Setting;

use self::backlog::{Backlog, ITEMS};
use self::compare::differences;
use self::kills::Kills;
use self::parts::Parts;
use self::serving::{Served, Serving};

/// The aim, for a month.
const GOAL: Duration = Duration::from_secs(20 * 60);
/// What server and site together may take of the disk for a session, with room to spare.
const ROOM_BYTES: u64 = 600;
/// Agents that report at once.
const CONNECTIONS: usize = 16;
/// Between two looks at what is collected.
const LOOK: Duration = Duration::from_millis(250);
/// Between two lines about it.
const TELL: Duration = Duration::from_secs(10);
/// Without anything new for so long, it never ends.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Days that the server was cut off, 1 to 60
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    days: u32,
    /// Sessions that ended in each second of them
    #[arg(long, default_value_t = 23.0)]
    rate: f64,
    /// How often each of server, manager and database is killed meanwhile, 0 to 200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=200))]
    kills: u32,
    /// Another number kills in another order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    setting: Setting,
}

/// How it went.
#[derive(Debug, Default)]
struct CaughtUp {
    took: Duration,
    kills: usize,
    server_kib: u64,
    manager_kib: u64,
}

/// Has a server record the days, has a manager collect them, and compares.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if !(arguments.rate > 0.0 && arguments.rate <= 1_000.0) {
        return Err("--rate is more than 0, and at most 1000".to_owned());
    }
    let seconds = f64::from(arguments.days) * 86_400.0;
    let exchanges = ((seconds * arguments.rate) as u64 / ITEMS).max(CONNECTIONS as u64);
    let folder = Folder::make(&arguments.setting.place.folder)?;
    room_left(
        folder.path(),
        (exchanges * ITEMS).saturating_mul(ROOM_BYTES),
    )?;
    let mut parts = Parts::start(&folder, &arguments.setting.usher)?;
    let backlog = backlog(&parts, arguments)?;
    let sessions = record(&backlog, exchanges)?;
    let serving = Serving::start(parts.address, &parts.token);
    let caught_up = catch_up(&mut parts, arguments, sessions)?;
    let served = serving.end()?;
    let differs = differences(&parts, &backlog, sessions)?;
    let facts = computer::facts(folder.path());
    let text = table(&facts, arguments, sessions, &caught_up, &served);
    match differs.is_empty() {
        true => arguments.setting.tell("catch-up", &text),
        false => Err(differs.join("\n")),
    }
}

/// What ended in the days before now.
fn backlog(parts: &Parts, arguments: &Arguments) -> Result<Backlog, String> {
    let away = SignedDuration::from_hours(i64::from(arguments.days) * 24);
    let since = Timestamp::now()
        .checked_sub(away)
        .map_err(|error| error.to_string())?;
    Ok(Backlog::new(
        parts.address,
        &parts.token,
        since,
        arguments.rate,
    ))
}

/// Has agents report it; how many sessions.
fn record(backlog: &Backlog, exchanges: u64) -> Result<u64, String> {
    let plan = Plan {
        connections: CONNECTIONS,
        threads: 1,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(3_600),
        requests_limit: exchanges,
        rate: None,
        server_pid: None,
    };
    eprintln!(
        "the server records {} sessions",
        grouped((exchanges * ITEMS) as f64)
    );
    let began = Instant::now();
    let tally = engine::run(backlog, &plan)?;
    let sessions = backlog.taken();
    if tally.failed() > 0 || sessions != exchanges * ITEMS {
        return Err(format!(
            "of {exchanges} exchanges {} were answered as hoped",
            sessions / ITEMS
        ));
    }
    let per_second = sessions as f64 / began.elapsed().as_secs_f64();
    eprintln!("recorded at {} a second", grouped(per_second));
    Ok(sessions)
}

/// Waits until all is collected, and kills meanwhile.
fn catch_up(parts: &mut Parts, arguments: &Arguments, sessions: u64) -> Result<CaughtUp, String> {
    let mut kills = Kills::new(arguments.kills as usize, arguments.seed);
    let mut so_far = CaughtUp::default();
    let began = Instant::now();
    parts.collect()?;
    let (mut most, mut moved, mut told) = (0, Instant::now(), Instant::now());
    loop {
        sleep(LOOK);
        // Sessions are what most events are, and each event is collected once.
        let collected = parts.number("SELECT coalesce(max(event), 0) FROM history_places")?;
        let collected = u64::try_from(collected).unwrap_or(0);
        if collected > most {
            (most, moved) = (collected, Instant::now());
        }
        let (server, manager) = parts.resident_kib();
        so_far.server_kib = so_far.server_kib.max(server);
        so_far.manager_kib = so_far.manager_kib.max(manager);
        if told.elapsed() >= TELL {
            told = Instant::now();
            eprintln!(
                "collected up to event {}, after {} s and {} kills",
                grouped(collected as f64),
                began.elapsed().as_secs(),
                kills.done()
            );
        }
        // All of them before the end, even if the last rows came at once.
        if let Some(victim) = kills.due(collected as f64 / sessions as f64) {
            parts.kill(victim)?;
            continue;
        }
        if collected >= sessions && has_all(parts, sessions)? {
            so_far.took = began.elapsed();
            so_far.kills = kills.done();
            return Ok(so_far);
        }
        if moved.elapsed() > PATIENCE {
            return Err(format!(
                "nothing was collected for {} s, behind event {most}",
                PATIENCE.as_secs()
            ));
        }
    }
}

/// Whether as many sessions are there as were recorded. Counting takes a while, so it is asked late.
fn has_all(parts: &Parts, sessions: u64) -> Result<bool, String> {
    let count = parts.number("SELECT count(*) FROM history_session_keys")?;
    Ok(u64::try_from(count).unwrap_or(0) >= sessions)
}

fn table(
    facts: &str,
    arguments: &Arguments,
    sessions: u64,
    caught_up: &CaughtUp,
    served: &Served,
) -> String {
    let took = caught_up.took.as_secs_f64();
    let a_month = GOAL.as_secs_f64() * f64::from(arguments.days) / 30.0;
    let mut answers = served.took.clone();
    answers.sort_unstable();
    let p99 = answers
        .get(answers.len().saturating_mul(99) / 100)
        .map_or(f64::NAN, |took| took.as_secs_f64() * 1e3);
    format!(
        "{facts} PostgreSQL and all else on the same cores. {} days of {} sessions a second, seed {}.\n\n\
         | | |\n|---|--:|\n\
         | sessions that the server had recorded | {} |\n\
         | caught up after | {:.1} min |\n\
         | aim for so many days | {:.1} min |\n\
         | sessions a second, kills and starts included | {} |\n\
         | kills of server, manager and database together | {} |\n\
         | lost, or there twice | 0 |\n\
         | seats taken and given back meanwhile; p99 of the checkout | {}; {:.0} ms |\n\
         | of them not answered, as while the server was started again | {} |\n\
         | memory of the server, the most seen | {} MiB |\n\
         | memory of the manager | {} MiB |\n",
        arguments.days,
        arguments.rate,
        arguments.seed,
        grouped(sessions as f64),
        took / 60.0,
        a_month / 60.0,
        grouped(sessions as f64 / took),
        caught_up.kills,
        grouped(served.took.len() as f64),
        p99,
        served.failed,
        caught_up.server_kib >> 10,
        caught_up.manager_kib >> 10,
    )
}
