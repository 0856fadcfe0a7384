//! The snapshots that are kept beside a data file, made before something that could go wrong.
//!
//! They lie in the folder `snapshots` of the data directory as `usher-TIME-REASON.db`. The time in
//! the name is when the snapshot was taken, in UTC; it is what their order goes by. One that is
//! being written has another name until it is whole.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use usher_platform::{files, lock};

use crate::base::clock::{Clock, SystemClock};
use crate::base::error::StoreError;
use crate::base::whole::{SUFFIXES, beside, remove, system};
use crate::copies::backup;

const FOLDER: &str = "snapshots";
const PARTIAL: &str = "partial";
const PREFIX: &str = "usher-";
const SUFFIX: &str = ".db";
const TIME: &str = "%Y-%m-%dT%H%M%SZ";

/// The event before which a snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotReason {
    /// A scheduled pack.
    Pack,
    /// A change to another version.
    Upgrade,
}

impl SnapshotReason {
    /// The word for it in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            SnapshotReason::Pack => "before-pack",
            SnapshotReason::Upgrade => "before-upgrade",
        }
    }
}

/// A stored snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The file's name, without its folder.
    pub name: String,
    /// The path of the file.
    pub path: PathBuf,
    /// When it was taken; Unix milliseconds, wall clock.
    pub taken_at: i64,
    /// Why it was taken: the word of a [`SnapshotReason`], perhaps of one that only another version
    /// knows.
    pub reason: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
}

/// The result of taking a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The snapshot is complete and on disk.
    Kept(Snapshot),
    /// The snapshot was skipped, for a reason that is not a failure.
    Skipped(String),
}

/// The snapshots of a data directory, whether a server has it open or not.
#[derive(Debug, Clone)]
pub struct Snapshots {
    data: PathBuf,
}

impl Snapshots {
    /// The snapshots of the data directory `data`. Changes nothing.
    pub fn of(data: &Path) -> Snapshots {
        Snapshots { data: data.into() }
    }

    /// Those that are kept, newest first.
    ///
    /// # Errors
    /// If the folder cannot be read; that there is none is no error.
    pub fn list(&self) -> Result<Vec<Snapshot>, StoreError> {
        let folder = self.folder();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(system("read", &folder)(error)),
        };
        let mut kept: Vec<Snapshot> = entries.flatten().filter_map(|entry| read(&entry)).collect();
        kept.sort_unstable_by(|a, b| b.name.cmp(&a.name));
        Ok(kept)
    }

    /// The one of that name.
    ///
    /// # Errors
    /// As [`Snapshots::list`].
    pub fn find(&self, name: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.list()?.into_iter().find(|kept| kept.name == name))
    }

    /// Takes one, then removes the oldest beyond `keep`; never the one just taken. With `keep` 0
    /// none is taken, and none removed. Waits as long as copying and checking the file takes, so
    /// never on an async thread; a server goes on writing meanwhile.
    ///
    /// It is left out if another is being taken at the moment, and if the disk has not room
    /// for the data file and a tenth more.
    ///
    /// # Errors
    /// If the data file cannot be read, or the snapshot not be written or checked.
    pub fn take(&self, reason: SnapshotReason, keep: u32) -> Result<Taken, StoreError> {
        if keep == 0 {
            return Ok(Taken::Skipped("no snapshots are to be kept".to_owned()));
        }
        let folder = self.make_folder()?;
        let taken = lock::take_folder(&folder).map_err(system("lock", &folder))?;
        let Some(_lock) = taken else {
            let why = "another snapshot is being taken at the moment";
            return Ok(Taken::Skipped(why.to_owned()));
        };
        let partial = folder.join(PARTIAL);
        // A process that was killed left it: only the holder of the lock writes it.
        for suffix in SUFFIXES {
            remove(&beside(&partial, suffix))?;
        }
        if let Some(why) = self.lacks_room(&folder)? {
            return Ok(Taken::Skipped(why));
        }
        backup::copy(&self.data.join("cache.db"), &partial)?;
        give_to_owner(&self.data, &partial)?;
        let path = free_name(&folder, reason)?;
        std::fs::rename(&partial, &path).map_err(system("name the snapshot", &path))?;
        files::sync_folder(&folder).map_err(system("write", &folder))?;
        self.prune(keep, &path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match self.find(&name)? {
            Some(taken) => Ok(Taken::Kept(taken)),
            None => {
                let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
                Err(system("find the snapshot", &path)(gone))
            }
        }
    }

    fn folder(&self) -> PathBuf {
        self.data.join(FOLDER)
    }

    fn make_folder(&self) -> Result<PathBuf, StoreError> {
        let folder = self.folder();
        match files::make_private_folder(&folder) {
            Ok(()) => give_to_owner(&self.data, &folder)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(system("make the folder", &folder)(error)),
        }
        let found = std::fs::symlink_metadata(&folder).map_err(system("look at", &folder))?;
        match found.is_dir() {
            true => Ok(folder),
            // Who may write to the data directory must not decide where root writes.
            false => Err(StoreError::System {
                doing: "keep snapshots in",
                path: folder,
                why: "it is no folder: remove it, or move it away".to_owned(),
            }),
        }
    }

    /// Why there is not enough room; none: there is.
    fn lacks_room(&self, folder: &Path) -> Result<Option<String>, StoreError> {
        let file = self.data.join("cache.db");
        let found = std::fs::metadata(&file).map_err(system("look at", &file))?;
        // There may be no log.
        let log = std::fs::metadata(beside(&file, "-wal")).map_or(0, |log| log.len());
        let room = files::room(folder).map_err(system("look at the room for", folder))?;
        let bytes = found.len().saturating_add(log);
        Ok(lacks_room(bytes, room.free, folder))
    }

    /// Removes the oldest beyond `keep`, but not `newest`: after a clock was set back, it can be
    /// the last by its name.
    fn prune(&self, keep: u32, newest: &Path) -> Result<(), StoreError> {
        let others = self.list()?.into_iter().filter(|kept| kept.path != newest);
        for kept in others.skip(keep as usize - 1) {
            remove(&kept.path)?;
        }
        Ok(())
    }
}

