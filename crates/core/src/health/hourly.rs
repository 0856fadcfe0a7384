//! A limit of so many times an hour, for what a manager does by itself.

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
    /// Nothing was done yet; `times` an hour at the most.
    pub(super) fn new(times: usize) -> Self {
        Hourly {
            times,
            done: VecDeque::new(),
        }
    }

    /// Whether it may be done once more.
    pub(super) fn may(&mut self, now: Duration) -> bool {
        while self.done.front().is_some_and(|at| now - *at >= HOUR) {
            self.done.pop_front();
        }
        self.done.len() < self.times
    }

    /// It is done once more.
    pub(super) fn note(&mut self, now: Duration) {
        self.done.push_back(now);
    }
}
