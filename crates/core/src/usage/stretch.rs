//! A quantity in buckets, made of the quarters of an hour of a roll-up as they are read.

use super::buckets::Bucket;
use super::edge::Edge;
use super::gaps::Gaps;
use super::node::{Level, Node};
use super::tally::{Counting, Tally};
use super::timeline::{Timeline, quarter_of};

/// A quantity in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// What is in use just before it.
    pub opening: Level,
    /// What happens in it.
    pub node: Node,
    /// For how long of its observed time each level lasts.
    pub tally: Tally,
}

impl Stretch {
    fn begun(opening: Level, from_ms: i64) -> Stretch {
        Stretch {
            opening,
            node: Node::quiet(from_ms, from_ms),
            tally: Tally::default(),
        }
    }

    /// The most seats at once and the first instant of it; 0 and none if there were none.
    pub fn peak(&self) -> (u64, Option<i64>) {
        self.node.peak(self.opening)
    }

    /// Uses that overlap it.
    pub fn uses(&self) -> u64 {
        self.node.uses(self.opening)
    }

    /// How many milliseconds all uses together last in it.
    pub fn use_ms(&self) -> u128 {
        self.node.use_ms(self.opening)
    }
}

/// Makes the stretches of buckets in one pass. It holds one quarter at a time, and what it has made.
#[derive(Debug)]
pub struct Stretches<'a> {
    buckets: &'a [Bucket],
    now_ms: i64,
    gaps: &'a Gaps,
    /// Whether it is counted how long each level lasts.
    is_tallied: bool,
    /// What is in use behind what was taken.
    level: Level,
    /// The stretch of the next bucket, as far as it is made.
    open: Option<Open>,
    done: Vec<Stretch>,
}

/// A stretch that is being made.
#[derive(Debug)]
struct Open {
    opening: Level,
    node: Node,
    counting: Counting,
    /// Up to which instant levels are counted (Unix milliseconds).
    made_ms: i64,
}

impl Open {
    fn begun(opening: Level, from_ms: i64) -> Open {
        Open {
            opening,
            node: Node::quiet(from_ms, from_ms),
            counting: Counting::default(),
            made_ms: from_ms,
        }
    }
}

