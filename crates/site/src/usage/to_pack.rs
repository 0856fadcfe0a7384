//! Which days of which products are to be packed.

use std::collections::BTreeMap;

use super::quarter::day_of;

/// How many days are packed of a product at most: what somebody asks of before these is read from its
/// quarters and rows, and a clock that was set to a time long ago makes no rows for all days since.
const DAYS: i64 = 1_100;

/// A day (UTC) of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToPack {
    /// The site's number of the product.
    pub(crate) product: i64,
    /// Days since 1970.
    pub(crate) day: i64,
    /// Whether it is packed who used the product: all rows of the day are there.
    pub(crate) with_who: bool,
}

/// The first day of which all rows are there if they are from that instant on.
pub(crate) fn kept_since(since_ms: i64) -> i64 {
    day_of(since_ms.saturating_sub(1)).saturating_add(1)
}

/// The days of products that ended before an instant and are not packed, at most so many: the last first,
/// of which reports ask most. `days` has the first day of each product, and those that are packed.
///
/// `since_ms` is from when on all rows are there: of what is before, it is not packed whose it was.
pub(crate) fn missing(
    days: BTreeMap<i64, (i64, Vec<i64>)>,
    since_ms: Option<i64>,
    before_ms: i64,
    limit: u32,
) -> Vec<ToPack> {
    let end = day_of(before_ms);
    let kept = since_ms.map_or(i64::MIN, kept_since);
    let mut missing = Vec::new();
    for (product, (first, mut packed)) in days {
        packed.sort_unstable();
        let first = first.max(end.saturating_sub(DAYS));
        let of_product = (first..end).rev();
        let of_product = of_product.filter(|day| packed.binary_search(day).is_err());
        missing.extend(of_product.map(|day| ToPack {
            product,
            day,
            with_who: kept <= day,
        }));
    }
    missing.sort_by_key(|it| (std::cmp::Reverse(it.day), it.product));
    missing.truncate(limit as usize);
    missing
}

#[cfg(test)]
mod tests {
    use super::super::quarter::DAY_MS;
    use super::*;

    #[test]
    fn the_last_days_that_are_over_are_packed_first() {
        let days = || BTreeMap::from([(1, (3, vec![6, 4])), (2, (6, Vec::new()))]);
        let found = |since_ms, limit| missing(days(), since_ms, 8 * DAY_MS + 5, limit);
        let told = |since_ms, limit| -> Vec<(i64, i64)> {
            let found = found(since_ms, limit).into_iter();
            found.map(|it| (it.product, it.day)).collect()
        };
        assert_eq!(told(None, 9), [(1, 7), (2, 7), (2, 6), (1, 5), (1, 3)]);
        assert_eq!(told(None, 2), [(1, 7), (2, 7)]);
        // Rows have gone that were over in the sixth day.
        let of_whom = found(Some(6 * DAY_MS + 1), 9).into_iter();
        let of_whom: Vec<bool> = of_whom.map(|it| it.with_who).collect();
        assert_eq!(of_whom, [true, true, false, false, false]);
        assert_eq!(
            (kept_since(0), kept_since(1), kept_since(DAY_MS)),
            (0, 1, 1)
        );
        let long_ago = BTreeMap::from([(1, (i64::MIN, Vec::new()))]);
        assert_eq!(missing(long_ago, None, 0, u32::MAX).len(), 1_100);
    }
}
