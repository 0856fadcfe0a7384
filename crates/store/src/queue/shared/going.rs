//! The state of the writer: what is committed, what is behind, whether the disk answers.

use std::sync::atomic::Ordering;

use super::{Shared, lock};
use crate::queue::requests::{Failure, Health};

/// A commit that takes longer than this means that the disk hangs.
const STUCK_SECONDS: u64 = 3;

/// The name in `meta` of the last time when an empty command was committed.
pub(crate) const PROVED: &str = "proved_wall";

impl Shared {
    pub(crate) fn commits(&self) -> (u64, u64) {
        (
            self.batches.load(Ordering::Relaxed),
            self.events.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn behind(&self, events: u64) {
        self.behind.store(events, Ordering::Relaxed);
    }

    /// Counts pages that were written to the log.
    pub(crate) fn logged(&self, pages: u64) {
        self.logged_pages.fetch_add(pages, Ordering::Relaxed);
    }

    /// Notes the size of a log whose checkpoint a reader prevents, or that none does; answers the
    /// former note.
    pub(crate) fn held_log(&self, bytes: Option<u64>) -> Option<u64> {
        let before = self
            .held_log_bytes
            .swap(bytes.unwrap_or(0), Ordering::Relaxed);
        (before > 0).then_some(before)
    }

    /// The size of a log whose checkpoint a reader prevents.
    pub(crate) fn held_log_bytes(&self) -> Option<u64> {
        Some(self.held_log_bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }

    pub(super) fn logged_pages(&self) -> u64 {
        self.logged_pages.load(Ordering::Relaxed)
    }

    pub(crate) fn left(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    /// Goes the way of every request, and changes nothing that is remembered: into the queue,
    /// past the ledger, onto the disk and back.
    pub(crate) fn prove(&self) -> Result<(), Failure> {
        self.read(|_, _| ())?;
        let wall_ms = self.clock.wall_ms();
        self.with_connection(move |connection| {
            crate::base::meta::put(connection, PROVED, wall_ms.cast_unsigned())
        })
    }

    pub(crate) fn counted(&self, events: u64) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn commit_begins(&self) {
        self.asked_ms
            .store(self.clock.boot_ms() + 1, Ordering::Relaxed);
    }

    pub(crate) fn commit_ends(&self) {
        self.asked_ms.store(0, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, why: &str) {
        let mut trouble = lock(&self.trouble);
        let since = trouble
            .as_ref()
            .map_or_else(|| self.clock.wall_ms(), |(_, since)| *since);
        *trouble = Some((why.to_owned(), since));
    }

    pub(crate) fn recovered(&self) {
        if lock(&self.trouble).take().is_some() {
            tracing::info!("commits succeed again");
        }
    }

    pub(crate) fn trouble_text(&self) -> String {
        lock(&self.trouble)
            .as_ref()
            .map_or_else(String::new, |(why, _)| why.clone())
    }

    pub(crate) fn health(&self) -> Health {
        let asked = self.asked_ms.load(Ordering::Relaxed);
        let for_ms = self.clock.boot_ms().saturating_add(1).saturating_sub(asked);
        if asked > 0 && for_ms > STUCK_SECONDS * 1_000 {
            return Health::Stuck {
                why: format!("the disk of {} has not answered", self.path.display()),
                for_seconds: for_ms / 1_000,
            };
        }
        match lock(&self.trouble).clone() {
            Some((why, since_wall_ms)) => Health::Degraded { why, since_wall_ms },
            None => Health::Ok,
        }
    }
}