impl<'a> Stretches<'a> {
    /// `buckets` are in order and do not overlap; nothing counts from `now_ms` on. `opening` is what
    /// is in use before the first quarter that is taken.
    pub fn new(
        buckets: &'a [Bucket],
        now_ms: i64,
        gaps: &'a Gaps,
        opening: Level,
    ) -> Stretches<'a> {
        Stretches {
            buckets,
            now_ms,
            gaps,
            is_tallied: true,
            level: opening,
            open: None,
            done: Vec::with_capacity(buckets.len()),
        }
    }

    /// The same without how long each level lasts: p95 and mean are not known then.
    #[must_use]
    pub fn without_tallies(self) -> Stretches<'a> {
        Stretches {
            is_tallied: false,
            ..self
        }
    }

    /// Whether a stretch of a roll-up may be taken by [`Stretches::take_rolled`]: it lies in one bucket,
    /// and either all of it or nothing was observed.
    pub fn is_whole(&self, from_ms: i64, to_ms: i64) -> bool {
        let place = self
            .buckets
            .partition_point(|bucket| bucket.to_ms <= from_ms);
        let is_in = |bucket: &Bucket| {
            bucket.from_ms <= from_ms && to_ms <= bucket.to_ms && to_ms <= self.now_ms
        };
        let observed_ms = match self.is_tallied {
            true => self.gaps.observed_ms(from_ms, to_ms),
            false => 0,
        };
        self.buckets.get(place).is_some_and(is_in)
            && (observed_ms == 0 || observed_ms == to_ms.abs_diff(from_ms))
    }

    /// Takes a stretch that is whole, in its place among the quarters, with how long each level lasts
    /// over a level of 0.
    pub fn take_rolled(&mut self, node: &Node, levels: impl IntoIterator<Item = (i64, u64)>) {
        while let Some(bucket) = self.bucket().filter(|it| it.to_ms <= node.from_ms) {
            self.end_bucket(bucket);
        }
        let Some(bucket) = self.bucket() else {
            return;
        };
        let (level, gaps) = (self.level, self.gaps);
        let begun = || Open::begun(level, bucket.from_ms);
        let open = self.open.get_or_insert_with(begun);
        open.node = open.node.join(*node);
        if self.is_tallied {
            let before = (open.made_ms, node.from_ms);
            open.counting.go_on(level.seats, before, &[], gaps);
            if gaps.observed_ms(node.from_ms, node.to_ms) > 0 {
                open.counting.add_over(level.seats, levels);
            }
        }
        open.made_ms = node.to_ms;
        self.level = node.after(level);
        if bucket.to_ms <= node.to_ms {
            self.end_bucket(bucket);
        }
    }

    /// Takes a quarter with its edges. Quarters come in order; those in which nothing changes may be
    /// left out. The first need not begin where the first bucket does: what is before that bucket
    /// counts for the level at its beginning.
    pub fn take(&mut self, quarter: &Node, edges: &[Edge]) {
        let mut edges = edges;
        while let Some(bucket) = self.bucket() {
            let begin = edges.partition_point(|edge| edge.at_ms < bucket.from_ms);
            let (before, rest) = edges.split_at(begin);
            let end = rest.partition_point(|edge| edge.at_ms < bucket.to_ms);
            let (within, later) = rest.split_at(end);
            self.level = after(self.level, before);
            let from_ms = quarter.from_ms.max(bucket.from_ms);
            let to_ms = quarter.to_ms.min(bucket.to_ms);
            if from_ms < to_ms {
                let is_whole = (from_ms, to_ms) == (quarter.from_ms, quarter.to_ms);
                let node = match is_whole {
                    true => *quarter,
                    false => Node::of(from_ms, to_ms, within),
                };
                let (level, gaps) = (self.level, self.gaps);
                let begun = || Open::begun(level, bucket.from_ms);
                let open = self.open.get_or_insert_with(begun);
                open.node = open.node.join(node);
                if self.is_tallied {
                    let counted = (open.made_ms, to_ms);
                    open.counting.go_on(level.seats, counted, within, gaps);
                }
                open.made_ms = to_ms;
                self.level = node.after(level);
            }
            edges = later;
            if quarter.to_ms < bucket.to_ms {
                return;
            }
            self.end_bucket(bucket);
        }
    }

    /// The stretches, one for each bucket.
    pub fn end(mut self) -> Vec<Stretch> {
        while let Some(bucket) = self.bucket() {
            self.end_bucket(bucket);
        }
        self.done
    }

    /// The bucket whose stretch is made next, as far as it is not to come.
    fn bucket(&self) -> Option<Bucket> {
        let bucket = self.buckets.get(self.done.len())?;
        let to_ms = bucket.to_ms.min(self.now_ms).max(bucket.from_ms);
        Some(Bucket { to_ms, ..*bucket })
    }

    fn end_bucket(&mut self, bucket: Bucket) {
        let Bucket { from_ms, to_ms } = bucket;
        if to_ms <= from_ms {
            // What is to come has no uses, whatever still lasts.
            self.open = None;
            self.done.push(Stretch::begun(Level::default(), from_ms));
            return;
        }
        let begun = || Open::begun(self.level, from_ms);
        let mut open = self.open.take().unwrap_or_else(begun);
        if self.is_tallied {
            let rest = (open.made_ms, to_ms);
            open.counting.go_on(self.level.seats, rest, &[], self.gaps);
        }
        self.done.push(Stretch {
            opening: open.opening,
            node: open.node.join(Node::quiet(to_ms, to_ms)),
            tally: open.counting.tally(),
        });
    }
}

fn after(level: Level, edges: &[Edge]) -> Level {
    edges.iter().fold(level, |level, edge| Level {
        seats: level.seats.saturating_add(edge.seats_change()),
        uses: level.uses.saturating_add(edge.uses_change()),
    })
}

