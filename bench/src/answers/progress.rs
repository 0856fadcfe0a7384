//! How far work has come, for who waits in front of it.

use std::time::{Duration, Instant};

use crate::beside::table::grouped;

/// From one line to the next; what is done sooner says nothing.
const EVERY: Duration = Duration::from_secs(2);

/// Work of a known size.
pub(super) struct Progress {
    what: String,
    total: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// `what` is counted, such as `sessions appended`, up to `total`.
    pub(super) fn new(what: &str, total: u64) -> Progress {
        let now = Instant::now();
        Progress {
            what: what.to_owned(),
            total,
            began: now,
            told: now,
        }
    }

    /// So many are done.
    pub(super) fn at(&mut self, done: u64) {
        if self.told.elapsed() < EVERY {
            return;
        }
        self.told = Instant::now();
        let per_second = done as f64 / self.began.elapsed().as_secs_f64();
        eprintln!(
            "{}: {} of {}, {}/s",
            self.what,
            grouped(done as f64),
            grouped(self.total as f64),
            grouped(per_second)
        );
    }
}
