//! Packs days of products that are over: what happens in each hour, and who used it in which. A day that is
//! packed is read at once, any other from its quarters and rows.
//!
//! The transaction that changes anything of a day deletes what is packed of it, so that what is packed
//! always is what quarters and rows say.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result, params};
use usher_core::usage::Counted;

use super::day_who::DayWho;
use super::hours::pack_lines;
use super::line::counted_number;
use super::lines::PackedDays;
use super::mark::Mark;
use super::packed::Unreadable;
use super::quarter::{DAY_MS, QUARTERS_OF_DAY, day_of, read, unreadable};
use super::rows::each_use;
use super::to_pack::{ToPack, kept_since, missing};

/// Packs days that ended before an instant, the last first, at most so many; how many, 0: none are left.
///
/// `since_ms` is from when on all rows are there; none: all are.
pub(crate) fn pack(
    connection: &Connection,
    since_ms: Option<i64>,
    before_ms: i64,
    limit: u32,
) -> Result<u64> {
    let days = to_pack(connection, since_ms, before_ms, limit)?;
    for it in &days {
        let ToPack { product, day, .. } = *it;
        let day_ms = day.saturating_mul(DAY_MS);
        let hours = pack_lines(day_ms, &quarters(connection, product, day)?);
        let who = match it.with_who {
            true => Some(who(connection, product, day_ms)?.packed()),
            false => None,
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO usage_packed (product, day, hours, who) \
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![product, day, hours, who])?;
    }
    Ok(days.len() as u64)
}

/// Who used a product on a day.
fn who(connection: &Connection, product: i64, day_ms: i64) -> Result<DayWho> {
    let mut who = DayWho::new(day_ms);
    let time = (day_ms, day_ms.saturating_add(DAY_MS));
    each_use(connection, product, time, |person, computer, span| {
        who.add(person, computer, span);
    })?;
    Ok(who)
}

/// Deletes what is packed of a product from a day to another, both included.
pub(super) fn unpack(
    connection: &Connection,
    product: i64,
    (first, last): (i64, i64),
) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM usage_packed WHERE product = ?1 AND day >= ?2 AND day <= ?3")?
        .execute([product, first, last])
        .map(drop)
}

/// Forgets who used products on days of which rows go, all before an instant. What happened in each hour
/// stays.
pub(crate) fn forget_who(connection: &Connection, before_ms: i64) -> Result<()> {
    connection
        .prepare_cached("UPDATE usage_packed SET who = NULL WHERE day < ?1 AND who IS NOT NULL")?
        .execute([kept_since(before_ms)])
        .map(drop)
}

fn to_pack(
    connection: &Connection,
    since_ms: Option<i64>,
    before_ms: i64,
    limit: u32,
) -> Result<Vec<ToPack>> {
    let mut firsts = connection.prepare_cached(
        "SELECT number, (SELECT min(day) FROM usage_days d WHERE d.product = p.number \
         AND d.counted = ?1) FROM history_products p ORDER BY number",
    )?;
    let mut firsts = firsts.query([counted_number(Counted::Here)])?;
    let mut days = BTreeMap::new();
    while let Some(row) = firsts.next()? {
        if let Some(first) = row.get(1)? {
            days.insert(row.get(0)?, (first, Vec::new()));
        }
    }
    let mut packed = connection.prepare_cached("SELECT product, day FROM usage_packed")?;
    let mut packed = packed.query([])?;
    while let Some(row) = packed.next()? {
        if let Some((_, packed)) = days.get_mut(&row.get(0)?) {
            packed.push(row.get(1)?);
        }
    }
    Ok(missing(days, since_ms, before_ms, limit))
}

/// The quarters of a day in which something changes, in their order, each with its beginning.
fn quarters(connection: &Connection, product: i64, day: i64) -> Result<Vec<(i64, Vec<Mark>)>> {
    let first = day.saturating_mul(QUARTERS_OF_DAY);
    let mut statement = connection.prepare_cached(
        "SELECT quarter, edges FROM usage_quarters \
         WHERE product = ?1 AND counted = ?2 AND quarter >= ?3 AND quarter < ?4 ORDER BY quarter",
    )?;
    let counted = counted_number(Counted::Here);
    let rows = statement.query_map([product, counted, first, first + QUARTERS_OF_DAY], read)?;
    rows.collect()
}

/// The days that are packed with who used the product, of those that a time overlaps, by their numbers.
pub(super) fn packed(
    connection: &Connection,
    product: i64,
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT day FROM usage_packed WHERE product = ?1 AND day >= ?2 AND day <= ?3 \
         AND who IS NOT NULL ORDER BY day",
    )?;
    let asked = [product, day_of(from_ms), day_of(to_ms.saturating_sub(1))];
    let rows = statement.query_map(asked, |row| row.get(0))?;
    rows.collect()
}

/// The hours of the packed days that a time overlaps.
pub(super) fn hours(
    connection: &Connection,
    product: i64,
    (from_ms, to_ms): (i64, i64),
) -> Result<PackedDays> {
    let mut statement = connection.prepare_cached(
        "SELECT day, hours FROM usage_packed WHERE product = ?1 AND day >= ?2 AND day <= ?3",
    )?;
    let asked = [product, day_of(from_ms), day_of(to_ms.saturating_sub(1))];
    let rows = statement.query_map(asked, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Hands over who used a product on these days, which are in their order.
pub(super) fn each_who(
    connection: &Connection,
    product: i64,
    days: &[i64],
    mut take: impl FnMut(i64, &[u8]) -> std::result::Result<(), Unreadable>,
) -> Result<()> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(());
    };
    let mut statement = connection.prepare_cached(
        "SELECT day, who FROM usage_packed WHERE product = ?1 AND day >= ?2 AND day <= ?3",
    )?;
    let mut rows = statement.query([product, *first, *last])?;
    while let Some(row) = rows.next()? {
        let day: i64 = row.get(0)?;
        if days.binary_search(&day).is_ok() {
            take(day, row.get_ref(1)?.as_blob()?).map_err(unreadable)?;
        }
    }
    Ok(())
}