/// The stretches of a timeline in buckets, which are in order and do not overlap. Nothing counts
/// from `now_ms` on.
pub fn stretches(
    timeline: &Timeline,
    buckets: &[Bucket],
    now_ms: i64,
    gaps: &Gaps,
) -> Vec<Stretch> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return Vec::new();
    };
    let begin_ms = quarter_of(first.from_ms);
    let mut made = Stretches::new(buckets, now_ms, gaps, timeline.opening(begin_ms));
    for (node, edges) in timeline.quarters_between(begin_ms, last.to_ms) {
        made.take(&node, edges);
    }
    made.end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::edge::Span;
    use super::super::timeline::QUARTER_MS;
    use super::*;

    const HOUR_MS: i64 = 4 * QUARTER_MS;

    /// What a roll-up has of an hour.
    fn rolled(timeline: &Timeline, hour_ms: i64) -> (Node, Tally) {
        let end_ms = hour_ms + HOUR_MS;
        let quarters: Vec<_> = timeline.quarters_between(hour_ms, end_ms).collect();
        let nodes = quarters.iter().map(|(node, _)| *node);
        let edges = quarters.iter().flat_map(|(_, edges)| *edges);
        let tally = Tally::of(0, (hour_ms, end_ms), edges, &Gaps::default());
        (Node::joined(hour_ms, end_ms, nodes), tally)
    }

    proptest! {
        /// Some hours come from a roll-up, and others as quarters.
        #[test]
        fn an_hour_of_a_roll_up_says_what_its_quarters_say(
            spans in prop::collection::vec((0_i64..40, 0_i64..30, any::<bool>(), 1_u32..4), 0..40),
            cuts in prop::collection::btree_set(0_i64..48, 2..6),
            gaps in prop::collection::vec((0_i64..48, 0_i64..6), 0..3),
            now in 0_i64..60,
            is_rolled in prop::collection::vec(any::<bool>(), 16),
        ) {
            let span = |(from, length, is_odd, seats): &(i64, i64, bool, u32)| {
                let from_ms = from * QUARTER_MS + if *is_odd { 77 } else { 0 };
                Span { from_ms, until_ms: from_ms + length * QUARTER_MS / 3, seats: *seats }
            };
            let timeline = Timeline::of(spans.iter().map(span));
            let cuts: Vec<i64> = cuts.into_iter().map(|cut| cut * QUARTER_MS).collect();
            let bucket = |pair: &[i64]| Bucket { from_ms: pair[0], to_ms: pair[1] };
            let buckets: Vec<Bucket> = cuts.windows(2).map(bucket).collect();
            let gap = |(from, many): &(i64, i64)| {
                (from * QUARTER_MS, (from + many) * QUARTER_MS)
            };
            let gaps = Gaps::of(gaps.iter().map(gap).collect());
            let now_ms = now * QUARTER_MS + 5;
            let expected = stretches(&timeline, &buckets, now_ms, &gaps);
            let (begin_ms, end_ms) = (cuts[0], cuts[cuts.len() - 1]);
            let opening = timeline.opening(begin_ms);
            let mut made = Stretches::new(&buckets, now_ms, &gaps, opening);
            let first_ms = begin_ms.div_euclid(HOUR_MS) * HOUR_MS;
            for (place, is_rolled) in is_rolled.iter().enumerate() {
                let hour_ms = first_ms + HOUR_MS * i64::try_from(place).unwrap();
                if *is_rolled && made.is_whole(hour_ms, hour_ms + HOUR_MS) {
                    let (node, tally) = rolled(&timeline, hour_ms);
                    made.take_rolled(&node, tally.levels());
                    continue;
                }
                let (from_ms, to_ms) = (hour_ms.max(begin_ms), (hour_ms + HOUR_MS).min(end_ms));
                for (node, edges) in timeline.quarters_between(from_ms, to_ms) {
                    made.take(&node, edges);
                }
            }
            prop_assert_eq!(made.end(), expected);
        }
    }
}
