//! How many different people, or computers, there were in each bucket.

use super::buckets::Bucket;
use super::edge::Span;

/// For each bucket, how many have a use that overlaps it. `buckets` are in order and do not
/// overlap; `uses` says who and when, in any order. It sorts the uses, and takes a step for each
/// bucket in which somebody has one.
pub fn distinct(buckets: &[Bucket], uses: impl IntoIterator<Item = (u64, Span)>) -> Vec<u64> {
    let mut counts = vec![0; buckets.len()];
    let mut uses: Vec<(u64, Span)> = uses.into_iter().collect();
    uses.sort_unstable();
    let (mut whose, mut uncounted) = (None, 0);
    for (who, span) in uses {
        if whose != Some(who) {
            (whose, uncounted) = (Some(who), 0);
        }
        let overlapped = overlapped(buckets, span);
        let first = overlapped.start.max(uncounted);
        for count in counts.iter_mut().take(overlapped.end).skip(first) {
            *count += 1;
        }
        uncounted = uncounted.max(overlapped.end);
    }
    counts
}

/// The places of the buckets that a use overlaps, of buckets in order.
pub(super) fn overlapped(buckets: &[Bucket], span: Span) -> std::ops::Range<usize> {
    let first = buckets.partition_point(|bucket| bucket.to_ms <= span.from_ms);
    let end = match span.is_instant() {
        true => buckets.partition_point(|bucket| bucket.from_ms <= span.from_ms),
        false => buckets.partition_point(|bucket| bucket.from_ms < span.until_ms),
    };
    first..end.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from_ms: i64, until_ms: i64) -> Span {
        Span {
            from_ms,
            until_ms,
            seats: 1,
        }
    }

    #[test]
    fn who_comes_twice_counts_once_and_who_leaves_at_the_boundary_not_in_the_next() {
        let bucket = |from_ms| Bucket {
            from_ms,
            to_ms: from_ms + 10,
        };
        let buckets: Vec<Bucket> = [0, 10, 20].map(bucket).into();
        let uses = [
            (1, span(0, 10)),
            (1, span(2, 3)),
            (2, span(5, 21)),
            (3, span(20, 20)),
            (2, span(-9, 7)),
            (4, span(-9, 0)),
            (5, span(30, 40)),
        ];
        assert_eq!(distinct(&buckets, uses), [2, 1, 2]);
        assert_eq!(distinct(&[], uses), [0; 0]);
    }
}
