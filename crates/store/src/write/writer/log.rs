//! When the write-ahead log is reset.

use super::{LOOK, Writer};
use crate::base::error::StoreError;
use crate::file::holders;
use crate::write::checkpoint::{self, Beside};

/// The size of a page of the data file, in bytes.
const PAGE_BYTES: u64 = 4_096;

impl Writer {
    /// Starts checkpoints beside the writer.
    pub(super) fn follow_log(&mut self) -> Result<(), StoreError> {
        if let Some(connection) = &mut self.connection {
            self.beside = Some(Beside::begin(connection, self.place, &self.shared)?);
        }
        Ok(())
    }

    /// Notes whether a reader prevents the checkpoint of a long write-ahead log, and logs that
    /// once.
    pub(super) fn look_at_log(&mut self) {
        let now = self.clock.instant();
        if now.duration_since(self.log_looked_at) < LOOK {
            return;
        }
        self.log_looked_at = now;
        let held = self.beside.as_ref().and_then(|beside| {
            let pages = beside.held_pages()?;
            // It may be free by now, and nothing comes that would tell.
            beside.look_again();
            Some(pages.unsigned_abs() * PAGE_BYTES)
        });
        let before = self.shared.held_log(held);
        match (before, held) {
            (None, Some(bytes)) => {
                let mib = bytes / 1024 / 1024;
                tracing::warn!(
                    file = %self.path.display(), mib,
                    "a reader prevents the checkpoint of the write-ahead log: it grows until the \
                     reader ends"
                );
            }
            (Some(_), None) => {
                tracing::info!(file = %self.path.display(), "the write-ahead log was checkpointed");
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Checkpoints the whole log at the end; logs what stays.
    pub(super) fn empty_log(&self, connection: &rusqlite::Connection) {
        let file = self.path.display();
        match checkpoint::truncate(connection, &self.path) {
            Ok(true) => {}
            Ok(false) => {
                let readers = holders::of(&self.path).join(", ");
                tracing::warn!(
                    %file, readers,
                    "the write-ahead log stays beside the file, because something reads it: the \
                     next start checkpoints it; a copy of the file alone is not complete until then"
                );
            }
            Err(error) => tracing::warn!(%error, "the write-ahead log stays beside the file"),
        }
    }

    /// Copies what little is left of a long write-ahead log and resets it. See [`checkpoint`] for
    /// who copies the rest.
    pub(super) fn shorten_log(&mut self) {
        let (Some(connection), Some(beside)) = (&self.connection, &self.beside) else {
            return;
        };
        let is_share = beside.is_share_of_writer();
        if !is_share && !beside.is_to_begin_anew() {
            return;
        }
        self.shared.commit_begins();
        let done = match is_share {
            true => beside.take_in_by(connection),
            false => checkpoint::passive(connection).map(drop),
        };
        self.shared.commit_ends();
        if let Err(error) = done {
            self.failed(&format!(
                "cannot checkpoint the write-ahead log of {}: {error}",
                self.path.display()
            ));
        }
    }
}
