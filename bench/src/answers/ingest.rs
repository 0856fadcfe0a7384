//! How fast a site database takes in the history of its servers, roll-ups included.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::fill::{Filled, Filling};
use super::goals::{Figure, Goal, Unit, held, table};
use super::pages::{Tells, pages};
use super::past::{PastArguments, in_order_of_ends};
use super::{bare, memory};
use crate::beside::computer;
use crate::beside::private::Folder;
use crate::beside::table::grouped;
use crate::disk::room_left;
use crate::setting::Place;

/// On two cores, roll-ups included.
const GOAL: f64 = 120_000.0;
/// What the site and the bare table together may take of the disk for a session, with room to spare.
const ROOM_BYTES: u64 = 1_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    past: PastArguments,
    /// Items on a page, each page a transaction: a manager asks servers for 1000, 1 to 100000
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    page: u32,
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

/// Inserts the rows into a bare table, then into a site, and tells both.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.place.folder)?;
    let made_up = arguments.past.made_up();
    room_left(folder.path(), made_up.sessions.saturating_mul(ROOM_BYTES))?;
    let bare = bare::insert(folder.path(), made_up, arguments.page)?;

    let data = match &arguments.keep {
        Some(data) => made(data)?,
        None => folder.inside("site", None)?,
    };
    let tells = match arguments.leases {
        true => Tells::SessionsAndLeases,
        false => Tells::Sessions,
    };
    let filling = Filling::open(&data)?;
    memory::count_again();
    let sessions = in_order_of_ends(&made_up);
    let filled = filling.fill(pages(sessions, tells, arguments.page), made_up.sessions)?;
    let memory_bytes = memory::most_bytes()?;
    // The write-ahead log goes into the file.
    drop(filling);
    let bare_per_second = filled.uses as f64 / bare.as_secs_f64();
    let figures = figures(&filled, bare_per_second, memory_bytes, site_bytes(&data)?);
    let facts = computer::facts(folder.path());
    let table = format!(
        "{facts} {} sessions of 90 days, 200 products and 10,000 people{}, {} items a page. The site \
         waited {:.1} s of {:.1} s for pages to be made up.\n\n{}",
        grouped(made_up.sessions as f64),
        if arguments.leases {
            ", each with its lease"
        } else {
            ""
        },
        arguments.page,
        filled.waited.as_secs_f64(),
        filled.took.as_secs_f64(),
        table(&figures),
    );
    arguments.place.tell("ingest", &table)?;
    held(arguments.hold, &figures)
}

fn figures(
    filled: &Filled,
    bare_per_second: f64,
    memory_bytes: u64,
    site_bytes: u64,
) -> [Figure; 5] {
    let rate = Unit::SessionsPerSecond;
    let (none, per_second) = (Goal::None, filled.per_second());
    let a_session = site_bytes as f64 / filled.uses as f64;
    [
        Figure::new(
            "into the site's SQLite, roll-ups included",
            Goal::AtLeast(GOAL),
            per_second,
            rate,
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
        Figure::new("a session in SQLite", none, a_session, Unit::Bytes),
        Figure::new(
            "memory, the maker of pages included",
            none,
            memory_bytes as f64,
            Unit::Mib,
        ),
    ]
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
