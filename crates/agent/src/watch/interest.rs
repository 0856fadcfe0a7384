//! Which processes the rest of the agent wants to hear of: those of products, what these fork,
//! and all below a cover. Everything else is dropped where it is seen.

use rustc_hash::FxHashMap;
use usher_core::sessions::ProcessKey;

/// Processes that are kept; what does not fit is not followed.
const LIMIT: usize = 65_536;

/// Why a process is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It runs a program of a product, or did and became another image.
    Own,
    /// It was forked by one that does.
    Forked,
    /// It is under a cover.
    Covered,
}

/// The processes of interest.
#[derive(Debug, Default)]
pub(super) struct Interest {
    processes: FxHashMap<u32, (u64, Kind)>,
}

impl Interest {
    pub(super) fn get(&self, pid: u32) -> Option<Kind> {
        self.processes.get(&pid).map(|(_, kind)| *kind)
    }

    /// The start time of a process of interest; 0 where it is not known.
    pub(super) fn start(&self, pid: u32) -> Option<u64> {
        self.processes.get(&pid).map(|(start, _)| *start)
    }

    /// Adds a process; a covered one stays covered. False: there is no room.
    pub(super) fn insert(&mut self, key: ProcessKey, kind: Kind) -> bool {
        if let Some((start, known)) = self.processes.get_mut(&key.pid) {
            let same = *start == key.start || *start == 0 || key.start == 0;
            if !(same && *known == Kind::Covered) {
                *known = kind;
            }
            if key.start != 0 {
                *start = key.start;
            }
            return true;
        }
        if self.processes.len() >= LIMIT {
            return false;
        }
        self.processes.insert(key.pid, (key.start, kind));
        true
    }

    pub(super) fn remove(&mut self, pid: u32) -> bool {
        self.processes.remove(&pid).is_some()
    }

    pub(super) fn all(&self) -> Vec<u32> {
        self.processes.keys().copied().collect()
    }
}
