//! How long a site of 10 million sessions takes for its reports: from roll-ups, and from rows beside
//! DuckDB.

use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags};
use usher_core::usage::made_up::MadeUp;

use super::duckdb::{DuckDb, VERSION, peaks_of};
use super::fill::{BATCH, Filling};
use super::goals::{Figure, Goal, Unit, held, table};
use super::ingest::{Database, site_bytes};
use super::pages::{Tells, pages};
use super::past::{PastArguments, in_order_of_ends};
use super::peaks::Peaks;
use super::questions;
use crate::beside::private::{Folder, bound_to_us};
use crate::beside::table::grouped;
use crate::beside::{computer, postgres};
use crate::disk::room_left;
use crate::setting::Place;

/// Of DuckDB's time for the same peaks.
const GOAL_TIME: f64 = 0.5;
/// Of its memory.
const GOAL_MEMORY: f64 = 0.3;
/// What the site, the rows as text and DuckDB's store may take of the disk for a session.
const ROOM_BYTES: u64 = 800;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    past: PastArguments,
    /// Ask the site in this folder, which `ingest --keep` has filled with the same sessions
    #[arg(long)]
    site: Option<PathBuf>,
    /// The database that is filled and asked. Peaks from rows, beside DuckDB, are found in SQLite alone
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    /// How often each is asked: the median of questions counts, and the fastest of peaks
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Hours, days, weeks and months are of this zone
    #[arg(long, default_value = "Europe/Berlin")]
    time_zone: String,
    /// The Python with which DuckDB is installed for the time of the run
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// End with 1 if a goal is not reached, or was not measured
    #[arg(long)]
    hold: bool,
    #[command(flatten)]
    place: Place,
}

/// Fills a site if none is named, asks it, and finds the peaks of all products twice.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let zone = TimeZone::get(&arguments.time_zone)
        .map_err(|error| format!("--time-zone {}: {error}", arguments.time_zone))?;
    let folder = Folder::make(&arguments.place.folder)?;
    let made_up = arguments.past.made_up();
    if arguments.database == Database::Postgresql {
        return on_postgres(arguments, &folder, &made_up, &zone);
    }
    room_left(folder.path(), made_up.sessions.saturating_mul(ROOM_BYTES))?;
    let data = match &arguments.site {
        Some(data) => filled_before(data, &made_up)?,
        None => filled_now(&folder, &made_up)?,
    };
    let filling = Filling::open(&data)?;
    let mut figures = questions::figures(&filling, &made_up, &zone, arguments.rounds as usize)?;
    // The write-ahead log goes into the file.
    drop(filling);

    let threads = cores();
    eprintln!("asked: the peak of every product from rows");
    let ours = our_peaks(&data, threads, arguments.rounds)?;
    eprintln!("asked: the same of DuckDB");
    let peer = peer(arguments, &folder, &made_up, threads);
    if let Ok((theirs, _)) = &peer {
        are_same(&ours, theirs)?;
    }
    figures.extend(beside(&ours, peer, &made_up));
    let a_session = site_bytes(&data)? as f64 / made_up.sessions as f64;
    figures.push(Figure::new(
        "a session in SQLite",
        Goal::None,
        a_session,
        Unit::Bytes,
    ));
    let text = text(arguments, &folder, &made_up, &figures);
    arguments.place.tell("reports", &text)?;
    held(arguments.hold, &figures)
}

/// Fills a private PostgreSQL with its own settings, and asks it.
fn on_postgres(
    arguments: &Arguments,
    folder: &Folder,
    made_up: &MadeUp,
    zone: &TimeZone,
) -> Result<(), String> {
    if arguments.site.is_some() {
        return Err("--site names a folder with SQLite, and not PostgreSQL".to_owned());
    }
    room_left(folder.path(), made_up.sessions.saturating_mul(ROOM_BYTES))?;
    let (server, address) = postgres::serve(folder, &[])?;
    let filling = Filling::on_postgres(&format!("postgres://postgres@{address}/postgres"))?;
    let sessions = in_order_of_ends(made_up);
    filling.fill(pages(sessions, Tells::Sessions, BATCH), made_up.sessions)?;
    let figures = questions::figures(&filling, made_up, zone, arguments.rounds as usize)?;
    drop(filling);
    drop(server);
    let text = text(arguments, folder, made_up, &figures);
    arguments.place.tell("reports-postgresql", &text)?;
    held(arguments.hold, &figures)
}

fn text(arguments: &Arguments, folder: &Folder, made_up: &MadeUp, figures: &[Figure]) -> String {
    format!(
        "{} {} sessions of 90 days, {} products and 10,000 people; days of {}. Medians of {} for \
         questions, the fastest of as many for peaks.\n\n{}",
        computer::facts(folder.path()),
        grouped(made_up.sessions as f64),
        made_up.products,
        arguments.time_zone,
        arguments.rounds,
        table(figures),
    )
}

fn cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(1).min(64)
}

