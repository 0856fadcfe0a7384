//! Deliveries on PostgreSQL: the messages that wait for each destination, and the destinations that
//! fail.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::columns::{signed, unsigned};
use crate::record::NewDelivery;
use crate::rows::{DeliveryRow, DestinationRow};

pub(super) fn list(db: &Db) -> Result<Vec<DeliveryRow>> {
    let sql = "SELECT id, record_id, rule, destination, message, since_ms, is_told \
               FROM deliveries ORDER BY id";
    db.all(sql, &[], |row| {
        Ok(DeliveryRow {
            id: row.get(0)?,
            record_id: row.get(1)?,
            rule: row.get(2)?,
            destination: row.get(3)?,
            message: row.get(4)?,
            since_ms: row.get(5)?,
            is_told: row.get(6)?,
        })
    })
}

/// Adds deliveries; answers their numbers, in their order.
pub(super) fn add(db: &Db, record_id: Option<i64>, deliveries: &[NewDelivery]) -> Result<Vec<i64>> {
    let sql = "INSERT INTO deliveries (record_id, rule, destination, message, since_ms, is_told) \
               VALUES ($1, $2, $3, $4, $5, false) RETURNING id";
    let add = |it: &NewDelivery| {
        let values = params![record_id, it.rule, it.destination, it.message, it.since_ms];
        db.one(sql, &values, |row| row.get(0))
    };
    deliveries.iter().map(add).collect()
}

pub(super) fn note_told(db: &Db, delivery: i64, is_told: bool) -> Result<()> {
    let sql = "UPDATE deliveries SET is_told = $2 WHERE id = $1";
    db.run(sql, &params![delivery, is_told]).map(drop)
}

pub(super) fn remove(db: &Db, delivery: i64) -> Result<()> {
    let sql = "DELETE FROM deliveries WHERE id = $1";
    db.run(sql, &params![delivery]).map(drop)
}

pub(super) fn destinations(db: &Db) -> Result<Vec<DestinationRow>> {
    let sql = "SELECT destination, since_ms, tries, why, given_up FROM destinations \
               ORDER BY destination";
    db.all(sql, &[], |row| {
        Ok(DestinationRow {
            destination: row.get(0)?,
            since_ms: row.get(1)?,
            tries: unsigned(row.get(2)?),
            why: row.get(3)?,
            given_up: unsigned(row.get(4)?),
        })
    })
}

pub(super) fn put_destination(db: &Db, it: &DestinationRow) -> Result<()> {
    db.run(
        "INSERT INTO destinations (destination, since_ms, tries, why, given_up) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (destination) DO UPDATE SET \
         since_ms = excluded.since_ms, tries = excluded.tries, why = excluded.why, \
         given_up = excluded.given_up",
        &params![
            it.destination,
            it.since_ms,
            signed(it.tries),
            it.why,
            signed(it.given_up)
        ],
    )
    .map(drop)
}

pub(super) fn forget_destination(db: &Db, destination: &str) -> Result<()> {
    let sql = "DELETE FROM destinations WHERE destination = $1";
    db.run(sql, &params![destination]).map(drop)
}

/// Forgets all destinations but these.
pub(super) fn keep_destinations(db: &Db, named: &[String]) -> Result<()> {
    for it in destinations(db)? {
        if !named.contains(&it.destination) {
            forget_destination(db, &it.destination)?;
        }
    }
    Ok(())
}
