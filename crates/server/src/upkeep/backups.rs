//! Copies of the data: the snapshots that are kept beside it, and when one was last fetched.

use std::sync::atomic::{AtomicI64, Ordering};

use usher_store::{Engine, Snapshot, SnapshotReason, Snapshots, StoreError, Taken};

use crate::base::clock::wall_ms;

/// No backup is known.
const NONE: i64 = i64::MIN;

pub(crate) struct Backups {
    engine: Engine,
    snapshots: Snapshots,
    keep: u32,
    last_ms: AtomicI64,
}

impl Backups {
    /// The backups of the data directory that `engine` has open; keeps so many snapshots.
    pub(crate) fn open(engine: &Engine, snapshots: Snapshots, keep: u32) -> Backups {
        // A record that cannot be read is reported to who asks for it; the server starts anyway.
        let noted = engine.last_backup().ok().flatten();
        Backups {
            engine: engine.clone(),
            snapshots,
            keep,
            last_ms: AtomicI64::new(noted.unwrap_or(NONE)),
        }
    }

    /// When a complete backup was last fetched; Unix milliseconds, wall clock. Snapshots do not
    /// count: they are on the same disk.
    pub(crate) fn last_ms(&self) -> Option<i64> {
        Some(self.last_ms.load(Ordering::Relaxed)).filter(|at| *at != NONE)
    }

    /// Records that a backup was fetched now. Blocks.
    pub(crate) fn taken(&self) {
        let now = wall_ms();
        self.last_ms.fetch_max(now, Ordering::Relaxed);
        if let Err(failure) = self.engine.note_backup(now) {
            tracing::warn!(
                ?failure,
                "the time of the backup could not be stored in the data file"
            );
        }
    }

    /// The snapshots, newest first. Blocks.
    pub(crate) fn list(&self) -> Result<Vec<Snapshot>, StoreError> {
        self.snapshots.list()
    }

    /// Takes a snapshot before a pack; answers why there is none, if it could not be taken. Blocks.
    pub(crate) fn before_pack(&self) -> Option<String> {
        match self.snapshots.take(SnapshotReason::Pack, self.keep) {
            Ok(Taken::Kept(snapshot)) => {
                tracing::info!(snapshot.name, snapshot.bytes, "took a snapshot");
                None
            }
            Ok(Taken::Skipped(why)) => Some(why),
            Err(error) => Some(error.to_string()),
        }
    }
}
