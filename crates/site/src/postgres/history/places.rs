//! Up to which points the lives of a server's data are collected.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};
use crate::collected::{HistoryBatch, Place, Point};
use crate::columns::{signed, unsigned};
use crate::history::follow;

/// The places of a server's history, the one to continue from first.
pub(in crate::postgres) fn of(db: &Db, server: &str) -> Result<Vec<Place>> {
    let sql = "SELECT p.incarnation, p.event, p.cursor FROM history_places p \
               JOIN history_sources s ON s.number = p.source WHERE s.server = $1 \
               ORDER BY p.place DESC";
    db.all(sql, &params![server], |row| {
        Ok(Place {
            point: Point {
                incarnation: row.get(0)?,
                event: unsigned(row.get(1)?),
            },
            cursor: row.get(2)?,
        })
    })
}

/// Puts those places and the batch's in the place of all that were there.
pub(super) fn write(db: &Db, source: i64, before: &[Place], batch: &HistoryBatch) -> Result<()> {
    let row = |(number, place): (i64, &Place)| {
        let Point { incarnation, event } = place.point;
        params![source, number, incarnation, signed(event), place.cursor].to_vec()
    };
    let places = follow(before, batch);
    let rows: Vec<Vec<Param>> = (0..).zip(&places).map(row).collect();
    db.run(
        "DELETE FROM history_places WHERE source = $1",
        &params![source],
    )?;
    let sql = "INSERT INTO history_places (source, place, incarnation, event, cursor) \
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
               $5::text[])";
    db.run(sql, Arrays::of(&rows).params()).map(drop)
}
