//! What other licence servers hold now, as their last finished imports tell it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Result, params};

use super::quarter::DAY_MS;
use crate::columns::unsigned;
use crate::now::{EntitlementNow, NOW_LIMIT, ProductNow, SourceNow};
use crate::reported::order_of_owned;

/// A level that stays the same is told again after a quarter of an hour and the pause between two
/// reports.
const SAME_LEVEL_MS: i64 = 20 * 60_000;
/// What nobody has told of for so long is not looked for.
const TOLD_BACK_MS: i64 = 90 * DAY_MS;

/// All sources that have a finished import. Of those that tell of an instant after `fresh_ms`, also
/// their products.
pub(crate) fn sources(
    connection: &Connection,
    fresh_ms: i64,
    now_ms: i64,
) -> Result<Vec<SourceNow>> {
    let owned = Owned::read(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT s.number, s.source, max(coalesce(i.to_ms, i.from_ms)), \
         max(coalesce(i.finished_ms, i.touched_ms)) \
         FROM imports i JOIN import_sources s ON s.number = i.source WHERE i.state = 1 \
         GROUP BY s.number ORDER BY s.source LIMIT ?1",
    )?;
    let mut rows = statement.query([NOW_LIMIT])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let source = Source {
            connection,
            number: row.get(0)?,
        };
        let until_ms: Option<i64> = row.get(2)?;
        let imported_ms: i64 = row.get(3)?;
        let (imports_of_week, days_of_week) = source.week(imported_ms)?;
        let fresh = until_ms.filter(|until_ms| *until_ms > fresh_ms);
        let products = match fresh {
            Some(until_ms) => Some(source.products(until_ms.min(now_ms), fresh_ms, &owned)?),
            None => None,
        };
        found.push(SourceNow {
            source: row.get(1)?,
            until_ms,
            imported_ms,
            imports_of_week,
            days_of_week,
            products,
            entitlements: owned.of(source.number),
        });
    }
    Ok(found)
}

struct Source<'a> {
    connection: &'a Connection,
    number: i64,
}

/// What a report says of a product on one of its servers.
pub(crate) struct LevelTold {
    pub(crate) issued: Option<u64>,
    pub(crate) in_use: Option<u64>,
    pub(crate) reserved: u64,
    pub(crate) queued: u64,
}

/// What a source tells of its products.
#[derive(Default)]
pub(crate) struct ToldNow {
    /// The last report of each product and server.
    pub(crate) levels: BTreeMap<String, BTreeMap<Option<String>, LevelTold>>,
    /// Seats in use, of all products that it tells of.
    pub(crate) in_use: BTreeMap<String, u64>,
    /// Seats that are waited for.
    pub(crate) waiting: BTreeMap<String, u64>,
}

impl ToldNow {
    /// Behind which instant levels are read of a source that told of an instant after `fresh_ms`.
    pub(crate) fn levels_after_ms(fresh_ms: i64) -> i64 {
        fresh_ms.saturating_sub(SAME_LEVEL_MS)
    }

    /// Uses and waits at an instant are read of the imports that tell of an instant after this one.
    /// What is seen to last is in an import of that time, however long ago it began.
    pub(crate) fn told_after_ms(at_ms: i64) -> i64 {
        at_ms.saturating_sub(TOLD_BACK_MS)
    }

    /// Each product at an instant: as the last report says, or as the uses and waits add up.
    pub(crate) fn products(&self, source: i64, at_ms: i64, owned: &Owned) -> Vec<ProductNow> {
        let names: BTreeSet<&String> = self
            .levels
            .keys()
            .chain(self.in_use.keys())
            .chain(self.waiting.keys())
            .collect();
        let mut products = Vec::new();
        for product in names.into_iter().take(NOW_LIMIT as usize) {
            let seats = || owned.seats(source, product, at_ms);
            let Some(servers) = self.levels.get(product) else {
                products.push(ProductNow {
                    product: product.clone(),
                    server: None,
                    seats: seats(),
                    // A log tells of uses and waits alike: what nobody was seen to use is not used.
                    in_use: Some(self.in_use.get(product).copied().unwrap_or(0)),
                    reserved: None,
                    waiting: self.waiting.get(product).copied().unwrap_or(0),
                });
                continue;
            };
            let is_one = servers.len() == 1;
            products.extend(servers.iter().map(|(server, level)| ProductNow {
                product: product.clone(),
                server: server.clone().filter(|_| !is_one),
                seats: level.issued.or_else(|| seats().filter(|_| is_one)),
                in_use: level.in_use,
                reserved: Some(level.reserved),
                waiting: level.queued,
            }));
        }
        products
    }
}

