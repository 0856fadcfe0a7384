//! A file that SQLite has open: one of a made-up disk, or one without a name, which is nobody's
//! when it is closed.

use super::registry::{self, Shared, lock};
use super::state::NoAnswer;

/// What SQLite's handle of a file stands for.
pub(super) enum Open {
    /// On a disk, since a boot of it.
    Named {
        disk: Shared,
        name: String,
        boot: u64,
    },
    /// What SQLite sorts and remembers within a transaction.
    Scratch(Vec<u8>),
}

impl Open {
    /// Opens the file at `path`.
    pub(super) fn named(path: &str, make: bool, alone: bool) -> Result<Open, NoAnswer> {
        let (disk, name) = registry::find(path).ok_or(NoAnswer)?;
        let boot = lock(&disk).open(name, make, alone)?;
        let name = name.to_owned();
        Ok(Open::Named { disk, name, boot })
    }

    /// How many bytes there were to read.
    pub(super) fn read(&self, at: usize, into: &mut [u8]) -> Result<usize, NoAnswer> {
        match self {
            Open::Named { disk, name, boot } => lock(disk).read(*boot, name, at, into),
            Open::Scratch(bytes) => {
                let found = bytes.get(at..).unwrap_or_default();
                let length = found.len().min(into.len());
                into[..length].copy_from_slice(&found[..length]);
                Ok(length)
            }
        }
    }

    pub(super) fn write(&mut self, at: usize, from: &[u8]) -> Result<(), NoAnswer> {
        match self {
            Open::Named { disk, name, boot } => lock(disk).write(*boot, name, at, from),
            Open::Scratch(bytes) => {
                let end = at.checked_add(from.len()).ok_or(NoAnswer)?;
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at..end].copy_from_slice(from);
                Ok(())
            }
        }
    }

    pub(super) fn cut(&mut self, length: usize) -> Result<(), NoAnswer> {
        match self {
            Open::Named { disk, name, boot } => lock(disk).cut_file(*boot, name, length),
            Open::Scratch(bytes) => {
                bytes.resize(length, 0);
                Ok(())
            }
        }
    }

    pub(super) fn sync(&mut self) -> Result<(), NoAnswer> {
        match self {
            Open::Named { disk, name, boot } => lock(disk).sync(*boot, name),
            Open::Scratch(_) => Ok(()),
        }
    }

    pub(super) fn length(&self) -> Result<usize, NoAnswer> {
        match self {
            Open::Named { disk, name, boot } => lock(disk).length(*boot, name),
            Open::Scratch(bytes) => Ok(bytes.len()),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Open::Named { disk, name, boot } = self {
            lock(disk).close(*boot, name);
        }
    }
}

/// Whether the file at `path` is there with something in it.
pub(super) fn has(path: &str) -> Result<bool, NoAnswer> {
    let (disk, name) = registry::find(path).ok_or(NoAnswer)?;
    lock(&disk).has(name)
}

/// Removes the file at `path`; whether there was one.
pub(super) fn remove(path: &str, syncs: bool) -> Result<bool, NoAnswer> {
    let (disk, name) = registry::find(path).ok_or(NoAnswer)?;
    lock(&disk).remove(name, syncs)
}
