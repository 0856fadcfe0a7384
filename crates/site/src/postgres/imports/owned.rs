//! What the files of other licence servers say is owned.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::reported::{ORDER_OF_OWNED, OneKind, OwnedElsewhere, REPORT_ROWS_LIMIT};

/// Of one product or of all, in the order of their ids; one more than `limit` if there are more.
pub(in crate::postgres) fn owned(
    db: &Db,
    product: Option<&str>,
    limit: u32,
) -> Result<Vec<OwnedElsewhere>> {
    let sql = format!(
        "SELECT s.source, p.product, e.version, e.seats, e.overdraft, e.from_day, e.to_day, \
         e.set_aside, e.kind FROM elsewhere_entitlements e \
         JOIN history_products p ON p.number = e.product \
         JOIN import_sources s ON s.number = e.source \
         WHERE $1::text IS NULL OR p.product = $1 \
         ORDER BY p.product, s.source, {ORDER_OF_OWNED}, e.key"
    );
    let limit = limit.clamp(1, REPORT_ROWS_LIMIT).saturating_add(1) as usize;
    let (mut owned, mut one_kind) = (Vec::new(), OneKind::default());
    db.each(&sql, &params![product], |row| {
        let it = OwnedElsewhere {
            source: row.get(0)?,
            product: row.get(1)?,
            kind: row.get(8)?,
            version: row.get(2)?,
            seats: row.get(3)?,
            overdraft: row.get(4)?,
            from_day: row.get(5)?,
            to_day: row.get(6)?,
            set_aside: row.get(7)?,
        };
        if owned.len() < limit && one_kind.takes(&it) {
            owned.push(it);
        }
        Ok(())
    })?;
    Ok(owned)
}
