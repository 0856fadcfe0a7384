//! The state of a made-up disk: its files by name, its power, and what was done with it.

use std::collections::{BTreeMap, BTreeSet};

use super::file::File;
use crate::rng::Rng;

/// The disk has no power, or the file is none of it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoAnswer;

/// All files of one disk, and whether it has power.
#[derive(Debug, Clone)]
pub(super) struct State {
    files: BTreeMap<String, File>,
    /// Files that one program has for itself.
    held: BTreeSet<String>,
    /// How often the power came: what was opened before is open no more.
    boot: u64,
    is_off: bool,
    /// Operations until the power fails.
    until_cut: Option<u64>,
    /// Operations until one fails by itself.
    until_fault: Option<u64>,
    syncs_lie: bool,
    operations: u64,
    trace: u64,
    rng: Rng,
}

/// What changes a disk.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Make,
    Write,
    Cut,
    Sync,
    Remove,
}

impl State {
    pub(super) fn new(seed: u64) -> State {
        State {
            files: BTreeMap::new(),
            held: BTreeSet::new(),
            boot: 0,
            is_off: false,
            until_cut: None,
            until_fault: None,
            syncs_lie: false,
            operations: 0,
            trace: 0,
            rng: Rng::new(seed, 6),
        }
    }

    /// The same disk, with nothing open, and with other luck.
    pub(super) fn fork(&self, seed: u64) -> State {
        State {
            held: BTreeSet::new(),
            boot: self.boot + 1,
            rng: Rng::new(seed, 6),
            ..self.clone()
        }
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    /// Stands for all that was done, but for the bytes that were written.
    pub(super) fn trace(&self) -> u64 {
        self.trace
    }

    pub(super) fn unsynced(&self) -> usize {
        self.files.values().map(File::unsynced).sum()
    }

    pub(super) fn is_off(&self) -> bool {
        self.is_off
    }

    pub(super) fn cut_after(&mut self, operations: u64) {
        self.until_cut = Some(operations);
    }

    pub(super) fn cut(&mut self) {
        self.is_off = true;
    }

    pub(super) fn fail_after(&mut self, operations: u64) {
        self.until_fault = Some(operations);
    }

    pub(super) fn lie_about_syncs(&mut self) {
        self.syncs_lie = true;
    }

    /// The power has failed, and is there again.
    pub(super) fn crash(&mut self) {
        let sector = if self.rng.chance(50) { 512 } else { 4_096 };
        for file in self.files.values_mut() {
            file.lose(&mut self.rng, sector);
        }
        self.held.clear();
        self.boot += 1;
        self.until_cut = None;
        self.is_off = false;
    }

    /// Opens a file, `alone` if nobody else may have it; answers the boot that it is open in.
    pub(super) fn open(&mut self, name: &str, make: bool, alone: bool) -> Result<u64, NoAnswer> {
        self.answers(self.boot)?;
        let is_there = self.seen(name).is_some();
        if !is_there && !make || self.held.contains(name) {
            return Err(NoAnswer);
        }
        if !is_there {
            self.files.entry(name.to_owned()).or_default().make();
            self.spend(Operation::Make, name, 0, 0)?;
        }
        if alone {
            self.held.insert(name.to_owned());
        }
        Ok(self.boot)
    }

    pub(super) fn close(&mut self, boot: u64, name: &str) {
        if boot == self.boot {
            self.held.remove(name);
        }
    }

    /// How many bytes there were to read.
    pub(super) fn read(
        &self,
        boot: u64,
        name: &str,
        at: usize,
        into: &mut [u8],
    ) -> Result<usize, NoAnswer> {
        self.answers(boot)?;
        let rest = self.seen(name).and_then(|seen| seen.get(at..));
        let found = rest.unwrap_or_default();
        let length = found.len().min(into.len());
        into[..length].copy_from_slice(&found[..length]);
        Ok(length)
    }

    pub(super) fn write(
        &mut self,
        boot: u64,
        name: &str,
        at: usize,
        bytes: &[u8],
    ) -> Result<(), NoAnswer> {
        self.file(boot, name)?.write(at, bytes);
        self.spend(Operation::Write, name, at, bytes.len())
    }

    pub(super) fn cut_file(
        &mut self,
        boot: u64,
        name: &str,
        length: usize,
    ) -> Result<(), NoAnswer> {
        self.file(boot, name)?.cut(length);
        self.spend(Operation::Cut, name, length, 0)
    }

    pub(super) fn sync(&mut self, boot: u64, name: &str) -> Result<(), NoAnswer> {
        self.file(boot, name)?;
        // A power cut comes before its end.
        let spent = self.spend(Operation::Sync, name, 0, 0);
        let file = self.files.get_mut(name).ok_or(NoAnswer)?;
        match spent {
            Ok(()) if self.syncs_lie => file.pretend_to_sync(),
            Ok(()) => {
                // SQLite syncs the folder with a file that it has made: the names of all are there.
                let is_new = file.is_new();
                file.sync();
                if is_new {
                    self.files.values_mut().for_each(File::sync_name);
                }
            }
            Err(_) if self.is_off => {}
            Err(_) => file.fail_to_sync(&mut self.rng),
        }
        spent
    }

    pub(super) fn length(&self, boot: u64, name: &str) -> Result<usize, NoAnswer> {
        self.answers(boot)?;
        Ok(self.seen(name).map_or(0, <[u8]>::len))
    }

    /// Whether a file is there with something in it.
    pub(super) fn has(&self, name: &str) -> Result<bool, NoAnswer> {
        self.answers(self.boot)?;
        Ok(self.seen(name).is_some_and(|seen| !seen.is_empty()))
    }

    /// Removes a file, durably if it `syncs`; answers whether there was one.
    pub(super) fn remove(&mut self, name: &str, syncs: bool) -> Result<bool, NoAnswer> {
        self.answers(self.boot)?;
        if self.seen(name).is_none() {
            return Ok(false);
        }
        self.file(self.boot, name)?.remove();
        self.spend(Operation::Remove, name, usize::from(syncs), 0)?;
        if syncs && !self.syncs_lie {
            self.files.values_mut().for_each(File::sync_name);
        }
        Ok(true)
    }

    fn seen(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name)?.seen()
    }

