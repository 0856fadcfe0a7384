//! Sums of use by person and by day.

use rusqlite::params;
use rustc_hash::FxHashSet;

use super::sessions::UsageFilter;
use super::{History, Rows, page};
use crate::base::columns::from_i64;
use crate::queue::requests::Failure;

/// The use of one person within a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserUsageRow {
    /// The name of the person who is counted.
    pub user: String,
    /// The realm of that user.
    pub authority: String,
    /// Different products.
    pub products: u64,
    /// Sessions that ran within the period.
    pub sessions: u64,
    /// How many of them run now.
    pub running: u64,
    /// Different computers.
    pub computers: u64,
    /// The sum of their durations within the period, in milliseconds.
    pub total_ms: u64,
    /// How much of that was without a seat, in milliseconds.
    pub unseated_ms: u64,
    /// When the person last used any product; Unix milliseconds, wall clock.
    pub last_used_at: Option<i64>,
}

/// The use within one of several consecutive periods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayUsageRow {
    /// Sessions that ran within it. One that ended at its first instant did not, unless it also
    /// began then.
    pub sessions: u64,
    /// Different people.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// Different products.
    pub products: u64,
    /// The sum of their durations within it, in milliseconds.
    pub total_ms: u64,
    /// How much of that was without a seat, in milliseconds.
    pub unseated_ms: u64,
}

impl History {
    /// The use of each person within a period, the largest first. `after` counts rows.
    pub fn usage_by_user(
        &self,
        filter: &UsageFilter,
        now_wall_ms: i64,
        (after, limit): (u64, u32),
    ) -> Result<Rows<UserUsageRow>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT s.name, s.authority, count(DISTINCT u.product), count(*), \
                 sum(u.ended_at IS NULL), count(DISTINCT u.computer), \
                 sum(min(coalesce(u.duration_ms, max(0, ?4 - u.started_at)), \
                     max(0, min(coalesce(u.ended_at, ?4), ?3) - max(u.started_at, ?2)))), \
                 sum(min(coalesce(u.unseated_ms, max(0, ?4 - u.started_at)), \
                     max(0, min(coalesce(u.ended_at, ?4), ?3) - max(u.started_at, ?2)))), \
                 max(coalesce(u.ended_at, ?4)) \
                 FROM uses u JOIN products p ON p.number = u.product \
                 JOIN subjects s ON s.id = u.subject JOIN computers c ON c.id = u.computer \
                 WHERE (?1 IS NULL OR p.id = ?1) AND u.started_at < ?3 \
                 AND (u.ended_at IS NULL OR u.ended_at >= ?2) \
                 AND (?7 IS NULL OR s.authority = ?7 AND s.key = ?8) \
                 AND (?9 IS NULL OR c.key = ?9) \
                 GROUP BY s.id ORDER BY 7 DESC, 4 DESC, s.id LIMIT ?5 OFFSET ?6",
            )?;
            let asked = params![
                filter.product,
                filter.since,
                filter.until,
                now_wall_ms,
                limit + 1,
                after as i64,
                filter.owner.realm(),
                filter.owner.account(),
                filter.owner.computer,
            ];
            let rows = statement.query_map(asked, |row| {
                Ok(UserUsageRow {
                    user: row.get(0)?,
                    authority: row.get(1)?,
                    products: from_i64(row.get(2)?),
                    sessions: from_i64(row.get(3)?),
                    running: from_i64(row.get(4)?),
                    computers: from_i64(row.get(5)?),
                    total_ms: from_i64(row.get(6)?),
                    unseated_ms: from_i64(row.get(7)?),
                    last_used_at: row.get(8)?,
                })
            })?;
            let mut found = page(rows.collect::<Result<_, _>>()?, limit, |_| 0);
            found.next = found.next.map(|_| after + u64::from(limit));
            Ok(found)
        })
    }

    /// The use within each period from one of `bounds` to the next; one row fewer than bounds,
    /// which are Unix milliseconds in ascending order. The period of the filter has no effect.
    pub fn usage_by_day(
        &self,
        filter: &UsageFilter,
        now_wall_ms: i64,
        bounds: &[i64],
    ) -> Result<Vec<DayUsageRow>, Failure> {
        let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
            return Ok(Vec::new());
        };
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT u.subject, u.computer, u.product, u.started_at, \
                 coalesce(u.ended_at, ?4), coalesce(u.duration_ms, max(0, ?4 - u.started_at)), \
                 coalesce(u.unseated_ms, max(0, ?4 - u.started_at)) \
                 FROM uses u JOIN products p ON p.number = u.product \
                 JOIN subjects s ON s.id = u.subject JOIN computers c ON c.id = u.computer \
                 WHERE (?1 IS NULL OR p.id = ?1) AND u.started_at < ?3 \
                 AND (u.ended_at IS NULL OR u.ended_at >= ?2) \
                 AND (?5 IS NULL OR s.authority = ?5 AND s.key = ?6) \
                 AND (?7 IS NULL OR c.key = ?7)",
            )?;
            let mut rows = statement.query(params![
                filter.product,
                first,
                last,
                now_wall_ms,
                filter.owner.realm(),
                filter.owner.account(),
                filter.owner.computer,
            ])?;
            let mut days: Vec<Day> = bounds.windows(2).map(|_| Day::default()).collect();
            while let Some(row) = rows.next()? {
                let used = Used {
                    subject: row.get(0)?,
                    computer: row.get(1)?,
                    product: row.get(2)?,
                    from: row.get(3)?,
                    to: row.get(4)?,
                    duration_ms: row.get(5)?,
                    unseated_ms: row.get(6)?,
                };
                used.count(bounds, &mut days);
            }
            Ok(days.into_iter().map(Day::row).collect())
        })
    }
}

