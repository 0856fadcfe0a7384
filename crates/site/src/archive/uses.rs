//! The uses in a file of the archive.

use usher_parquet::{Reader, Source, Values};

use super::table::Moving;
use crate::collected::UNCLAIMED;
use crate::columns::unsigned;

/// A session, or a lease that was a use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArchivedUse {
    pub(crate) is_lease: bool,
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
    pub(crate) person: Option<u64>,
    pub(crate) computer: Option<u64>,
    pub(crate) seats: u32,
    pub(crate) unseated_ms: i64,
    pub(crate) has_lease: bool,
    /// It is a session, or no session held it.
    pub(crate) is_session: bool,
}

const OF_BOTH: [&str; 5] = ["product_number", "began", "ended", "person", "computer"];
const OF_SESSIONS: [&str; 2] = ["unseated_ms", "lease_made_in"];
const OF_LEASES: [&str; 4] = ["seats", "is_session", "kept", "cause"];

/// Adds the uses of a product in a group.
///
/// # Errors
/// Why the group cannot be read.
pub(super) fn read<R: Source>(
    reader: &Reader<R>,
    what: Moving,
    (group, product): (usize, i64),
    found: &mut Vec<ArchivedUse>,
) -> Result<(), String> {
    let more: &[&str] = match what {
        Moving::Sessions => &OF_SESSIONS,
        Moving::Leases => &OF_LEASES,
    };
    let places = OF_BOTH.iter().chain(more).map(|name| {
        let place = reader.place(name);
        place.ok_or_else(|| format!("it has no column {name}"))
    });
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    let cells = reader.read(group, &places);
    let cells = Cells(cells.map_err(|error| error.to_string())?);
    for row in 0..cells.0.first().map_or(0, Values::len) {
        if cells.whole(0, row) != Some(product) {
            continue;
        }
        let (Some(from_ms), Some(until_ms)) = (cells.whole(1, row), cells.whole(2, row)) else {
            return Err("a row of it has no beginning or no end".to_owned());
        };
        let of_both = ArchivedUse {
            is_lease: what == Moving::Leases,
            from_ms,
            until_ms,
            person: cells.whole(3, row).map(unsigned),
            computer: cells.whole(4, row).map(unsigned),
            seats: 1,
            unseated_ms: 0,
            has_lease: true,
            is_session: true,
        };
        match what {
            Moving::Sessions => found.push(ArchivedUse {
                unseated_ms: cells.whole(5, row).unwrap_or(0),
                has_lease: cells.whole(6, row).is_some(),
                ..of_both
            }),
            // Nobody came for its seat.
            Moving::Leases if cells.flag(7, row) || cells.text(8, row) == Some(UNCLAIMED) => {}
            Moving::Leases => found.push(ArchivedUse {
                seats: cells.whole(5, row).map_or(1, seats),
                is_session: cells.flag(6, row),
                ..of_both
            }),
        }
    }
    Ok(())
}

fn seats(seats: i64) -> u32 {
    u32::try_from(seats).unwrap_or(u32::MAX)
}

/// Columns of a group.
struct Cells(Vec<Values>);

impl Cells {
    fn whole(&self, column: usize, row: usize) -> Option<i64> {
        match self.0.get(column)? {
            Values::Whole(all) => all.get(row).copied().flatten(),
            _ => None,
        }
    }

    fn flag(&self, column: usize, row: usize) -> bool {
        match self.0.get(column) {
            Some(Values::Flag(all)) => all.get(row).copied().flatten().unwrap_or(false),
            _ => false,
        }
    }

    fn text(&self, column: usize, row: usize) -> Option<&str> {
        match self.0.get(column)? {
            Values::Text(all) => all.get(row)?.as_deref(),
            _ => None,
        }
    }
}
