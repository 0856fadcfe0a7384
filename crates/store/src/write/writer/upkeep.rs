//! The upkeep of the writer beside serving: it fills the tables, and leaves them complete at its
//! end.

use super::{BITE_EVENTS, JOURNAL_LIMIT_EVENTS, LOOK, SLICE_EVENTS, SLICE_SHARE, Writer};
use crate::file::closed;
use crate::queue::requests::Failure;
use crate::tables::fill::fill;

impl Writer {
    /// How many events the tables do not hold yet.
    pub(crate) fn behind(&self) -> u64 {
        self.durable_to.saturating_sub(self.filled_to)
    }

    /// Whether to fill the tables without a pause while requests keep arriving, because somebody
    /// waits for that.
    pub(super) fn must_fill(&self) -> bool {
        !self.settlers.is_empty()
    }

    /// Computes how many journal events to apply while requests keep arriving: none while the journal
    /// is less than half full, as many as arrive if it is three quarters full, and twice as many at
    /// its limit. So a lasting load finds its balance, and no request waits for long.
    pub(super) fn compute_owed(&mut self) {
        let came = self.durable_to.saturating_sub(self.counted_to);
        self.counted_to = self.durable_to;
        let over = self.behind().saturating_sub(JOURNAL_LIMIT_EVENTS / 2);
        self.owed += came.saturating_mul(over) / (JOURNAL_LIMIT_EVENTS / 4);
        self.owed = self.owed.min(self.behind());
    }

    /// Fills the tables if there is time or somebody waits for that; keeps the write-ahead log
    /// short.
    pub(super) fn upkeep(&mut self, idle: bool) {
        if let Some(why) = &self.gone {
            for (_, mut settler) in self.settlers.drain(..) {
                settler(Err(Failure::Storage(why.clone())));
            }
            return;
        }
        let may_try = self.may_try();
        self.compute_owed();
        if (idle || self.must_fill()) && self.behind() > 0 && may_try {
            let share = self.behind() / SLICE_SHARE;
            self.fill(share.clamp(*SLICE_EVENTS.start(), *SLICE_EVENTS.end()));
        } else if self.owed >= BITE_EVENTS && may_try {
            self.fill(BITE_EVENTS);
        }
        let filled_to = self.filled_to;
        self.settlers.retain_mut(|(target, settler)| {
            let settled = *target <= filled_to;
            if settled {
                settler(Ok(()));
            }
            !settled
        });
        if may_try {
            self.shorten_log();
        }
    }

    /// Applies at least so many events to the tables.
    pub(super) fn fill(&mut self, at_least: u64) {
        let Some(connection) = &self.connection else {
            return;
        };
        self.shared.commit_begins();
        let filled = fill(connection, &self.path, self.filled_to, at_least);
        self.shared.commit_ends();
        match filled {
            Ok(Some(filled_to)) => {
                let events = filled_to.saturating_sub(self.filled_to);
                self.filled_to = filled_to;
                self.owed = self.owed.saturating_sub(events);
            }
            Ok(None) => self.filled_to = self.durable_to,
            Err(error) => {
                let why = error.to_string();
                self.failed(&why);
                for (_, mut settler) in self.settlers.drain(..) {
                    settler(Err(Failure::Storage(why.clone())));
                }
            }
        }
    }

    /// Leaves the file complete: tables filled, no journal, no write-ahead log.
    pub(super) fn finish(&mut self) {
        self.looked_at = self.looked_at.checked_sub(LOOK).unwrap_or(self.looked_at);
        self.look_for_files();
        if self.gone.is_some() {
            // SQLite would remove the log at that path, which may be another file's by now. The
            // process ends after this, and takes the connection with it.
            std::mem::forget(self.connection.take());
            return;
        }
        while self.filled_to < self.durable_to {
            let before = self.filled_to;
            self.fill(*SLICE_EVENTS.end());
            self.shared.behind(self.behind());
            if self.filled_to == before {
                return;
            }
        }
        self.beside = None;
        self.shared.close_readers();
        let Some(connection) = self.connection.take() else {
            return;
        };
        // Where the disk is in trouble, what it holds is not sure.
        let is_well = self.retry_at.is_none() && !self.must_rebuild;
        let is_marked = is_well && self.place.is_directory();
        let mark = is_marked.then(|| closed::put(&connection)).flatten();
        self.empty_log(&connection);
        drop(connection);
        if let Some(mark) = mark
            && let Err(error) = closed::put_beside(&self.path, &mark)
        {
            tracing::warn!(
                %error,
                "the file cannot be marked as closed: a restore that replaces it waits as after a kill"
            );
        }
    }
}
