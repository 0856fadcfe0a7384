//! When products were last used.

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use super::about::product_number;
use super::known::products;
use super::quarter::read;
use crate::reported::LastUsed;
use crate::usage::{Mark, counted_number};
use crate::used::UsedProduct;

/// Of the products that something is known of, in the order of their ids, from one on.
pub(in crate::postgres) fn last_used(db: &Db, from: &str, limit: u32) -> Result<Vec<LastUsed>> {
    let known = products(db, from, limit)?;
    known.into_iter().map(|it| of(db, it)).collect()
}

fn of(db: &Db, it: UsedProduct) -> Result<LastUsed> {
    let number = product_number(db, &it.product)?;
    let (first_ms, at_ms) = match it.counted {
        Counted::Here => here(db, number)?,
        Counted::Elsewhere => elsewhere(db, number)?,
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
fn here(db: &Db, product: i64) -> Result<(Option<i64>, Option<i64>)> {
    let (first, last) = (marks(db, product, "ASC")?, marks(db, product, "DESC")?);
    let at_ms = |mark: &Mark| mark.edge.at_ms;
    Ok((first.first().map(at_ms), last.last().map(at_ms)))
}

/// The marks of the first quarter in an order.
fn marks(db: &Db, product: i64, order: &str) -> Result<Vec<Mark>> {
    let sql = format!(
        "SELECT quarter, edges FROM usage_quarters WHERE product = $1 AND counted = $2 \
         ORDER BY quarter {order} LIMIT 1"
    );
    let found = db.optional(&sql, &params![product, counted_number(Counted::Here)], read)?;
    Ok(found.map(|(_, marks)| marks).unwrap_or_default())
}

/// Sums of another licence server may tell of a last use that no row is of.
fn elsewhere(db: &Db, product: i64) -> Result<(Option<i64>, Option<i64>)> {
    let sql = "SELECT min(started_ms), max(coalesce(ended_ms, seen_ms, $2)) FROM elsewhere_uses \
               WHERE product = $1";
    let (first_ms, last_ms): (Option<i64>, Option<i64>) =
        db.one(sql, &params![product, i64::MAX], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let sql = "SELECT max(last_used_ms) FROM elsewhere_sums WHERE product = $1";
    let summed: Option<i64> = db.one(sql, &params![product], |row| row.get(0))?;
    Ok((first_ms, last_ms.max(summed)))
}
