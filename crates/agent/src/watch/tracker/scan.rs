//! A look at all processes, and at what one did before the kernel told of it.

use std::sync::atomic::Ordering;

use usher_core::sessions::ProcessKey;

use super::look::Found;
use super::{Facts, Tracker};
use crate::base::{clock, lock};
use crate::system::procfs::ProcessStat;
use crate::system::{FileKey, procfs};
use crate::watch::interest::Kind;
use crate::watch::resolve::Raw;

impl Tracker {
    /// From now on the kernel reports this process; this finds out what it did just before.
    pub(in crate::watch) fn catch_up(&mut self, pid: u32) {
        let ended = match procfs::process_stat(pid) {
            Ok(stat) => stat.ending && stat.threads <= 1,
            Err(_) => true,
        };
        if ended {
            self.exit(pid);
            return;
        }
        if lock(&self.shared.interest).get(pid).is_none() {
            // What it made before it was held is of no interest.
            return;
        }
        let children = procfs::children(pid);
        if children.is_empty() {
            return;
        }
        let covered = lock(&self.shared.interest).get(pid) == Some(Kind::Covered);
        let image = procfs::executable(pid, &mut self.scratch)
            .ok()
            .map(|(_, key)| key);
        for child in children {
            // A child that has become something else is only of interest under a cover.
            let same_image = || {
                let theirs = procfs::executable(child, &mut Vec::new())
                    .ok()
                    .map(|(_, key)| key);
                theirs.is_some() && theirs == image
            };
            let known = lock(&self.shared.interest).get(child).is_some();
            if !known && (covered || same_image()) {
                self.fork(pid, child);
            }
        }
    }

    /// A look at all processes has found this one running.
    pub(in crate::watch) fn found(
        &mut self,
        pid: u32,
        stat: &ProcessStat,
        polled: Option<&mut Polled>,
    ) {
        let interest = lock(&self.shared.interest).start(pid);
        let ended = interest.is_some_and(|start| start != 0 && start != stat.start)
            || (interest.is_some() && stat.ending && stat.threads <= 1);
        if ended {
            self.ended(pid, clock::now());
        }
        if stat.ending {
            return;
        }
        let Ok((path, key)) = procfs::executable(pid, &mut self.scratch) else {
            return;
        };
        let is_new = polled.is_some_and(|polled| polled.changed(pid, stat.start, key));
        match self.look(pid, path.clone(), key) {
            Found::Unmetered(known) => {
                if is_new {
                    self.shared.figures.starts.fetch_add(1, Ordering::Relaxed);
                    lock(&self.shared.counts).add(&known.name, 1);
                    // Since when it runs that is known to the look before.
                    let at_boot_ms = clock::boot_ms();
                    self.shared.began(pid, &path, &known.name, at_boot_ms);
                    self.unmetered(pid, Facts::Unread);
                }
                let parent = lock(&self.shared.interest).get(stat.parent);
                let below_cover = parent == Some(Kind::Covered);
                if below_cover && lock(&self.shared.interest).get(pid).is_none() {
                    let start = stat.start;
                    self.take_interest(ProcessKey { pid, start }, Kind::Covered);
                    self.unmetered(pid, Facts::Unread);
                }
            }
            Found::Program(run) => {
                if is_new {
                    self.shared.figures.starts.fetch_add(1, Ordering::Relaxed);
                }
                self.program(pid, run, Facts::Found(*stat));
            }
        }
    }

    /// A look at all processes is over: those of interest that it did not find have ended.
    pub(in crate::watch) fn end_of_scan(&mut self) {
        let known = lock(&self.shared.interest).all();
        for pid in known {
            if !procfs::exists(pid) {
                self.exit(pid);
            }
        }
        self.send(Raw::Settled { at: clock::now() });
    }
}

/// What a poller saw at its last look, to know which processes are new.
#[derive(Debug, Default)]
pub(in crate::watch) struct Polled {
    processes: rustc_hash::FxHashMap<u32, (u64, FileKey)>,
    /// False until the first look is over: the processes that it finds count as known already.
    counting: bool,
}

impl Polled {
    fn changed(&mut self, pid: u32, start: u64, key: FileKey) -> bool {
        let before = self.processes.insert(pid, (start, key));
        self.counting && before != Some((start, key))
    }

    /// Forgets the processes that are gone; from now on a process that was not seen before has
    /// started.
    pub(in crate::watch) fn keep(&mut self, alive: &rustc_hash::FxHashSet<u32>) {
        self.processes.retain(|pid, _| alive.contains(pid));
        self.counting = true;
    }
}