    fn answers(&self, boot: u64) -> Result<(), NoAnswer> {
        match self.is_off || boot != self.boot {
            true => Err(NoAnswer),
            false => Ok(()),
        }
    }

    fn file(&mut self, boot: u64, name: &str) -> Result<&mut File, NoAnswer> {
        self.answers(boot)?;
        self.files.get_mut(name).ok_or(NoAnswer)
    }

    /// Counts an operation, and lets it or the power fail if that is due: what it asked for is then
    /// not synced, and may be on the medium or not.
    fn spend(
        &mut self,
        operation: Operation,
        name: &str,
        at: usize,
        length: usize,
    ) -> Result<(), NoAnswer> {
        self.operations += 1;
        let words = [operation as u64, at as u64, length as u64];
        let bytes = name.bytes().map(u64::from);
        self.trace = words
            .into_iter()
            .chain(bytes)
            .fold(self.trace, |trace, word| {
                // FNV-1a, by words.
                (trace ^ word)
                    .wrapping_mul(0x0100_0000_01b3)
                    .rotate_left(17)
            });
        let has_failed = is_over(&mut self.until_fault);
        self.is_off |= is_over(&mut self.until_cut);
        match has_failed || self.is_off {
            true => Err(NoAnswer),
            false => Ok(()),
        }
    }
}

/// Whether the count has reached its end; then nothing is counted any more.
fn is_over(count: &mut Option<u64>) -> bool {
    match count {
        None => false,
        Some(0) => {
            *count = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> (State, u64) {
        let mut disk = State::new(1);
        let boot = disk.open("file", true, true).unwrap();
        (disk, boot)
    }

    #[test]
    fn a_file_that_one_has_alone_is_opened_by_nobody_else_until_it_is_closed() {
        let (mut disk, boot) = disk();
        assert_eq!(disk.open("file", false, true), Err(NoAnswer));
        disk.close(boot, "file");
        assert_eq!(disk.open("file", false, true), Ok(boot));
        assert_eq!(disk.open("another", false, false), Err(NoAnswer));
    }

    #[test]
    fn after_a_cut_nothing_is_answered_and_what_was_open_stays_closed() {
        let (mut disk, boot) = disk();
        disk.cut_after(1);
        assert_eq!(disk.write(boot, "file", 0, b"one"), Ok(()));
        assert_eq!(disk.sync(boot, "file"), Err(NoAnswer));
        assert!(disk.is_off());
        assert_eq!(disk.read(boot, "file", 0, &mut [0; 3]), Err(NoAnswer));
        assert_eq!(disk.has("file"), Err(NoAnswer));
        disk.crash();
        assert_eq!(disk.write(boot, "file", 0, b"two"), Err(NoAnswer));
        assert_eq!(disk.unsynced(), 0);
    }

    #[test]
    fn a_removal_is_on_the_medium_when_a_new_file_of_the_folder_was_synced() {
        for seed in 0..50 {
            let (mut disk, boot) = disk();
            disk.write(boot, "file", 0, b"one").unwrap();
            disk.sync(boot, "file").unwrap();
            disk.remove("file", false).unwrap();
            disk.open("another", true, false).unwrap();
            disk.sync(boot, "another").unwrap();
            let mut disk = disk.fork(seed);
            disk.crash();
            assert_eq!(disk.has("file"), Ok(false));
        }
    }

    #[test]
    fn an_operation_that_fails_is_one_and_the_next_is_done() {
        let (mut disk, boot) = disk();
        disk.fail_after(1);
        assert_eq!(disk.write(boot, "file", 0, b"one"), Ok(()));
        assert_eq!(disk.sync(boot, "file"), Err(NoAnswer));
        assert!(!disk.is_off());
        assert_eq!(disk.unsynced(), 0, "no later sync brings it");
        assert_eq!(disk.sync(boot, "file"), Ok(()));
    }

    #[test]
    fn a_removal_that_was_not_synced_may_be_undone_and_one_that_was_is_not() {
        let removed = |seed, syncs| {
            let (mut disk, boot) = disk();
            disk.write(boot, "file", 0, b"one").unwrap();
            disk.sync(boot, "file").unwrap();
            assert_eq!(disk.remove("file", syncs), Ok(true));
            assert_eq!(disk.remove("file", syncs), Ok(false));
            let mut disk = disk.fork(seed);
            disk.crash();
            !disk.has("file").unwrap()
        };
        assert!((0..50).all(|seed| removed(seed, true)));
        assert!((0..50).any(|seed| removed(seed, false)));
        assert!(!(0..50).all(|seed| removed(seed, false)));
    }
}
