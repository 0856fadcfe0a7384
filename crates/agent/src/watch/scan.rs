//! A look at all processes, a few at a time, parents before children.

use rustc_hash::FxHashSet;

use super::tracker::{Polled, Tracker};
use crate::system::procfs::{self, ProcessStat};

/// How many processes are looked at in one step, so that events need not wait.
const STEP: usize = 16;

/// A look at all processes, under way.
pub(super) struct Scan {
    pids: Vec<u32>,
    found: Vec<(u32, ProcessStat)>,
    next: usize,
    sorted: bool,
}

impl Scan {
    pub(super) fn begin() -> Self {
        let pids = procfs::all_pids().unwrap_or_default();
        Scan {
            pids,
            found: Vec::new(),
            next: 0,
            sorted: false,
        }
    }

    /// Goes on with the next few processes; `true`: these were the last.
    pub(super) fn step(&mut self, tracker: &mut Tracker, mut polled: Option<&mut Polled>) -> bool {
        if !self.pids.is_empty() {
            let from = self.pids.len().saturating_sub(STEP);
            for pid in self.pids.drain(from..) {
                if let Ok(stat) = procfs::process_stat(pid) {
                    self.found.push((pid, stat));
                }
            }
            return false;
        }
        if !self.sorted {
            self.found
                .sort_unstable_by_key(|(pid, stat)| (stat.start, *pid));
            self.sorted = true;
        }
        let to = (self.next + STEP).min(self.found.len());
        for (pid, stat) in &self.found[self.next..to] {
            tracker.found(*pid, stat, polled.as_deref_mut());
        }
        self.next = to;
        if to < self.found.len() {
            return false;
        }
        if let Some(polled) = polled {
            let alive: FxHashSet<u32> = self.found.iter().map(|(pid, _)| *pid).collect();
            polled.keep(&alive);
        }
        tracker.end_of_scan();
        true
    }
}