impl Source<'_> {
    /// How many imports were finished in the week up to the last, and on how many days.
    fn week(&self, last_ms: i64) -> Result<(u64, u64)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*), count(DISTINCT coalesce(finished_ms, touched_ms) / ?3) FROM imports \
             WHERE source = ?1 AND state = 1 AND coalesce(finished_ms, touched_ms) > ?2",
        )?;
        let asked = [self.number, last_ms.saturating_sub(7 * DAY_MS), DAY_MS];
        statement.query_row(asked, |row| {
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
        let mut statement = self.connection.prepare_cached(
            "SELECT p.product, t.server, t.issued, t.in_use, t.reserved, t.queued \
             FROM elsewhere_levels t JOIN history_products p ON p.number = t.product \
             WHERE t.at_ms > ?2 AND t.import IN (SELECT number FROM imports \
             WHERE source = ?1 AND state = 1 AND coalesce(to_ms, from_ms) > ?2) \
             ORDER BY t.at_ms, t.number",
        )?;
        let mut rows = statement.query(params![self.number, after_ms])?;
        let mut levels: BTreeMap<String, BTreeMap<Option<String>, LevelTold>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let level = LevelTold {
                issued: row.get::<_, Option<i64>>(2)?.map(unsigned),
                in_use: row.get::<_, Option<i64>>(3)?.map(unsigned),
                reserved: unsigned(row.get(4)?),
                queued: unsigned(row.get(5)?),
            };
            let of_product = levels.entry(row.get(0)?).or_default();
            of_product.insert(row.get(1)?, level);
        }
        Ok(levels)
    }

    /// Seats in use of all products that the source told of lately. A use without an end lasts as
    /// long as it was seen, that instant included.
    fn in_use(&self, at_ms: i64) -> Result<BTreeMap<String, u64>> {
        self.seats(
            "SELECT p.product, sum(CASE WHEN coalesce(t.ended_ms - 1, t.seen_ms, ?2) >= ?2 \
             THEN t.seats ELSE 0 END) FROM elsewhere_uses t \
             JOIN history_products p ON p.number = t.product \
             WHERE t.import IN (SELECT number FROM imports WHERE source = ?1 AND state = 1 \
             AND coalesce(to_ms, from_ms) > ?3) AND t.started_ms <= ?2 GROUP BY t.product",
            at_ms,
        )
    }

    /// Seats that are waited for.
    fn waiting(&self, at_ms: i64) -> Result<BTreeMap<String, u64>> {
        self.seats(
            "SELECT p.product, sum(t.seats) FROM elsewhere_waits t \
             JOIN history_products p ON p.number = t.product \
             WHERE t.import IN (SELECT number FROM imports WHERE source = ?1 AND state = 1 \
             AND coalesce(to_ms, from_ms) > ?3) AND t.queued_ms <= ?2 \
             AND coalesce(t.ended_ms - 1, t.seen_ms, ?2) >= ?2 GROUP BY t.product",
            at_ms,
        )
    }

    /// By the imports alone, which say the source, and whose index bounds what is read.
    fn seats(&self, sql: &str, at_ms: i64) -> Result<BTreeMap<String, u64>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let asked = [self.number, at_ms, ToldNow::told_after_ms(at_ms)];
        let rows = statement.query_map(asked, |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
        rows.collect()
    }
}

/// A row of what is owned; `None` seats are uncounted.
pub(crate) struct OwnedRow {
    pub(crate) source: i64,
    pub(crate) kind: String,
    pub(crate) seats: Option<u64>,
    pub(crate) from_day: Option<String>,
    pub(crate) to_day: Option<String>,
}

/// What is owned, by product.
#[derive(Default)]
pub(crate) struct Owned {
    by_product: BTreeMap<String, Vec<OwnedRow>>,
}

impl Owned {
    fn read(connection: &Connection) -> Result<Owned> {
        let mut statement = connection.prepare_cached(
            "SELECT p.product, e.source, e.kind, e.seats + e.overdraft, e.from_day, e.to_day \
             FROM elsewhere_entitlements e JOIN history_products p ON p.number = e.product \
             WHERE e.set_aside IS NULL",
        )?;
        let mut rows = statement.query([])?;
        let mut all = Owned::default();
        while let Some(row) = rows.next()? {
            let owned = OwnedRow {
                source: row.get(1)?,
                kind: row.get(2)?,
                seats: row.get::<_, Option<i64>>(3)?.map(unsigned),
                from_day: row.get(4)?,
                to_day: row.get(5)?,
            };
            all.take(row.get(0)?, owned);
        }
        Ok(all)
    }

    /// Adds a row of a product.
    pub(crate) fn take(&mut self, product: String, row: OwnedRow) {
        self.by_product.entry(product).or_default().push(row);
    }

    /// The seats of a product at an instant by the word of a source, or of another if that alone
    /// tells of the product: a log does not say what is owned, its licence file does.
    fn seats(&self, source: i64, product: &str, at_ms: i64) -> Option<u64> {
        let rows = self.by_product.get(product)?;
        let sources: BTreeSet<i64> = rows.iter().map(|row| row.source).collect();
        let source = match sources.contains(&source) {
            true => source,
            false if sources.len() == 1 => *sources.first()?,
            false => return None,
        };
        let day = jiff::Timestamp::from_millisecond(at_ms).ok()?;
        let day = day.strftime("%Y-%m-%d").to_string();
        let is_valid = |row: &&OwnedRow| {
            row.from_day.as_ref().is_none_or(|from| *from <= day)
                && row.to_day.as_ref().is_none_or(|to| *to >= day)
        };
        // Those of another day are none today.
        let mut seats = 0_u64;
        for row in of_one_kind(rows, source).filter(is_valid) {
            seats = seats.saturating_add(row.seats?);
        }
        Some(seats)
    }

    /// What a source says, as far as seats are counted.
    pub(crate) fn of(&self, source: i64) -> Vec<EntitlementNow> {
        let mut all = Vec::new();
        for (product, rows) in &self.by_product {
            all.extend(of_one_kind(rows, source).filter_map(|row| {
                Some(EntitlementNow {
                    product: product.clone(),
                    seats: row.seats?,
                    from_day: row.from_day.clone(),
                    to_day: row.to_day.clone(),
                })
            }));
        }
        all.truncate(NOW_LIMIT as usize);
        all
    }
}

/// What a source says of a product: a licence file and a report of it tell of the same seats, so it is what
/// one of them says.
fn of_one_kind(rows: &[OwnedRow], source: i64) -> impl Iterator<Item = &OwnedRow> {
    let of_source = move |row: &&OwnedRow| row.source == source;
    let kinds = rows.iter().filter(of_source).map(|row| &*row.kind);
    let kind = kinds.min_by_key(|kind| order_of_owned(kind));
    rows.iter()
        .filter(of_source)
        .filter(move |row| Some(&*row.kind) == kind)
}
