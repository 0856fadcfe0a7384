//! The partitions of sessions: one for each day (UTC) in which sessions began.
//!
//! Only days about the one of collecting get one. What a clock that is wrong or a server that was cut off
//! for long brings besides is kept in `history_sessions_late`, however many days that are; so is a day
//! whose partition could not be made, because a backup or another reader was in its way, or because the
//! late ones, all of which PostgreSQL looks through for it, are too many.

use std::collections::BTreeSet;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};

pub(super) const DAY_MS: i64 = 86_400_000;
/// Days before and behind the one of collecting that get a partition.
const AROUND: (i64, i64) = (35, 1);
/// How long a partition waits for those that read sessions. Longer than `deadlock_timeout`, 1 s, after
/// which PostgreSQL itself ends an autovacuum that is in the way.
const IN_THE_WAY: &str = "2s";
/// How long making a partition may take.
const MADE_WITHIN: &str = "5s";

/// Makes the partitions that are missing for what began at these instants.
pub(super) fn make(db: &Db, begun_ms: impl Iterator<Item = i64>, at_ms: i64) -> Result<()> {
    let today = at_ms.div_euclid(DAY_MS);
    let days: BTreeSet<i64> = begun_ms
        .map(|ms| ms.div_euclid(DAY_MS))
        .filter(|day| is_near(*day, today))
        .collect();
    let rows: Vec<Vec<Param>> = days
        .iter()
        .map(|day| params![*day, name(*day)].to_vec())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "SELECT day FROM unnest($1::bigint[], $2::text[]) AS k(day, name) \
               WHERE to_regclass(name) IS NULL";
    let missing: Vec<i64> = db.all(sql, Arrays::of(&rows).params(), |row| row.get(0))?;
    for day in missing {
        let (from_ms, to_ms) = (day * DAY_MS, (day + 1) * DAY_MS);
        // By the index, which begins with the product.
        let sql = "SELECT 1 FROM history_products p WHERE EXISTS (SELECT 1 \
                   FROM history_sessions_late s WHERE s.product = p.number \
                   AND s.started_ms >= $1 AND s.started_ms < $2) LIMIT 1";
        // A day of which some were late stays there: they cannot be in two places.
        if db.exists(sql, &params![from_ms, to_ms])? {
            continue;
        }
        let create = of_day(day);
        // Who is in the way of one is in the way of all.
        if !unless_in_the_way(db, &create)? {
            break;
        }
    }
    Ok(())
}

/// Makes the partition of that name, as [`make`] does it; none: it is no name of one.
pub(in crate::postgres) fn made_by_name(partition: &str) -> Option<String> {
    let day = day_of(partition)?;
    // The last days there are have no end.
    let is_one =
        day.checked_add(1)?.checked_mul(DAY_MS).is_some() && day.checked_mul(DAY_MS).is_some();
    (is_one && name(day) == partition).then(|| of_day(day))
}

/// SQL that makes the partition of a day.
fn of_day(day: i64) -> String {
    let (from_ms, to_ms) = (day * DAY_MS, (day + 1) * DAY_MS);
    format!(
        "CREATE TABLE {} PARTITION OF history_sessions FOR VALUES FROM ({from_ms}) TO ({to_ms})",
        name(day)
    )
}

/// Carries out what needs the tables of sessions for itself, unless somebody reads them for long, such
/// as `pg_dump`, or it takes long itself; whether it did. The transaction goes on in each case.
fn unless_in_the_way(db: &Db, sql: &str) -> Result<bool> {
    let usual = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')";
    let (lock, statement) = db.one(usual, &[], |row| {
        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
    })?;
    let done = db.batch(&format!(
        "SAVEPOINT alone; SET LOCAL lock_timeout = '{IN_THE_WAY}'; \
         SET LOCAL statement_timeout = '{MADE_WITHIN}'; {sql}; \
         SET LOCAL lock_timeout = '{lock}'; SET LOCAL statement_timeout = '{statement}'; \
         RELEASE SAVEPOINT alone"
    ));
    match done {
        Err(error) if error.is_of_time() => {
            // The timeouts, too, are again what they were.
            db.batch("ROLLBACK TO SAVEPOINT alone; RELEASE SAVEPOINT alone")?;
            Ok(false)
        }
        other => other.map(|()| true),
    }
}

/// The names of the partitions of whole days that were over at an instant, the earliest first.
pub(in crate::postgres) fn before(db: &Db, before_ms: i64) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
               WHERE i.inhparent = 'history_sessions'::regclass";
    let found: Vec<String> = db.all(sql, &[], |row| row.get(0))?;
    let mut days: Vec<i64> = found.iter().filter_map(|name| day_of(name)).collect();
    days.retain(|day| day.saturating_mul(DAY_MS) < before_ms);
    days.sort_unstable();
    Ok(days.into_iter().map(name).collect())
}

/// Removes a partition with nothing in it, if its day was over at an instant and nobody reads sessions
/// for long; whether it did.
pub(in crate::postgres) fn drop_if_empty(db: &Db, name: &str, before_ms: i64) -> Result<bool> {
    let is_over = day_of(name).is_some_and(|day| (day + 1).saturating_mul(DAY_MS) <= before_ms);
    if !is_over || db.exists(&format!("SELECT 1 FROM {name} LIMIT 1"), &[])? {
        return Ok(false);
    }
    unless_in_the_way(db, &format!("DROP TABLE {name}"))
}

/// Whether what began in that millisecond is on time.
pub(super) fn is_on_time(begun_ms: i64, at_ms: i64) -> bool {
    is_near(begun_ms.div_euclid(DAY_MS), at_ms.div_euclid(DAY_MS))
}

fn is_near(day: i64, today: i64) -> bool {
    (today - AROUND.0..=today + AROUND.1).contains(&day)
}

/// By the number of days since 1970; those before have an `n`.
fn name(day: i64) -> String {
    let sign = if day < 0 { "n" } else { "d" };
    format!("history_sessions_{sign}{}", day.unsigned_abs())
}

/// The day of a partition by its name.
fn day_of(name: &str) -> Option<i64> {
    let after = name.strip_prefix("history_sessions_")?;
    let days = |digits: &str| digits.parse::<i64>().ok();
    match after.strip_prefix('d') {
        Some(digits) => days(digits),
        None => days(after.strip_prefix('n')?)?.checked_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_makes_no_partition() {
        let at_ms = 20_000 * DAY_MS + 5;
        let day = |day: i64| is_on_time(day * DAY_MS, at_ms);
        assert!(day(20_000) && day(20_001) && day(19_965));
        assert!(!day(20_002) && !day(19_964) && !day(0));
        assert!(!is_on_time(i64::MAX, at_ms) && !is_on_time(i64::MIN, at_ms));
        assert_eq!(name(20_000), "history_sessions_d20000");
        assert_eq!(name(-1), "history_sessions_n1");
        assert_eq!(day_of(&name(20_000)), Some(20_000));
        assert_eq!(day_of(&name(-1)), Some(-1));
        assert_eq!(day_of("history_sessions_late"), None);
    }
}
