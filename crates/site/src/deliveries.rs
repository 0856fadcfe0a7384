//! Deliveries in the embedded engine: the messages that wait for each destination, and the
//! destinations that fail.

use rusqlite::{Connection, Result, params};

use crate::columns::{signed, unsigned};
use crate::record::NewDelivery;
use crate::rows::{DeliveryRow, DestinationRow};

pub(crate) fn list(connection: &Connection) -> Result<Vec<DeliveryRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, record_id, rule, destination, message, since_ms, is_told FROM deliveries \
         ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(DeliveryRow {
            id: row.get(0)?,
            record_id: row.get(1)?,
            rule: row.get(2)?,
            destination: row.get(3)?,
            message: row.get(4)?,
            since_ms: row.get(5)?,
            is_told: row.get(6)?,
        })
    })?;
    rows.collect()
}

/// Adds deliveries; answers their numbers, in their order.
pub(crate) fn add(
    connection: &Connection,
    record_id: Option<i64>,
    deliveries: &[NewDelivery],
) -> Result<Vec<i64>> {
    let add = |it: &NewDelivery| {
        connection.query_row(
            "INSERT INTO deliveries (record_id, rule, destination, message, since_ms, is_told) \
             VALUES (?1, ?2, ?3, ?4, ?5, 0) RETURNING id",
            params![record_id, it.rule, it.destination, it.message, it.since_ms],
            |row| row.get(0),
        )
    };
    deliveries.iter().map(add).collect()
}

pub(crate) fn note_told(connection: &Connection, delivery: i64, is_told: bool) -> Result<()> {
    let sql = "UPDATE deliveries SET is_told = ?2 WHERE id = ?1";
    connection
        .execute(sql, params![delivery, is_told])
        .map(drop)
}

pub(crate) fn remove(connection: &Connection, delivery: i64) -> Result<()> {
    let sql = "DELETE FROM deliveries WHERE id = ?1";
    connection.execute(sql, [delivery]).map(drop)
}

pub(crate) fn destinations(connection: &Connection) -> Result<Vec<DestinationRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT destination, since_ms, tries, why, given_up FROM destinations \
         ORDER BY destination",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(DestinationRow {
            destination: row.get(0)?,
            since_ms: row.get(1)?,
            tries: unsigned(row.get(2)?),
            why: row.get(3)?,
            given_up: unsigned(row.get(4)?),
        })
    })?;
    rows.collect()
}

pub(crate) fn put_destination(connection: &Connection, it: &DestinationRow) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO destinations (destination, since_ms, tries, why, given_up) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                it.destination,
                it.since_ms,
                signed(it.tries),
                it.why,
                signed(it.given_up)
            ],
        )
        .map(drop)
}

pub(crate) fn forget_destination(connection: &Connection, destination: &str) -> Result<()> {
    let sql = "DELETE FROM destinations WHERE destination = ?1";
    connection.execute(sql, [destination]).map(drop)
}

/// Forgets all destinations but these.
pub(crate) fn keep_destinations(connection: &Connection, named: &[String]) -> Result<()> {
    for it in destinations(connection)? {
        if !named.contains(&it.destination) {
            forget_destination(connection, &it.destination)?;
        }
    }
    Ok(())
}
