//! A made-up disk for SQLite: it keeps apart what was synced and what was not, and loses or tears
//! the second when its power fails.
//!
//! A [`Disk`] has files, which SQLite opens over the VFS [`Disk::VFS`] under the names that
//! [`Disk::path`] gives. Every file is nobody else's while it is open: a connection begins with
//! `PRAGMA locking_mode = EXCLUSIVE`.

mod file;
mod open;
mod registry;
mod state;
mod vfs;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use registry::{Shared, lock};
use state::State;

/// The simulated disk. Its random decisions depend on its seed alone.
#[derive(Debug)]
pub struct Disk {
    number: u64,
    state: Shared,
}

impl Disk {
    /// The SQLite VFS that all of them are reached by.
    pub const VFS: &'static str = vfs::NAME;

    /// An empty one.
    pub fn new(seed: u64) -> Disk {
        Disk::of(State::new(seed))
    }

    fn of(state: State) -> Disk {
        vfs::register();
        let state = Arc::new(Mutex::new(state));
        Disk {
            number: registry::enter(&state),
            state,
        }
    }

    /// Another one that is as this one is, with nothing open and another luck.
    pub fn fork(&self, seed: u64) -> Disk {
        Disk::of(lock(&self.state).fork(seed))
    }

    /// What SQLite opens a file of it by.
    pub fn path(&self, name: &str) -> PathBuf {
        registry::path(self.number, name).into()
    }

    /// How often something was written, cut, synced, made or removed.
    pub fn operations(&self) -> u64 {
        lock(&self.state).operations()
    }

    /// A number that stands for these operations in their order, with names, places and lengths.
    pub fn trace(&self) -> u64 {
        lock(&self.state).trace()
    }

    /// How many of these operations are not on the medium for sure.
    pub fn unsynced(&self) -> usize {
        lock(&self.state).unsynced()
    }

    /// Its power fails in the operation after so many more.
    pub fn cut_after(&self, operations: u64) {
        lock(&self.state).cut_after(operations);
    }

    /// Its power fails now.
    pub fn cut(&self) {
        lock(&self.state).cut();
    }

    /// The operation after so many more fails, and its power stays. Of what a sync that failed was to
    /// bring to the medium some is there, and no later sync brings the rest.
    pub fn fail_after(&self, operations: u64) {
        lock(&self.state).fail_after(operations);
    }

    /// Whether its power has failed: nothing is read or written until [`Disk::crash`].
    pub fn is_cut(&self) -> bool {
        lock(&self.state).is_off()
    }

    /// Its power fails, if it has not yet, and comes back: what was not synced is lost, or torn, or
    /// there, and what was open is open no more.
    pub fn crash(&self) {
        lock(&self.state).crash();
    }

    /// From now on it says that it has synced when it has not: a fault to be found.
    pub fn lie_about_syncs(&self) {
        lock(&self.state).lie_about_syncs();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        registry::leave(self.number);
    }
}
