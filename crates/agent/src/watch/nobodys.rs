//! Files of programs that are no product's: the kernel counts their starts itself, and the agent
//! is not even woken.

use std::sync::Arc;

use aya::maps::{HashMap, MapData};
use rustc_hash::FxHashMap;

use super::record::KnownAs;

/// The kernel's table of them, and the names to report them by.
///
/// It holds what `exec.bpf.c` gives it room for; when it is full all are forgotten and looked at
/// again, as with everything that is remembered of files.
#[derive(Debug)]
pub(crate) struct Nobodys {
    table: HashMap<MapData, [u64; 6], u64>,
    /// By inode: what is known of a file under one name may have to be forgotten under all.
    names: FxHashMap<u64, Vec<Name>>,
}

#[derive(Debug)]
struct Name {
    file: KnownAs,
    name: Arc<str>,
    /// Starts that were taken already.
    taken: u64,
}

impl Nobodys {
    /// A table that is empty yet.
    pub(super) fn new(table: HashMap<MapData, [u64; 6], u64>) -> Self {
        Nobodys {
            table,
            names: FxHashMap::default(),
        }
    }

    /// From now on the kernel counts the starts of that file, under the name that it has. False:
    /// there is no room.
    pub(super) fn add(&mut self, file: KnownAs, name: Arc<str>) -> bool {
        let known = self.names.entry(file.inode()).or_default();
        if known.iter().any(|known| known.file == file) {
            return true;
        }
        if self.table.insert(file.0, 0, 0).is_err() {
            return false;
        }
        let taken = 0;
        known.push(Name { file, name, taken });
        true
    }

    /// Hands out how often what was started since the last time.
    pub(super) fn take(&mut self, mut each: impl FnMut(&Arc<str>, u64)) {
        for known in self.names.values_mut().flatten() {
            let starts = self.table.get(&known.file.0, 0).unwrap_or(known.taken);
            if starts != known.taken {
                each(&known.name, starts.wrapping_sub(known.taken));
                known.taken = starts;
            }
        }
    }

    /// Forgets a file, under whatever name: one of its names turned out to be a product's. Its
    /// starts have to be taken before.
    pub(super) fn forget(&mut self, inode: u64) {
        for known in self.names.remove(&inode).into_iter().flatten() {
            let _ = self.table.remove(&known.file.0);
        }
    }

    /// Forgets all, whose starts have to be taken before.
    pub(super) fn forget_all(&mut self) {
        for known in std::mem::take(&mut self.names).into_values().flatten() {
            let _ = self.table.remove(&known.file.0);
        }
    }

    /// Whether anything is known of a file, under whatever name.
    pub(super) fn knows(&self, inode: u64) -> bool {
        self.names.contains_key(&inode)
    }
}
