//! How many seats were in use over time, by quarters of an hour.
//!
//! A quarter hour UTC divides every boundary of an hour or a day in the zones of today, those with
//! 30 and 45 minutes included. A cut inside a quarter goes back to its edges.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::edge::{Edge, Span};
use super::gaps::Gaps;
use super::node::{Level, Node};
use super::tally::Tally;

/// How long a node of a roll-up is, in milliseconds.
pub const QUARTER_MS: i64 = 900_000;

/// The beginning of the quarter hour UTC of an instant, both in Unix milliseconds.
pub fn quarter_of(ms: i64) -> i64 {
    ms.div_euclid(QUARTER_MS).saturating_mul(QUARTER_MS)
}

/// The quarters of an hour whose nodes a use changes: those in which it begins and ends.
pub fn quarters_touched(span: Span) -> impl Iterator<Item = i64> {
    let (begin, end) = span.edges();
    let first_ms = quarter_of(begin.at_ms);
    let last_ms = end.map(|end| quarter_of(end.at_ms));
    let other_ms = last_ms.filter(|last_ms| *last_ms != first_ms);
    [Some(first_ms), other_ms].into_iter().flatten()
}

/// The edges of uses by quarters, and a node for each quarter in which something changes. It takes
/// memory in proportion to its uses: who asks bounds them by the time that is asked about.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    quarters: BTreeMap<i64, Quarter>,
}

#[derive(Debug, Clone, Default)]
struct Quarter {
    /// In their order.
    edges: Vec<Edge>,
    /// Made when it is first asked for.
    node: OnceLock<Node>,
}

impl Quarter {
    fn node(&self, from_ms: i64) -> Node {
        let make = || Node::of(from_ms, from_ms.saturating_add(QUARTER_MS), &self.edges);
        *self.node.get_or_init(make)
    }

    /// From an instant, included, to another, not included.
    fn edges(&self, from_ms: i64, to_ms: i64) -> &[Edge] {
        let first = self.edges.partition_point(|edge| edge.at_ms < from_ms);
        let edges = &self.edges[first..];
        &edges[..edges.partition_point(|edge| edge.at_ms < to_ms)]
    }
}

impl Timeline {
    /// Of all these uses at once.
    pub fn of(spans: impl IntoIterator<Item = Span>) -> Timeline {
        let mut timeline = Timeline::default();
        for span in spans {
            let (begin, end) = span.edges();
            for edge in [Some(begin), end].into_iter().flatten() {
                let quarter = timeline.quarters.entry(quarter_of(edge.at_ms));
                quarter.or_default().edges.push(edge);
            }
        }
        let quarters = timeline.quarters.values_mut();
        quarters.for_each(|quarter| quarter.edges.sort_unstable());
        timeline
    }

    /// Adds a use, whenever it was. The nodes change in which it begins and ends.
    pub fn add(&mut self, span: Span) {
        let (begin, end) = span.edges();
        for edge in [Some(begin), end].into_iter().flatten() {
            let quarter = self.quarters.entry(quarter_of(edge.at_ms)).or_default();
            let place = quarter.edges.partition_point(|other| *other <= edge);
            quarter.edges.insert(place, edge);
            quarter.node.take();
        }
    }

    /// Takes out a use that was added.
    pub fn take_out(&mut self, span: Span) {
        let (begin, end) = span.edges();
        for edge in [Some(begin), end].into_iter().flatten() {
            let from_ms = quarter_of(edge.at_ms);
            let Some(quarter) = self.quarters.get_mut(&from_ms) else {
                continue;
            };
            if let Ok(place) = quarter.edges.binary_search(&edge) {
                quarter.edges.remove(place);
                quarter.node.take();
            }
            if quarter.edges.is_empty() {
                self.quarters.remove(&from_ms);
            }
        }
    }

    /// The nodes of the quarters in which something changes, the earliest first.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let quarters = self.quarters.iter();
        quarters.map(|(from_ms, quarter)| quarter.node(*from_ms))
    }

    /// The same with their edges, from which the tally of each is made.
    pub fn quarters(&self) -> impl Iterator<Item = (Node, &[Edge])> + '_ {
        let quarters = self.quarters.iter();
        quarters.map(|(from_ms, quarter)| (quarter.node(*from_ms), quarter.edges.as_slice()))
    }

    /// Those of the quarters that overlap the time from an instant, included, to another, not
    /// included.
    pub fn quarters_between(
        &self,
        from_ms: i64,
        to_ms: i64,
    ) -> impl Iterator<Item = (Node, &[Edge])> + '_ {
        let from_ms = quarter_of(from_ms);
        let quarters = self.quarters.range(from_ms..to_ms.max(from_ms));
        quarters.map(|(from_ms, quarter)| (quarter.node(*from_ms), quarter.edges.as_slice()))
    }

    /// What is in use just before an instant.
    pub fn opening(&self, at_ms: i64) -> Level {
        let whole = quarter_of(at_ms);
        let before = self.quarters.range(..whole);
        let level = before.fold(Level::default(), |level, (from_ms, quarter)| {
            quarter.node(*from_ms).after(level)
        });
        let Some(quarter) = self.quarters.get(&whole) else {
            return level;
        };
        Node::of(whole, at_ms, quarter.edges(whole, at_ms)).after(level)
    }

    /// From an instant, included, to another, not included: whole quarters by their nodes, parts of
    /// one by its edges.
    pub fn window(&self, from_ms: i64, to_ms: i64) -> Node {
        if to_ms <= from_ms {
            return Node::quiet(from_ms, from_ms);
        }
        let quarters = self.quarters.range(quarter_of(from_ms)..to_ms);
        let nodes = quarters.map(|(start_ms, quarter)| {
            let end_ms = start_ms.saturating_add(QUARTER_MS);
            if from_ms <= *start_ms && end_ms <= to_ms {
                return quarter.node(*start_ms);
            }
            let (from_ms, to_ms) = (from_ms.max(*start_ms), to_ms.min(end_ms));
            Node::of(from_ms, to_ms, quarter.edges(from_ms, to_ms))
        });
        Node::joined(from_ms, to_ms, nodes)
    }

    /// For how long each level lasted, with `opening` in use just before `from_ms`.
    pub fn tally(&self, opening: Level, from_ms: i64, to_ms: i64, gaps: &Gaps) -> Tally {
        if to_ms <= from_ms {
            return Tally::default();
        }
        let quarters = self.quarters.range(quarter_of(from_ms)..to_ms);
        let edges = quarters.flat_map(|(_, quarter)| quarter.edges(from_ms, to_ms));
        Tally::of(opening.seats, (from_ms, to_ms), edges, gaps)
    }
}

/// Goes along a timeline from stretch to stretch, and carries the level.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    timeline: &'a Timeline,
    at_ms: Option<i64>,
    level: Level,
}

impl<'a> Walk<'a> {
    /// It begins with the first stretch.
    pub fn along(timeline: &'a Timeline) -> Walk<'a> {
        Walk {
            timeline,
            at_ms: None,
            level: Level::default(),
        }
    }

    /// The level just before a stretch, and its node. It costs least if the stretch begins where
    /// the one before ended.
    pub fn step(&mut self, from_ms: i64, to_ms: i64) -> (Level, Node) {
        let to_ms = to_ms.max(from_ms);
        if self.at_ms != Some(from_ms) {
            self.level = self.timeline.opening(from_ms);
        }
        let (opening, node) = (self.level, self.timeline.window(from_ms, to_ms));
        self.level = node.after(opening);
        self.at_ms = Some(to_ms);
        (opening, node)
    }
}
