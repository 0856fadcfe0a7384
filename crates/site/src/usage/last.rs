//! When products were last used.

use rusqlite::{Connection, OptionalExtension, Result, params};
use usher_core::usage::Counted;

use super::about::product_number;
use super::known::products;
use super::line::counted_number;
use super::mark::Mark;
use super::quarter::read;
use crate::reported::LastUsed;
use crate::used::UsedProduct;

/// Of the products that something is known of, in the order of their ids, from one on.
pub(crate) fn last_used(connection: &Connection, from: &str, limit: u32) -> Result<Vec<LastUsed>> {
    let known = products(connection, from, limit)?;
    known.into_iter().map(|it| of(connection, it)).collect()
}

fn of(connection: &Connection, it: UsedProduct) -> Result<LastUsed> {
    let number = product_number(connection, &it.product)?;
    let (first_ms, at_ms) = match it.counted {
        Counted::Here => here(connection, number)?,
        Counted::Elsewhere => elsewhere(connection, number)?,
    };
    Ok(LastUsed {
        product: it.product,
        counted: it.counted,
        at_ms,
        first_ms,
    })
}

/// The first beginning and the last end: what is kept has ended, so they are the first and the last
/// edge of the roll-ups.
fn here(connection: &Connection, product: i64) -> Result<(Option<i64>, Option<i64>)> {
    let first = marks(connection, product, "ASC")?;
    let last = marks(connection, product, "DESC")?;
    let at_ms = |mark: &Mark| mark.edge.at_ms;
    Ok((first.first().map(at_ms), last.last().map(at_ms)))
}

/// The marks of the first quarter in an order.
fn marks(connection: &Connection, product: i64, order: &str) -> Result<Vec<Mark>> {
    let sql = format!(
        "SELECT quarter, edges FROM usage_quarters WHERE product = ?1 AND counted = ?2 \
         ORDER BY quarter {order} LIMIT 1"
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row([product, counted_number(Counted::Here)], read)
        .optional()?;
    Ok(found.map(|(_, marks)| marks).unwrap_or_default())
}

/// Sums of another licence server may tell of a last use that no row is of.
fn elsewhere(connection: &Connection, product: i64) -> Result<(Option<i64>, Option<i64>)> {
    let uses: (Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT min(started_ms), max(coalesce(ended_ms, seen_ms, ?2)) FROM elsewhere_uses \
             WHERE product = ?1",
        )?
        .query_row(params![product, i64::MAX], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let summed: Option<i64> = connection
        .prepare_cached("SELECT max(last_used_ms) FROM elsewhere_sums WHERE product = ?1")?
        .query_row([product], |row| row.get(0))?;
    Ok((uses.0, uses.1.max(summed)))
}
