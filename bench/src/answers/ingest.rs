//! How fast a site database takes in the history of its servers, roll-ups included.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use usher_core::usage::made_up::MadeUp;

use super::fill::{BATCH, Filled, Filling};
use super::goals::{Figure, Goal, Unit, held, table};
use super::pages::{Tells, pages};
use super::past::{PastArguments, in_order_of_ends};
use super::{archiving, bare, memory};
use crate::beside::private::Folder;
use crate::beside::table::grouped;
use crate::beside::{computer, postgres};
use crate::disk::room_left;
use crate::setting::Place;

/// Into SQLite on two cores, roll-ups included.
const GOAL: f64 = 120_000.0;
/// The same into PostgreSQL, which has its server on these cores, too.
const GOAL_POSTGRES: f64 = 60_000.0;
/// What the sites and the bare table together may take of the disk for a session, with room to spare.
const ROOM_BYTES: u64 = 1_500;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    past: PastArguments,
    /// Items in a transaction: a manager gathers 20000 of a server that has much to tell, 1 to 100000
    #[arg(long, default_value_t = BATCH, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// Databases to fill
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "sqlite,postgresql"
    )]
    into: Vec<Database>,
    /// Each session held a seat, so each comes with its lease
    #[arg(long)]
    leases: bool,
    /// Keep the site in this empty folder, for `reports --site`
    #[arg(long)]
    keep: Option<PathBuf>,
    /// End with 1 if the goal is not reached
    #[arg(long)]
    hold: bool,
    #[command(flatten)]
    place: Place,
}

/// A database that is filled.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Database {
    Sqlite,
    Postgresql,
}

impl Arguments {
    fn tells(&self) -> Tells {
        match self.leases {
            true => Tells::SessionsAndLeases,
            false => Tells::Sessions,
        }
    }

    /// Appends all that is made up.
    fn fill(&self, filling: &Filling, made_up: &MadeUp) -> Result<Filled, String> {
        let sessions = in_order_of_ends(made_up);
        filling.fill(pages(sessions, self.tells(), self.batch), made_up.sessions)
    }
}

/// Inserts the rows into a bare table, then into sites, and tells all.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.place.folder)?;
    let made_up = arguments.past.made_up();
    room_left(folder.path(), made_up.sessions.saturating_mul(ROOM_BYTES))?;
    let mut figures = Vec::new();
    if arguments.into.contains(&Database::Sqlite) {
        figures.extend(sqlite(arguments, &folder, &made_up)?);
    }
    if arguments.into.contains(&Database::Postgresql) {
        figures.extend(on_postgres(arguments, &folder, &made_up)?);
    }
    let facts = computer::facts(folder.path());
    let table = format!(
        "{facts} {} sessions of 90 days, 200 products and 10,000 people{}, {} items a transaction.\n\n{}",
        grouped(made_up.sessions as f64),
        if arguments.leases {
            ", each with its lease"
        } else {
            ""
        },
        grouped(f64::from(arguments.batch)),
        table(&figures),
    );
    arguments.place.tell("ingest", &table)?;
    held(arguments.hold, &figures)
}

/// Into the embedded engine, and the control.
fn sqlite(arguments: &Arguments, folder: &Folder, made_up: &MadeUp) -> Result<Vec<Figure>, String> {
    let bare = bare::insert(folder.path(), *made_up, arguments.batch)?;
    let data = match &arguments.keep {
        Some(data) => made(data)?,
        None => folder.inside("site", None)?,
    };
    let filling = Filling::open(&data)?;
    memory::count_again();
    let filled = arguments.fill(&filling, made_up)?;
    let memory_bytes = memory::most_bytes()?;
    // The write-ahead log goes into the file.
    drop(filling);
    let rate = Unit::SessionsPerSecond;
    let (none, per_second) = (Goal::None, filled.per_second());
    let bare_per_second = filled.uses as f64 / bare.as_secs_f64();
    let bytes = site_bytes(&data)?;
    // What is kept stays in the tables.
    let archived = match &arguments.keep {
        Some(_) => Vec::new(),
        None => archiving::figures(&data, &folder.path().join("archive"), filled.uses)?,
    };
    let mut figures = vec![
        Figure::new(
            "into the site's SQLite, roll-ups included",
            Goal::AtLeast(GOAL),
            per_second,
            rate,
        ),
        waited(
            "of that time SQLite waited for batches to be made up",
            &filled,
        ),
        Figure::new(
            "control: the same rows into a bare table",
            none,
            bare_per_second,
            rate,
        ),
        Figure::new(
            "the site's speed by the control's",
            none,
            per_second / bare_per_second,
            Unit::Ratio,
        ),
        Figure::new(
            "a session in SQLite",
            none,
            bytes as f64 / filled.uses as f64,
            Unit::Bytes,
        ),
        Figure::new(
            "memory, the maker of batches included",
            none,
            memory_bytes as f64,
            Unit::Mib,
        ),
    ];
    figures.extend(archived);
    Ok(figures)
}

/// Into the engine on PostgreSQL: a private one with its own settings.
fn on_postgres(
    arguments: &Arguments,
    folder: &Folder,
    made_up: &MadeUp,
) -> Result<Vec<Figure>, String> {
    let what = "into the site on PostgreSQL, roll-ups included";
    let (goal, rate) = (Goal::AtLeast(GOAL_POSTGRES), Unit::SessionsPerSecond);
    let (server, address) = match postgres::serve(folder, &[]) {
        Ok(served) => served,
        Err(why) => return Ok(vec![Figure::missing(what, goal, &why, rate)]),
    };
    let filling = Filling::on_postgres(&format!("postgres://postgres@{address}/postgres"))?;
    let filled = arguments.fill(&filling, made_up)?;
    drop(filling);
    let bytes = postgres::number(address, "SELECT pg_database_size(current_database())")?;
    drop(server);
    Ok(vec![
        Figure::new(what, goal, filled.per_second(), rate),
        waited(
            "of that time PostgreSQL waited for batches to be made up",
            &filled,
        ),
        Figure::new(
            "a session in PostgreSQL",
            Goal::None,
            bytes as f64 / filled.uses as f64,
            Unit::Bytes,
        ),
    ])
}

/// How much of the time the maker of batches took, and not the site.
fn waited(what: &str, filled: &Filled) -> Figure {
    let share = filled.waited.as_secs_f64() / filled.took.as_secs_f64();
    Figure::new(what, Goal::None, share, Unit::Ratio)
}

/// A folder that is there now.
fn made(folder: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder.to_owned())
}

/// How large the file of a site database is that is closed.
pub(super) fn site_bytes(data: &Path) -> Result<u64, String> {
    let path = data.join("site.db");
    let file = fs::metadata(&path)
        .map_err(|error| format!("cannot look at {}: {error}", path.display()))?;
    Ok(file.len())
}
