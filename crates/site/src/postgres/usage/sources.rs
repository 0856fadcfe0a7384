//! What other licence servers hold now, as their last finished imports tell it.

use std::collections::BTreeMap;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::columns::unsigned;
use crate::now::{NOW_LIMIT, ProductNow, SourceNow};
use crate::usage::{DAY_MS, LevelTold, Owned, OwnedRow, ToldNow};

/// All sources that have a finished import. Of those that tell of an instant after `fresh_ms`, also
/// their products.
pub(in crate::postgres) fn sources(db: &Db, fresh_ms: i64, now_ms: i64) -> Result<Vec<SourceNow>> {
    let owned = owned(db)?;
    let sql = "SELECT s.number, s.source, max(coalesce(i.to_ms, i.from_ms)), \
               max(coalesce(i.finished_ms, i.touched_ms)) \
               FROM imports i JOIN import_sources s ON s.number = i.source WHERE i.state = 1 \
               GROUP BY s.number, s.source ORDER BY s.source LIMIT $1";
    let all = db.all(sql, &params![NOW_LIMIT], |row| {
        let of: (i64, String, Option<i64>, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(of)
    })?;
    let mut found = Vec::with_capacity(all.len());
    for (number, name, until_ms, imported_ms) in all {
        let source = Source { db, number };
        let (imports_of_week, days_of_week) = source.week(imported_ms)?;
        let fresh = until_ms.filter(|until_ms| *until_ms > fresh_ms);
        let products = match fresh {
            Some(until_ms) => Some(source.products(until_ms.min(now_ms), fresh_ms, &owned)?),
            None => None,
        };
        found.push(SourceNow {
            source: name,
            until_ms,
            imported_ms,
            imports_of_week,
            days_of_week,
            products,
            entitlements: owned.of(number),
        });
    }
    Ok(found)
}

struct Source<'a> {
    db: &'a Db,
    number: i64,
}

impl Source<'_> {
    /// How many imports were finished in the week up to the last, and on how many days.
    fn week(&self, last_ms: i64) -> Result<(u64, u64)> {
        let sql = "SELECT count(*), count(DISTINCT coalesce(finished_ms, touched_ms) / $3) \
                   FROM imports WHERE source = $1 AND state = 1 \
                   AND coalesce(finished_ms, touched_ms) > $2";
        let asked = params![self.number, last_ms.saturating_sub(7 * DAY_MS), DAY_MS];
        self.db.one(sql, &asked, |row| {
            Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
        })
    }

    /// Each product at an instant. The source told of an instant after `fresh_ms`.
    fn products(&self, at_ms: i64, fresh_ms: i64, owned: &Owned) -> Result<Vec<ProductNow>> {
        let told = ToldNow {
            levels: self.levels(ToldNow::levels_after_ms(fresh_ms))?,
            in_use: self.in_use(at_ms)?,
            waiting: self.waiting(at_ms)?,
        };
        Ok(told.products(self.number, at_ms, owned))
    }

    /// The last report of each product and server, of those after an instant.
    fn levels(
        &self,
        after_ms: i64,
    ) -> Result<BTreeMap<String, BTreeMap<Option<String>, LevelTold>>> {
        let sql = "SELECT p.product, t.server, t.issued, t.in_use, t.reserved, t.queued \
                   FROM elsewhere_levels t JOIN history_products p ON p.number = t.product \
                   WHERE t.at_ms > $2 AND t.import IN (SELECT number \
                   FROM imports WHERE source = $1 AND state = 1 \
                   AND coalesce(to_ms, from_ms) > $2) ORDER BY t.at_ms, t.number";
        let mut levels: BTreeMap<String, BTreeMap<Option<String>, LevelTold>> = BTreeMap::new();
        self.db.each(sql, &params![self.number, after_ms], |row| {
            let level = LevelTold {
                issued: row.get::<Option<i64>>(2)?.map(unsigned),
                in_use: row.get::<Option<i64>>(3)?.map(unsigned),
                reserved: unsigned(row.get(4)?),
                queued: unsigned(row.get(5)?),
            };
            let of_product = levels.entry(row.get(0)?).or_default();
            of_product.insert(row.get(1)?, level);
            Ok(())
        })?;
        Ok(levels)
    }

    /// Seats in use of all products that the source told of lately. A use without an end lasts as
    /// long as it was seen, that instant included.
    fn in_use(&self, at_ms: i64) -> Result<BTreeMap<String, u64>> {
        self.seats(
            "SELECT p.product, sum(CASE WHEN coalesce(t.ended_ms - 1, t.seen_ms, $2) >= $2 \
             THEN t.seats ELSE 0 END)::bigint FROM elsewhere_uses t \
             JOIN history_products p ON p.number = t.product \
             WHERE t.import IN (SELECT number FROM imports WHERE source = $1 AND state = 1 \
             AND coalesce(to_ms, from_ms) > $3) AND t.started_ms <= $2 GROUP BY p.product",
            at_ms,
        )
    }

    /// Seats that are waited for.
    fn waiting(&self, at_ms: i64) -> Result<BTreeMap<String, u64>> {
        self.seats(
            "SELECT p.product, sum(t.seats)::bigint FROM elsewhere_waits t \
             JOIN history_products p ON p.number = t.product \
             WHERE t.import IN (SELECT number FROM imports WHERE source = $1 AND state = 1 \
             AND coalesce(to_ms, from_ms) > $3) AND t.queued_ms <= $2 \
             AND coalesce(t.ended_ms - 1, t.seen_ms, $2) >= $2 GROUP BY p.product",
            at_ms,
        )
    }

    /// By the imports alone, which say the source, and whose index bounds what is read.
    fn seats(&self, sql: &str, at_ms: i64) -> Result<BTreeMap<String, u64>> {
        let asked = params![self.number, at_ms, ToldNow::told_after_ms(at_ms)];
        let rows = self
            .db
            .all(sql, &asked, |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
        Ok(rows.into_iter().collect())
    }
}

/// What is owned by the word of all sources.
fn owned(db: &Db) -> Result<Owned> {
    let sql = "SELECT p.product, e.source, e.kind, e.seats + e.overdraft, e.from_day, e.to_day \
               FROM elsewhere_entitlements e JOIN history_products p ON p.number = e.product \
               WHERE e.set_aside IS NULL";
    let mut all = Owned::default();
    db.each(sql, &[], |row| {
        let owned = OwnedRow {
            source: row.get(1)?,
            kind: row.get(2)?,
            seats: row.get::<Option<i64>>(3)?.map(unsigned),
            from_day: row.get(4)?,
            to_day: row.get(5)?,
        };
        all.take(row.get(0)?, owned);
        Ok(())
    })?;
    Ok(all)
}
