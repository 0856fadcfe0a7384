//! What is of concern, and how it is told: each sort by its own facts, and one message for each.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod door;
mod ends;
mod low;
mod sorts;
mod source;
mod told;

use std::time::Duration;

use usher_core::concerns::{AgentFact, Concern, Facts, Thresholds, judge};
use usher_core::messages::entry;

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// 2026-11-25 10:00 UTC.
pub(crate) const NOW_MS: i64 = 1_795_600_800_000;

/// A server of which nothing is of concern.
pub(crate) fn well() -> Facts {
    Facts {
        at_ms: NOW_MS,
        ..Facts::default()
    }
}

pub(crate) fn agent(number: u32, silent_ms: i64) -> AgentFact {
    AgentFact {
        id: format!("c{number:04}"),
        name: format!("pc{number}"),
        last_seen_ms: NOW_MS - silent_ms,
        unreached: None,
        ended: None,
        caught: None,
    }
}

pub(crate) fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is of concern.
pub(crate) fn found(facts: &Facts) -> Vec<Concern> {
    judge("alpha", facts, &Thresholds::default(), &|_, _| false)
}

/// What is told of all that is of concern.
pub(crate) fn texts(facts: &Facts) -> Vec<String> {
    let text = |concern: Concern| {
        let entry = entry(concern.kind.message_id());
        assert_eq!(entry.values(), concern.values.len(), "{concern:?}");
        entry.fill(&concern.values)
    };
    found(facts).into_iter().map(text).collect()
}
