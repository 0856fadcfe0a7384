//! Packs days of products on PostgreSQL, as [`crate::usage`] does in the embedded engine.

use std::collections::{BTreeMap, BTreeSet};

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};
use super::quarter::read;
use super::rows::each_use;
use crate::usage::{
    DAY_MS, DayWho, Mark, PackedDays, QUARTERS_OF_DAY, Spread, ToPack, Unreadable, counted_number,
    day_of, kept_since, missing, pack_lines,
};

/// Packs days that ended before an instant, the last first, at most so many; how many, 0: none are left.
///
/// `since_ms` is from when on all rows are there; none: all are.
pub(in crate::postgres) fn pack(
    db: &Db,
    since_ms: Option<i64>,
    before_ms: i64,
    limit: u32,
) -> Result<u64> {
    let days = to_pack(db, since_ms, before_ms, limit)?;
    for it in &days {
        let ToPack { product, day, .. } = *it;
        let day_ms = day.saturating_mul(DAY_MS);
        let hours = pack_lines(day_ms, &quarters(db, product, day)?);
        let who = match it.with_who {
            true => Some(who(db, product, day_ms)?.packed()),
            false => None,
        };
        let sql = "INSERT INTO usage_packed (product, day, hours, who) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (product, day) \
                   DO UPDATE SET hours = excluded.hours, who = excluded.who";
        db.run(sql, &params![product, day, hours, who])?;
    }
    Ok(days.len() as u64)
}

/// Who used a product on a day.
fn who(db: &Db, product: i64, day_ms: i64) -> Result<DayWho> {
    let mut who = DayWho::new(day_ms);
    let time = (day_ms, day_ms.saturating_add(DAY_MS));
    each_use(db, product, time, |person, computer, span| {
        who.add(person, computer, span);
    })?;
    Ok(who)
}

/// Deletes what is packed of the days over which something changes.
pub(super) fn unpack(db: &Db, spreads: &BTreeSet<Spread>) -> Result<()> {
    if spreads.is_empty() {
        return Ok(());
    }
    let row = |it: &Spread| params![it.product, it.first, it.last].to_vec();
    let rows: Vec<Vec<Param>> = spreads.iter().map(row).collect();
    let sql = "DELETE FROM usage_packed p \
               USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product, first, last) \
               WHERE p.product = k.product AND p.day >= k.first AND p.day <= k.last";
    db.run(sql, Arrays::of(&rows).params()).map(drop)
}

/// Forgets who used products on days of which rows go, all before an instant. What happened in each hour
/// stays.
pub(in crate::postgres) fn forget_who(db: &Db, before_ms: i64) -> Result<()> {
    let sql = "UPDATE usage_packed SET who = NULL WHERE day < $1 AND who IS NOT NULL";
    db.run(sql, &params![kept_since(before_ms)]).map(drop)
}

fn to_pack(db: &Db, since_ms: Option<i64>, before_ms: i64, limit: u32) -> Result<Vec<ToPack>> {
    let sql = "SELECT p.number, f.day FROM history_products p CROSS JOIN LATERAL \
               (SELECT min(d.day) AS day FROM usage_days d WHERE d.product = p.number \
               AND d.counted = $1) f WHERE f.day IS NOT NULL";
    let mut days = BTreeMap::new();
    db.each(sql, &params![counted_number(Counted::Here)], |row| {
        days.insert(row.get::<i64>(0)?, (row.get::<i64>(1)?, Vec::new()));
        Ok(())
    })?;
    db.each("SELECT product, day FROM usage_packed", &[], |row| {
        if let Some((_, packed)) = days.get_mut(&row.get::<i64>(0)?) {
            packed.push(row.get(1)?);
        }
        Ok(())
    })?;
    Ok(missing(days, since_ms, before_ms, limit))
}

/// The quarters of a day in which something changes, in their order, each with its beginning.
fn quarters(db: &Db, product: i64, day: i64) -> Result<Vec<(i64, Vec<Mark>)>> {
    let first = day.saturating_mul(QUARTERS_OF_DAY);
    let sql = "SELECT quarter, edges FROM usage_quarters WHERE product = $1 AND counted = $2 \
               AND quarter >= $3 AND quarter < $4 ORDER BY quarter";
    let end = first.saturating_add(QUARTERS_OF_DAY);
    let asked = params![product, counted_number(Counted::Here), first, end];
    db.all(sql, &asked, read)
}

/// The days that are packed with who used the product, of those that a time overlaps, by their numbers.
pub(super) fn packed(db: &Db, product: i64, (from_ms, to_ms): (i64, i64)) -> Result<Vec<i64>> {
    let sql = "SELECT day FROM usage_packed WHERE product = $1 AND day >= $2 AND day <= $3 \
               AND who IS NOT NULL ORDER BY day";
    let asked = params![product, day_of(from_ms), day_of(to_ms.saturating_sub(1))];
    db.all(sql, &asked, |row| row.get(0))
}

/// The hours of the packed days that a time overlaps.
pub(super) fn hours(db: &Db, product: i64, (from_ms, to_ms): (i64, i64)) -> Result<PackedDays> {
    let sql = "SELECT day, hours FROM usage_packed \
               WHERE product = $1 AND day >= $2 AND day <= $3";
    let asked = params![product, day_of(from_ms), day_of(to_ms.saturating_sub(1))];
    let mut days = PackedDays::new();
    db.each(sql, &asked, |row| {
        days.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    Ok(days)
}

/// Hands over who used a product on these days, which are in their order.
pub(super) fn each_who(
    db: &Db,
    product: i64,
    days: &[i64],
    mut take: impl FnMut(i64, &[u8]) -> std::result::Result<(), Unreadable>,
) -> Result<()> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(());
    };
    let sql = "SELECT day, who FROM usage_packed \
               WHERE product = $1 AND day >= $2 AND day <= $3";
    db.each(sql, &params![product, *first, *last], |row| {
        let day: i64 = row.get(0)?;
        if days.binary_search(&day).is_ok() {
            take(day, &row.get::<Vec<u8>>(1)?)?;
        }
        Ok(())
    })
}