fn filled_now(folder: &Folder, made_up: &MadeUp) -> Result<PathBuf, String> {
    let data = folder.inside("site", None)?;
    let filling = Filling::open(&data)?;
    let sessions = in_order_of_ends(made_up);
    filling.fill(pages(sessions, Tells::Sessions, BATCH), made_up.sessions)?;
    Ok(data)
}

/// The folder, if the site in it has as many sessions.
fn filled_before(data: &Path, made_up: &MadeUp) -> Result<PathBuf, String> {
    let count = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let file = Connection::open_with_flags(data.join("site.db"), flags)?;
        let sql = "SELECT count(*) FROM history_sessions";
        file.query_row(sql, [], |row| row.get::<_, i64>(0))
    };
    let count = count().map_err(|error| format!("cannot read {}: {error}", data.display()))?;
    match count.unsigned_abs() == made_up.sessions {
        true => Ok(data.to_owned()),
        false => Err(format!(
            "the site in {} has {count} sessions instead of {}: name another, or give its --sessions",
            data.display(),
            made_up.sessions
        )),
    }
}

fn our_peaks(data: &Path, threads: u32, rounds: u32) -> Result<Peaks, String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("cannot find this program itself: {error}"))?;
    let mut command = bound_to_us(&program);
    command.args(["peaks", "--site"]).arg(data).args([
        "--threads",
        &threads.to_string(),
        "--rounds",
        &rounds.to_string(),
    ]);
    peaks_of(&mut command)
}

/// What DuckDB finds, and the size of its store; or why it was not asked.
fn peer(
    arguments: &Arguments,
    folder: &Folder,
    made_up: &MadeUp,
    threads: u32,
) -> Result<(Peaks, u64), String> {
    let duckdb = DuckDb::install(folder.path(), &arguments.python)?;
    let store_bytes = duckdb.load(made_up)?;
    Ok((duckdb.peaks(threads, arguments.rounds)?, store_bytes))
}

/// Who finds something else was asked something else, and is no peer.
fn are_same(ours: &Peaks, theirs: &Peaks) -> Result<(), String> {
    let products = ours.peaks.keys().chain(theirs.peaks.keys());
    let of = |peaks: &Peaks, product: u32| peaks.peaks.get(&product).copied().unwrap_or(0);
    for product in products {
        let (one, other) = (of(ours, *product), of(theirs, *product));
        if one != other {
            return Err(format!(
                "of product {product} DuckDB finds a peak of {other}, and Usher one of {one}"
            ));
        }
    }
    Ok(())
}

/// The peaks' figures: ours, DuckDB's, and one by the other.
fn beside(ours: &Peaks, peer: Result<(Peaks, u64), String>, made_up: &MadeUp) -> Vec<Figure> {
    let (time, memory) = (Goal::AtMost(GOAL_TIME), Goal::AtMost(GOAL_MEMORY));
    let by_time = format!("the time by that of DuckDB {VERSION}");
    let by_memory = format!("the memory by that of DuckDB {VERSION}");
    let mut figures = vec![
        Figure::new(
            "the peak of every product from rows",
            Goal::None,
            ours.seconds,
            Unit::Seconds,
        ),
        Figure::new(
            "memory of that",
            Goal::None,
            ours.memory_bytes as f64,
            Unit::Mib,
        ),
    ];
    match peer {
        Ok((theirs, store_bytes)) => {
            let memory_bytes = theirs.memory_bytes as f64;
            let a_session = store_bytes as f64 / made_up.sessions as f64;
            let seconds = theirs.seconds;
            figures.extend([
                Figure::new("the same by DuckDB", Goal::None, seconds, Unit::Seconds),
                Figure::new("memory of DuckDB", Goal::None, memory_bytes, Unit::Mib),
                Figure::new(by_time, time, ours.seconds / seconds, Unit::Ratio),
                Figure::new(
                    by_memory,
                    memory,
                    ours.memory_bytes as f64 / memory_bytes,
                    Unit::Ratio,
                ),
                Figure::new("a session in DuckDB", Goal::None, a_session, Unit::Bytes),
            ]);
        }
        Err(why) => figures.extend([
            Figure::missing(by_time, time, &why, Unit::Ratio),
            Figure::missing(by_memory, memory, "as above", Unit::Ratio),
        ]),
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peaks: &[(u32, u64)]) -> Peaks {
        Peaks {
            seconds: 1.0,
            memory_bytes: 1,
            peaks: peaks.iter().copied().collect(),
        }
    }

    #[test]
    fn a_peer_that_finds_other_peaks_is_none() {
        let ours = found(&[(0, 7), (1, 2)]);
        assert_eq!(are_same(&ours, &found(&[(0, 7), (1, 2), (5, 0)])), Ok(()));
        for theirs in [&[(0, 7)][..], &[(0, 7), (1, 2), (5, 1)], &[(0, 6), (1, 2)]] {
            assert!(are_same(&ours, &found(theirs)).is_err(), "{theirs:?}");
        }
    }
}
