//! Copies of the data: the snapshots that are kept beside it, and when the last copy was taken.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use usher_cache::{CacheError, Snapshot, SnapshotReason, Snapshots, Taken};

use crate::auth::wall_ms;
use crate::machine;

/// No copy is known of.
const NONE: i64 = i64::MIN;

/// See the module.
pub(crate) struct Backups {
    data: PathBuf,
    snapshots: Snapshots,
    keep: u32,
    last_ms: AtomicI64,
}

impl Backups {
    /// Of a data directory; keeps so many snapshots.
    pub(crate) fn open(data: &Path, keep: u32) -> Backups {
        let snapshots = Snapshots::of(data);
        // What cannot be read is told where it is asked for; it keeps no server from serving.
        let kept = snapshots.list().unwrap_or_default();
        let newest = kept.iter().map(|snapshot| snapshot.taken_at).max();
        let noted = machine::last_backup_ms(data);
        Backups {
            data: data.to_owned(),
            snapshots,
            keep,
            last_ms: AtomicI64::new(newest.max(noted).unwrap_or(NONE)),
        }
    }

    /// When the last copy was taken, in Unix milliseconds.
    pub(crate) fn last_ms(&self) -> Option<i64> {
        Some(self.last_ms.load(Ordering::Relaxed)).filter(|at| *at != NONE)
    }

    /// Notes that a backup was fetched whole. Blocks.
    pub(crate) fn fetched(&self) {
        let now = wall_ms();
        self.last_ms.fetch_max(now, Ordering::Relaxed);
        if let Err(error) = machine::note_backup(&self.data, now) {
            tracing::warn!(%error, "it could not be noted that a backup was taken");
        }
    }

    /// The snapshots that are kept, newest first. Blocks.
    pub(crate) fn list(&self) -> Result<Vec<Snapshot>, CacheError> {
        self.snapshots.list()
    }

    /// Takes a snapshot before a pack; why there is none, where that is so. Blocks.
    pub(crate) fn before_pack(&self) -> Option<String> {
        match self.snapshots.take(SnapshotReason::Pack, self.keep) {
            Ok(Taken::Kept(snapshot)) => {
                tracing::info!(snapshot.name, snapshot.bytes, "took a snapshot");
                self.last_ms.fetch_max(snapshot.taken_at, Ordering::Relaxed);
                None
            }
            Ok(Taken::Skipped(why)) => Some(why),
            Err(error) => Some(error.to_string()),
        }
    }
}