/// An unused name for a snapshot, with the current time or one of the next seconds.
fn free_name(folder: &Path, reason: SnapshotReason) -> Result<PathBuf, StoreError> {
    let now = SystemClock.wall_ms();
    (0..60)
        .filter_map(|second| Timestamp::from_millisecond(now + second * 1_000).ok())
        .map(|at| format!("{PREFIX}{}-{}{SUFFIX}", at.strftime(TIME), reason.as_str()))
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .ok_or_else(|| StoreError::System {
            doing: "name a snapshot in",
            path: folder.into(),
            why: "the names of this minute are taken".to_owned(),
        })
}

/// The snapshot that a file in the folder is; none: it is not one.
fn read(entry: &std::fs::DirEntry) -> Option<Snapshot> {
    let name = entry.file_name().into_string().ok()?;
    let inner = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (time, reason) = inner.split_once("Z-")?;
    let at = DateTime::strptime(TIME, format!("{time}Z")).ok()?;
    let found = entry.metadata().ok().filter(|found| found.is_file())?;
    Some(Snapshot {
        taken_at: TimeZone::UTC.to_timestamp(at).ok()?.as_millisecond(),
        reason: reason.to_owned(),
        bytes: found.len(),
        path: entry.path(),
        name,
    })
}

/// Gives a file that root has made to the owner of the data.
fn give_to_owner(data: &Path, path: &Path) -> Result<(), StoreError> {
    files::give_to_owner_of(data, path).map_err(system("give to the data's owner", path))
}

/// Why `bytes` of data do not fit on a disk with `room`; none: they fit.
fn lacks_room(bytes: u64, room: u64, folder: &Path) -> Option<String> {
    let needed = bytes.saturating_add(bytes / 10);
    (room < needed).then(|| {
        let folder = folder.display();
        format!("a snapshot needs {needed} bytes of room in {folder}, and the disk has {room}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_more_than_the_data_must_be_free() {
        let folder = Path::new("/srv/snapshots");
        assert_eq!(lacks_room(1_000, 1_100, folder), None);
        let why = lacks_room(1_000, 1_099, folder).unwrap();
        for word in ["1100 bytes", "1099", "/srv/snapshots"] {
            assert!(why.contains(word), "{why}");
        }
    }
}
