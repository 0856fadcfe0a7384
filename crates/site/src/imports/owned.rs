//! What the files of other licence servers say is owned.

use rusqlite::{Connection, Result, params};

use crate::reported::{ORDER_OF_OWNED, OneKind, OwnedElsewhere, REPORT_ROWS_LIMIT};

/// Of one product or of all, in the order of their ids; one more than `limit` if there are more.
pub(crate) fn owned(
    connection: &Connection,
    product: Option<&str>,
    limit: u32,
) -> Result<Vec<OwnedElsewhere>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT s.source, p.product, e.version, e.seats, e.overdraft, e.from_day, e.to_day, \
         e.set_aside, e.kind FROM elsewhere_entitlements e \
         JOIN history_products p ON p.number = e.product \
         JOIN import_sources s ON s.number = e.source \
         WHERE ?1 IS NULL OR p.product = ?1 \
         ORDER BY p.product, s.source, {ORDER_OF_OWNED}, e.key"
    ))?;
    let limit = limit.clamp(1, REPORT_ROWS_LIMIT).saturating_add(1) as usize;
    let rows = statement.query_map(params![product], |row| {
        Ok(OwnedElsewhere {
            source: row.get(0)?,
            product: row.get(1)?,
            kind: row.get(8)?,
            version: row.get(2)?,
            seats: row.get(3)?,
            overdraft: row.get(4)?,
            from_day: row.get(5)?,
            to_day: row.get(6)?,
            set_aside: row.get(7)?,
        })
    })?;
    let mut one_kind = OneKind::default();
    let counted = rows.filter(|row| row.as_ref().map_or(true, |row| one_kind.takes(row)));
    counted.take(limit).collect()
}
