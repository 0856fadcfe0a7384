//! Answers about what another licence server counts of a product: from the rows of finished imports, in
//! the order of their beginnings.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use rusqlite::{Result, params};
use usher_core::usage::{
    Bucket, Denied, Distinct, Edge, Level, Lines, Node, QUARTER_MS, RETRY_MS, Span, Stretch,
    Stretches, Wait, Who, quarter_of,
};

use super::about::{About, surrogate};
use super::told::told;
use crate::archive::Archived;
use crate::columns::unsigned;
use crate::used::Used;

/// Of refusals on a computer that the file does not name: no surrogate is 0.
pub(crate) const UNKNOWN: u64 = 0;

/// What is known of it in the buckets that are asked about.
pub(super) fn used(about: &About<'_>) -> Result<Used> {
    let (wanted, who) = about.checkouts()?;
    let denials = about.denials_elsewhere()?;
    Ok(Used {
        lines: Lines {
            wanted,
            ..Lines::default()
        },
        who,
        granted: about.granted_elsewhere(&denials)?,
        denials,
        waits: about.waits_elsewhere()?,
        told: told(about)?,
        archived: Archived::default(),
    })
}

impl About<'_> {
    /// Checkouts in each bucket, and whose they are, in one pass.
    fn checkouts(&self) -> Result<(Vec<Stretch>, Who)> {
        let asked = self.asked;
        let Bucket { from_ms, to_ms } = self.time;
        let begin_ms = quarter_of(from_ms);
        let mut sweep = Sweep::new(
            begin_ms,
            Stretches::new(&asked.buckets, asked.now_ms, &asked.gaps, Level::default()),
        );
        let mut users = Distinct::new(&asked.buckets);
        let mut computers = Distinct::new(&asked.buckets);
        let mut statement = self.connection.prepare_cached(
            "SELECT started_ms, coalesce(ended_ms, seen_ms, ?4), seats, person, computer \
             FROM elsewhere_uses WHERE product = ?1 AND started_ms < ?3 \
             AND (started_ms >= ?2 OR coalesce(ended_ms, seen_ms, ?4) > ?2) ORDER BY started_ms",
        )?;
        let mut rows = statement.query(params![self.product, begin_ms, to_ms, i64::MAX])?;
        while let Some(row) = rows.next()? {
            let (from_ms, until_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
            let span = Span {
                from_ms,
                until_ms: until_ms.max(from_ms),
                seats: row.get(2)?,
            };
            sweep.take(span);
            let Some(span) = span.before(asked.now_ms) else {
                continue;
            };
            // Whom the file does not name is nobody.
            if let Some(person) = surrogate(row.get(3)?) {
                users.add(person, span);
            }
            if let Some(computer) = surrogate(row.get(4)?) {
                computers.add(computer, span);
            }
        }
        let who = Who {
            users: users.counts(),
            computers: computers.counts(),
            active_ms: Vec::new(),
        };
        Ok((sweep.end(to_ms), who))
    }

    /// Refusals in the time, and before it those by which one in it may be a retry.
    fn denials_elsewhere(&self) -> Result<Vec<Denied>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, person, computer, at_ms FROM elsewhere_denials \
             WHERE product = ?1 AND at_ms >= ?2 AND at_ms < ?3",
        )?;
        let since_ms = self.time.from_ms.saturating_sub(RETRY_MS);
        let asked = params![self.product, since_ms, self.time.to_ms];
        let rows = statement.query_map(asked, |row| {
            // Two of whom nothing is known are not one person. Surrogates are below these numbers.
            let nobody = u64::MAX.saturating_sub(unsigned(row.get(0)?));
            let at_ms = row.get(3)?;
            Ok(Denied {
                person: surrogate(row.get(1)?).unwrap_or(nobody),
                computer: surrogate(row.get(2)?).unwrap_or(UNKNOWN),
                first_ms: at_ms,
                last_ms: at_ms,
                count: 1,
            })
        })?;
        rows.collect()
    }

    /// Whom of those that were refused checkouts were granted to.
    fn granted_elsewhere(&self, denials: &[Denied]) -> Result<Vec<(u64, i64)>> {
        let people: HashSet<u64> = denials.iter().map(|denied| denied.person).collect();
        let firsts = denials.iter().map(|denied| denied.first_ms);
        let Some((first_ms, last_ms)) = firsts.clone().min().zip(firsts.max()) else {
            return Ok(Vec::new());
        };
        let mut statement = self.connection.prepare_cached(
            "SELECT person, started_ms FROM elsewhere_uses \
             WHERE product = ?1 AND started_ms >= ?2 AND started_ms <= ?3",
        )?;
        // What comes later satisfies none of them.
        let until_ms = last_ms.saturating_add(RETRY_MS);
        let mut rows = statement.query(params![self.product, first_ms, until_ms])?;
        let mut granted = Vec::new();
        while let Some(row) = rows.next()? {
            let person = surrogate(row.get(0)?).filter(|person| people.contains(person));
            if let Some(person) = person {
                granted.push((person, row.get(1)?));
            }
        }
        Ok(granted)
    }

    /// Waits that began in the time.
    fn waits_elsewhere(&self) -> Result<Vec<Wait>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT queued_ms, coalesce(ended_ms, seen_ms, ?4) FROM elsewhere_waits \
             WHERE product = ?1 AND queued_ms >= ?2 AND queued_ms < ?3",
        )?;
        let Bucket { from_ms, to_ms } = self.time;
        let asked = params![self.product, from_ms, to_ms, i64::MAX];
        let rows = statement.query_map(asked, |row| {
            Ok(Wait {
                queued_ms: row.get(0)?,
                until_ms: row.get(1)?,
            })
        })?;
        rows.collect()
    }
}

