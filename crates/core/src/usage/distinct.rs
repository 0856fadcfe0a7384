//! How many different people, or computers, there were in each bucket.

use rustc_hash::FxHashMap;

use super::buckets::Bucket;
use super::edge::Span;

const WORD_BITS: usize = 64;

/// For each bucket, how many have a use that overlaps it. `buckets` are in order and do not
/// overlap; `uses` says who and when, in any order.
pub fn distinct(buckets: &[Bucket], uses: impl IntoIterator<Item = (u64, Span)>) -> Vec<u64> {
    let mut distinct = Distinct::new(buckets);
    for (who, span) in uses {
        distinct.add(who, span);
    }
    distinct.counts()
}

/// Counts while uses are told. It holds a bit for each bucket of everybody who has one.
#[derive(Debug)]
pub struct Distinct<'a> {
    buckets: &'a [Bucket],
    /// Where the words of each are in `seen`, as a number of people.
    places: FxHashMap<u64, usize>,
    /// So many words for each.
    seen: Vec<u64>,
    words: usize,
}

impl<'a> Distinct<'a> {
    /// Nobody yet. `buckets` are in order and do not overlap.
    pub fn new(buckets: &'a [Bucket]) -> Distinct<'a> {
        Distinct {
            buckets,
            places: FxHashMap::default(),
            seen: Vec::new(),
            words: buckets.len().div_ceil(WORD_BITS),
        }
    }

    /// Somebody has a use, whenever it was.
    pub fn add(&mut self, who: u64, span: Span) {
        let places = overlapped(self.buckets, span);
        if places.is_empty() {
            return;
        }
        self.add_to(who, places);
    }

    /// Somebody has uses in the buckets of these places, at least one; there are no others.
    pub fn add_to(&mut self, who: u64, places: impl IntoIterator<Item = usize>) {
        let next = self.places.len();
        let place = *self.places.entry(who).or_insert(next);
        let begin = place.saturating_mul(self.words);
        let end = begin.saturating_add(self.words);
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        let seen = self.seen.get_mut(begin..end).unwrap_or_default();
        for place in places {
            if let Some(word) = seen.get_mut(place / WORD_BITS) {
                *word |= 1 << (place % WORD_BITS);
            }
        }
    }

    /// How many there are in each bucket.
    pub fn counts(self) -> Vec<u64> {
        let mut counts = vec![0; self.buckets.len()];
        for seen in self.seen.chunks(self.words.max(1)) {
            for (counts, word) in counts.chunks_mut(WORD_BITS).zip(seen) {
                for (place, count) in counts.iter_mut().enumerate() {
                    *count += (word >> place) & 1;
                }
            }
        }
        counts
    }
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
        let mut placed = Distinct::new(&buckets);
        placed.add(1, span(0, 10));
        placed.add_to(1, [0, 2]);
        placed.add_to(2, [2]);
        assert_eq!(placed.counts(), [1, 0, 2]);
        assert_eq!(distinct(&[], uses), [0; 0]);
    }
}
