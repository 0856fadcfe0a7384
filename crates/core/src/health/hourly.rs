//! A limit on how often within an hour a manager does something by itself.

use std::collections::VecDeque;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// Counts what was done within the last hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hourly {
    times: usize,
    done: VecDeque<Duration>,
}

impl Hourly {
    /// A count with the limit `times`, at which nothing was done yet.
    pub(super) fn new(times: usize) -> Self {
        Hourly {
            times,
            done: VecDeque::new(),
        }
    }

    /// Whether the limit is not reached yet.
    pub(super) fn may(&mut self, now: Duration) -> bool {
        while self.done.front().is_some_and(|at| now - *at >= HOUR) {
            self.done.pop_front();
        }
        self.done.len() < self.times
    }

    /// Counts one more time.
    pub(super) fn note(&mut self, now: Duration) {
        self.done.push_back(now);
    }
}
