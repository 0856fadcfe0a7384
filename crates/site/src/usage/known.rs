//! Of which products and servers something is known.

use rusqlite::{Connection, Result, params};
use usher_core::usage::Counted;

use super::line::counted_number;
use super::quarter::DAY_MS;
use crate::collected::Point;
use crate::columns::unsigned;
use crate::used::{UsedProduct, UsedRecord, UsedSource};

/// The products that something is known of, in the order of their ids, from one on. One that is
/// counted here and elsewhere is there twice.
pub(crate) fn products(
    connection: &Connection,
    from: &str,
    limit: u32,
) -> Result<Vec<UsedProduct>> {
    // One of an import that is not finished, or was removed, is neither.
    let sql = "SELECT product, here, elsewhere FROM (SELECT p.product AS product, \
         (EXISTS (SELECT 1 FROM usage_days t WHERE t.product = p.number AND t.counted = ?3) \
         OR EXISTS (SELECT 1 FROM history_denials t WHERE t.product = p.number) \
         OR EXISTS (SELECT 1 FROM history_waits t WHERE t.product = p.number)) AS here, \
         (EXISTS (SELECT 1 FROM elsewhere_uses t WHERE t.product = p.number) \
         OR EXISTS (SELECT 1 FROM elsewhere_denials t WHERE t.product = p.number) \
         OR EXISTS (SELECT 1 FROM elsewhere_waits t WHERE t.product = p.number)) AS elsewhere \
         FROM history_products p WHERE p.product >= ?1) \
         WHERE here OR elsewhere ORDER BY product LIMIT ?2";
    let here = counted_number(Counted::Here);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![from, limit, here])?;
    let mut products = Vec::new();
    while let Some(row) = rows.next()? {
        let product: String = row.get(0)?;
        let (is_here, is_elsewhere): (bool, bool) = (row.get(1)?, row.get(2)?);
        if is_here {
            products.push(UsedProduct {
                product: product.clone(),
                counted: Counted::Here,
            });
        }
        if is_elsewhere {
            products.push(UsedProduct {
                product,
                counted: Counted::Elsewhere,
            });
        }
    }
    Ok(products)
}

/// The last collected event of each server, and since when there is any history.
pub(crate) fn record(connection: &Connection) -> Result<UsedRecord> {
    let sql = "SELECT min(day) FROM usage_days";
    let day: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?;
    Ok(UsedRecord {
        sources: sources(connection)?,
        first_day_ms: day.map(|day| day.saturating_mul(DAY_MS)),
    })
}

fn sources(connection: &Connection) -> Result<Vec<UsedSource>> {
    let mut statement = connection.prepare_cached(
        "SELECT s.server, p.incarnation, p.event, s.collected_ms FROM history_sources s \
         JOIN history_places p ON p.source = s.number \
         AND p.place = (SELECT max(place) FROM history_places WHERE source = s.number) \
         ORDER BY s.server",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(UsedSource {
            server: row.get(0)?,
            through: Point {
                incarnation: row.get(1)?,
                event: unsigned(row.get(2)?),
            },
            at_ms: row.get(3)?,
        })
    })?;
    rows.collect()
}
