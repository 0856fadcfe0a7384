//! What servers say of their pools. Who reads one report after another, for months, keeps what has changed
//! since the one before, and what has not a few times an hour.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::rows::{Rows, Sink};
use crate::fact::{Feature, Snapshot};

/// How often a level that stays the same is told.
const SAME_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Pools of one feature on a server that are remembered; levels of further ones are told each time.
const POOLS_LIMIT: usize = 100;
/// Features on servers that are remembered.
const FEATURES_LIMIT: usize = 100_000;

/// Gives levels, all of them unless [`Levels::only_changes`] was said.
#[derive(Debug, Default)]
pub(super) struct Levels {
    only_changes: bool,
    told: BTreeMap<(Feature, Option<String>), Told>,
}

#[derive(Debug)]
struct Told {
    /// The report that is read.
    at: Timestamp,
    /// Pools of it so far.
    pools: usize,
    /// What was told last of each, and when.
    levels: Vec<(Timestamp, Level)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Level {
    issued: Option<u64>,
    in_use: Option<u64>,
    reserved: u64,
    queued: u64,
    trouble: Option<String>,
}

impl Levels {
    /// Leaves out levels that are as they were a moment ago.
    pub(super) fn only_changes(&mut self) {
        self.only_changes = true;
    }

    pub(super) fn take(&mut self, it: &Snapshot, rows: &mut Rows, sink: &mut Sink<'_>) {
        if !self.only_changes || !self.is_as_it_was(it) {
            rows.level(it, sink);
        }
    }

    /// Whether the same was told a moment ago; else it is told now.
    fn is_as_it_was(&mut self, it: &Snapshot) -> bool {
        let key = (it.feature.clone(), it.server.clone());
        if self.told.len() >= FEATURES_LIMIT && !self.told.contains_key(&key) {
            return false;
        }
        let told = self.told.entry(key).or_insert_with(|| Told {
            at: it.at,
            pools: 0,
            levels: Vec::new(),
        });
        if told.at != it.at {
            (told.at, told.pools) = (it.at, 0);
        }
        let place = told.pools;
        told.pools = told.pools.saturating_add(1);
        let level = Level::of(it);
        match told.levels.get_mut(place) {
            Some((at, known)) if *known == level && it.at.duration_since(*at) < SAME_EVERY => true,
            Some(known) => {
                *known = (it.at, level);
                false
            }
            None => {
                if told.levels.len() < POOLS_LIMIT {
                    told.levels.push((it.at, level));
                }
                false
            }
        }
    }
}

impl Level {
    fn of(it: &Snapshot) -> Level {
        let sum = |seats: u64, more: u32| seats.saturating_add(u64::from(more));
        Level {
            issued: it.issued,
            in_use: it.in_use,
            reserved: it.reserved.iter().map(|(_, seats)| *seats).fold(0, sum),
            queued: it.queued.iter().map(|(_, seats)| *seats).fold(0, sum),
            trouble: it.trouble.clone(),
        }
    }
}
