//! The processes that the rest of the agent is told of: those of products, their forks, all under a
//! cover, and those that the gate holds. All others are dropped at once.

use rustc_hash::{FxHashMap, FxHashSet};
use usher_core::sessions::ProcessKey;

/// How many processes are followed; others are not.
const LIMIT: usize = 65_536;
/// How many processes of held starts are followed; others are not.
const HELD_LIMIT: usize = usher_gate::HELD_AT_MOST;

/// Why a process is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It runs a program of a product, or ran one and then executed another.
    Own,
    /// It was forked by such a process.
    Forked,
    /// The process runs under a cover.
    Covered,
}

/// The processes of interest.
#[derive(Debug, Default)]
pub(super) struct Interest {
    processes: FxHashMap<u32, (u64, Kind)>,
    /// Processes of held starts, with their start times: the next program that each runs is told
    /// of, and its end.
    held: FxHashMap<u32, u64>,
}

impl Interest {
    /// All of them but those of held starts.
    pub(super) fn pids(&self) -> FxHashSet<u32> {
        self.processes.keys().copied().collect()
    }

    pub(super) fn get(&self, pid: u32) -> Option<Kind> {
        self.processes.get(&pid).map(|(_, kind)| *kind)
    }

    /// The start time of a process of interest; 0 if it is not known.
    pub(super) fn start(&self, pid: u32) -> Option<u64> {
        let known = self.processes.get(&pid).map(|(start, _)| *start);
        known.or_else(|| self.held.get(&pid).copied())
    }

    /// Whether its start is held, or was released just now.
    pub(super) fn is_held(&self, pid: u32) -> bool {
        self.held.contains_key(&pid)
    }

    /// Adds a process whose start is held; `false` if there is no room.
    pub(super) fn hold(&mut self, key: ProcessKey) -> bool {
        if self.held.len() >= HELD_LIMIT && !self.held.contains_key(&key.pid) {
            return false;
        }
        self.held.insert(key.pid, key.start);
        true
    }

    /// Forgets all processes of held starts except those for which `is_held` is true.
    pub(super) fn keep_held(&mut self, is_held: impl Fn(u32) -> bool) {
        self.held.retain(|pid, _| is_held(*pid));
    }

    /// Adds a process; a covered one stays covered. `false` if there is no room.
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

    /// The process has ended.
    pub(super) fn end(&mut self, pid: u32) -> bool {
        let was_held = self.held.remove(&pid).is_some();
        self.remove(pid) || was_held
    }

    pub(super) fn all(&self) -> Vec<u32> {
        let held = self.held.keys();
        let held = held.filter(|pid| !self.processes.contains_key(pid));
        self.processes.keys().chain(held).copied().collect()
    }
}
