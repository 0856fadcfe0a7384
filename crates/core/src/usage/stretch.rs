//! A quantity in buckets, made of the quarters of an hour of a roll-up as they are read.

use super::buckets::Bucket;
use super::edge::Edge;
use super::gaps::Gaps;
use super::node::{Level, Node};
use super::tally::Tally;
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
    /// What is in use behind what was taken.
    level: Level,
    /// The stretch of the next bucket, and the instant up to which it is built (Unix milliseconds).
    open: Option<(Stretch, i64)>,
    done: Vec<Stretch>,
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
            level: opening,
            open: None,
            done: Vec::with_capacity(buckets.len()),
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
                let begun = || (Stretch::begun(level, bucket.from_ms), bucket.from_ms);
                let (stretch, made_ms) = self.open.get_or_insert_with(begun);
                stretch.node = stretch.node.join(node);
                stretch
                    .tally
                    .go_on(level.seats, (*made_ms, to_ms), within, gaps);
                *made_ms = to_ms;
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
        let begun = || (Stretch::begun(self.level, from_ms), from_ms);
        let (mut stretch, made_ms) = self.open.take().unwrap_or_else(begun);
        stretch.node = stretch.node.join(Node::quiet(to_ms, to_ms));
        stretch
            .tally
            .go_on(self.level.seats, (made_ms, to_ms), &[], self.gaps);
        self.done.push(stretch);
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