/// One session.
struct Used {
    subject: i64,
    computer: i64,
    product: i64,
    from: i64,
    to: i64,
    duration_ms: i64,
    unseated_ms: i64,
}

impl Used {
    /// Counts it in each period in which it ran.
    fn count(&self, bounds: &[i64], days: &mut [Day]) {
        let first = bounds.partition_point(|bound| *bound <= self.from);
        let mut at = first.saturating_sub(1);
        while let (Some(day), [from, to]) =
            (days.get_mut(at), bounds.get(at..at + 2).unwrap_or(&[]))
            && self.from < *to
            && (self.to > *from || self.from >= *from)
        {
            let part_ms = (self.to.min(*to) - self.from.max(*from)).max(0);
            day.sums.sessions += 1;
            day.sums.total_ms += from_i64(self.duration_ms.min(part_ms));
            day.sums.unseated_ms += from_i64(self.unseated_ms.min(part_ms));
            day.users.insert(self.subject);
            day.computers.insert(self.computer);
            day.products.insert(self.product);
            at += 1;
        }
    }
}

#[derive(Default)]
struct Day {
    sums: DayUsageRow,
    users: FxHashSet<i64>,
    computers: FxHashSet<i64>,
    products: FxHashSet<i64>,
}

impl Day {
    fn row(self) -> DayUsageRow {
        DayUsageRow {
            users: self.users.len() as u64,
            computers: self.computers.len() as u64,
            products: self.products.len() as u64,
            ..self.sums
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each day of 100 ms: sessions, people and milliseconds.
    fn counted(uses: &[(i64, i64, i64)]) -> Vec<(u64, u64, u64)> {
        let bounds = [100, 200, 300, 400];
        let mut days: Vec<Day> = (1..bounds.len()).map(|_| Day::default()).collect();
        for (subject, from, to) in uses {
            let used = Used {
                subject: *subject,
                computer: 1,
                product: 1,
                from: *from,
                to: *to,
                duration_ms: to - from,
                unseated_ms: 0,
            };
            used.count(&bounds, &mut days);
        }
        let rows = days.into_iter().map(Day::row);
        rows.map(|row| (row.sessions, row.users, row.total_ms))
            .collect()
    }

    #[test]
    fn a_use_counts_in_each_day_that_it_touches_with_the_part_that_lies_in_it() {
        assert_eq!(
            counted(&[(1, 150, 350)]),
            [(1, 1, 50), (1, 1, 100), (1, 1, 50)]
        );
        assert_eq!(
            counted(&[(1, 0, 1_000)]),
            [(1, 1, 100), (1, 1, 100), (1, 1, 100)]
        );
        assert_eq!(
            counted(&[(1, 210, 220), (1, 230, 240), (2, 290, 300)]),
            [(0, 0, 0), (3, 2, 30), (0, 0, 0)],
            "what ends at midnight is not of the next day"
        );
        assert_eq!(
            counted(&[(1, 200, 200), (1, 0, 100), (1, 400, 500)]),
            [(0, 0, 0), (1, 1, 0), (0, 0, 0)],
            "what has no length is of the day in which it was"
        );
    }
}
