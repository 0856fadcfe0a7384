//! The queue and the state of one destination.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};
use usher_site::DestinationRow;

use crate::clock::wall_ms;
use crate::delivery::Parcel;

/// A message that waits.
pub(crate) struct Waiting {
    pub(super) parcel: Parcel,
    /// How long it waited before this manager's start.
    waited: Duration,
    since: Instant,
    /// Whether its failure was reported.
    pub(super) is_told: bool,
    /// How many tries of it have failed since it came to the front.
    pub(super) tries: usize,
}

impl Waiting {
    /// A message that has just come.
    pub(super) fn new(parcel: Parcel) -> Waiting {
        Waiting::resumed(parcel, Duration::ZERO, false)
    }

    /// A message that waited before this manager's start.
    pub(crate) fn resumed(parcel: Parcel, waited: Duration, is_told: bool) -> Waiting {
        Waiting {
            parcel,
            waited,
            since: Instant::now(),
            is_told,
            tries: 0,
        }
    }

    /// How long it has waited.
    pub(super) fn waited(&self) -> Duration {
        self.waited + self.since.elapsed()
    }
}

/// The queue of one destination.
pub(super) struct Queue {
    /// The destination, as the site database names it.
    pub(super) destination: Arc<str>,
    pub(super) parcels: VecDeque<Waiting>,
    /// How many admitted messages are still to come.
    pub(super) coming: usize,
    /// Whether it has a running task.
    pub(super) is_running: bool,
    /// Whether its first message is being delivered.
    pub(super) is_busy: bool,
    /// How many messages were dropped since it was last empty.
    pub(super) dropped: u64,
    pub(super) failing: Option<Failing>,
    /// Wakes its task from a pause between tries.
    pub(super) again: Arc<Notify>,
}

impl Queue {
    pub(super) fn new(destination: Arc<str>) -> Queue {
        Queue {
            destination,
            parcels: VecDeque::new(),
            coming: 0,
            is_running: false,
            is_busy: false,
            dropped: 0,
            failing: None,
            again: Arc::default(),
        }
    }

    pub(super) fn waits(&self) -> u64 {
        self.parcels.len() as u64 + u64::from(self.is_busy)
    }

    /// Whether nothing waits and nothing comes, so that it only holds the state of its destination.
    pub(super) fn is_idle(&self) -> bool {
        self.parcels.is_empty() && self.coming == 0 && !self.is_running
    }

    /// The state of its destination in the form in which it is stored.
    pub(super) fn row(&self) -> Option<DestinationRow> {
        let failing = self.failing.as_ref()?;
        Some(DestinationRow {
            destination: self.destination.to_string(),
            since_ms: failing.since_ms,
            tries: failing.tries as u64,
            why: failing.why.clone(),
            given_up: failing.given_up,
        })
    }
}

/// A failing destination.
#[derive(Debug, Clone)]
pub(super) struct Failing {
    /// When it first failed; Unix milliseconds, wall clock.
    pub(super) since_ms: i64,
    /// When it is tried next; Unix milliseconds, wall clock.
    pub(super) next_ms: i64,
    pub(super) why: String,
    pub(super) tries: usize,
    pub(super) given_up: u64,
    pub(super) tried: Instant,
}

impl Failing {
    /// A destination that fails from now on.
    pub(super) fn now() -> Failing {
        let now_ms = wall_ms();
        Failing {
            since_ms: now_ms,
            next_ms: now_ms,
            why: String::new(),
            tries: 0,
            given_up: 0,
            tried: Instant::now(),
        }
    }

    /// A destination in the state that was stored.
    pub(super) fn resumed(row: DestinationRow) -> Failing {
        Failing {
            since_ms: row.since_ms,
            why: row.why,
            tries: usize::try_from(row.tries).unwrap_or(usize::MAX),
            given_up: row.given_up,
            ..Failing::now()
        }
    }
}
