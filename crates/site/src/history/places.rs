//! Up to which points the lives of a server's data are collected.

use rusqlite::{Connection, Result, params};

use crate::collected::{HistoryBatch, Place, Point};
use crate::columns::{signed, unsigned};

/// How many lives of a server's data are remembered; restores are rare.
const PLACES_LIMIT: usize = 64;

/// The places of a server's history, the one to continue from first.
pub(crate) fn of(connection: &Connection, server: &str) -> Result<Vec<Place>> {
    let mut statement = connection.prepare_cached(
        "SELECT p.incarnation, p.event, p.cursor FROM history_places p \
         JOIN history_sources s ON s.number = p.source WHERE s.server = ?1 ORDER BY p.place DESC",
    )?;
    let rows = statement.query_map([server], |row| {
        Ok(Place {
            point: Point {
                incarnation: row.get(0)?,
                event: unsigned(row.get(1)?),
            },
            cursor: row.get(2)?,
        })
    })?;
    rows.collect()
}

/// Of the places in their order those up to the one after which was asked; none: there is no such
/// place.
pub(crate) fn up_to(known: &[Place], asked: Option<Point>) -> Option<&[Place]> {
    let Some(asked) = asked else {
        return Some(&[]);
    };
    let last = known.iter().rposition(|place| place.point == asked)?;
    Some(&known[..=last])
}

/// Puts those places and the batch's in the place of all that were there.
pub(super) fn write(
    connection: &Connection,
    source: i64,
    before: &[Place],
    batch: &HistoryBatch,
) -> Result<()> {
    let places = follow(before, batch);
    connection
        .prepare_cached("DELETE FROM history_places WHERE source = ?1")?
        .execute([source])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO history_places (source, place, incarnation, event, cursor) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (number, place) in (0_i64..).zip(&places) {
        let Point { incarnation, event } = place.point;
        insert.execute(params![
            source,
            number,
            incarnation,
            signed(event),
            place.cursor
        ])?;
    }
    Ok(())
}

/// Those places and the batch's: what a server's history goes on from.
pub(crate) fn follow(before: &[Place], batch: &HistoryBatch) -> Vec<Place> {
    let mut places = before.to_vec();
    if let (Some(last), Some(from)) = (places.last_mut(), batch.from) {
        // What the server has put back is not there to go on from.
        last.point = from;
    }
    if places
        .last()
        .is_some_and(|last| last.point.incarnation == batch.through.incarnation)
    {
        places.pop();
    }
    places.push(Place {
        point: batch.through,
        cursor: batch.cursor.clone(),
    });
    places.split_off(places.len().saturating_sub(PLACES_LIMIT))
}
