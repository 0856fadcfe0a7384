//! The collected history in the embedded engine. A batch is appended completely or not at all, and
//! an item that arrives twice is stored once.

mod items;
mod marks;
mod names;
mod past;
mod places;

use rusqlite::{Connection, Result, params};

use crate::collected::{Appended, HistoryBatch};
use crate::columns::signed;
use crate::retention;
use crate::usage::RollUp;

pub(crate) use names::{ELSEWHERE, Names};
pub(crate) use past::{page as past_page, sources};
pub(crate) use places::{follow, of as places_of, up_to};

/// Appends a batch if it continues the collected history.
pub(crate) fn append(connection: &Connection, batch: &HistoryBatch) -> Result<Appended> {
    let mut known = places::of(connection, &batch.server)?;
    known.reverse();
    let Some(before) = places::up_to(&known, batch.asked) else {
        return Ok(Appended {
            is_stale: true,
            ..Appended::default()
        });
    };
    let source = source(connection, batch)?;
    let mut done = Appended::default();
    let is_put_back = before.len() < known.len() || batch.from != batch.asked;
    if is_put_back {
        done.gone = marks::put_back(
            connection,
            source,
            batch.from,
            &known[before.len()..],
            batch.at_ms,
        )?;
    }
    places::write(connection, source, before, batch)?;
    let mut names = Names::enter(connection, batch)?;
    let mut roll_up = RollUp::new(connection);
    let since = retention::since(connection)?;
    for item in &batch.items {
        if since.is_before(&item.what) {
            done.past += 1;
            continue;
        }
        match items::append(connection, source, item, &mut names)? {
            true => {
                done.added += 1;
                roll_up.add_ended(names.product(&item.product)?, item)?;
            }
            false => done.already += 1,
        }
    }
    roll_up.write()?;
    Ok(done)
}

/// The number of a server; it is assigned with the first batch.
fn source(connection: &Connection, batch: &HistoryBatch) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO history_sources (server, head_event, collected_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (server) DO UPDATE SET head_event = ?2, collected_ms = ?3 \
             RETURNING number",
        )?
        .query_row(
            params![batch.server, signed(batch.head_event), batch.at_ms],
            |row| row.get(0),
        )
}