/// Makes quarters of an hour of uses that come in the order of their beginnings. It holds the edges of
/// one quarter and the ends of what runs then, however many uses there are.
pub(crate) struct Sweep<'a> {
    made: Stretches<'a>,
    /// Where the first bucket's quarter begins.
    begin_ms: i64,
    /// The quarter that is being made.
    quarter_ms: i64,
    edges: Vec<Edge>,
    ends: BinaryHeap<Reverse<Edge>>,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(begin_ms: i64, made: Stretches<'a>) -> Sweep<'a> {
        Sweep {
            made,
            begin_ms,
            quarter_ms: begin_ms.saturating_sub(QUARTER_MS),
            edges: Vec::new(),
            ends: BinaryHeap::new(),
        }
    }

    /// What began before the first bucket's quarter, and lasts into it, counts from just before it.
    pub(crate) fn take(&mut self, span: Span) {
        let from_ms = span.from_ms.max(self.begin_ms.saturating_sub(1));
        let (begin, end) = Span { from_ms, ..span }.edges();
        self.go_to(quarter_of(from_ms));
        self.edges.push(begin);
        self.ends.extend(end.map(Reverse));
    }

    /// Hands over all quarters before that one.
    fn go_to(&mut self, quarter_ms: i64) {
        while self.quarter_ms < quarter_ms {
            self.hand_over();
            let next_ms = self.ends.peek().map(|next| quarter_of(next.0.at_ms));
            self.quarter_ms = next_ms.map_or(quarter_ms, |next_ms| next_ms.min(quarter_ms));
        }
    }

    fn hand_over(&mut self) {
        let to_ms = self.quarter_ms.saturating_add(QUARTER_MS);
        while self.ends.peek().is_some_and(|next| next.0.at_ms < to_ms) {
            self.edges.extend(self.ends.pop().map(|next| next.0));
        }
        if self.edges.is_empty() {
            return;
        }
        self.edges.sort_unstable();
        let node = Node::of(self.quarter_ms, to_ms, &self.edges);
        self.made.take(&node, &self.edges);
        self.edges.clear();
    }

    /// The stretches of all buckets, the last of which ends at `to_ms`.
    pub(crate) fn end(mut self, to_ms: i64) -> Vec<Stretch> {
        self.go_to(quarter_of(to_ms).saturating_add(QUARTER_MS));
        self.made.end()
    }
}
