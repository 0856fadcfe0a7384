//! When the write-ahead log is reset.

use super::{LOOK, Writer};
use crate::base::error::StoreError;
use crate::file::holders;
use crate::write::checkpoint::{self, Beside};

/// Of the data file.
const PAGE_BYTES: u64 = 4_096;

impl Writer {
    /// Has the log taken in beside from now on.
    pub(super) fn follow_log(&mut self) -> Result<(), StoreError> {
        if let Some(connection) = &mut self.connection {
            self.beside = Some(Beside::begin(connection, self.place, &self.shared)?);
        }
        Ok(())
    }

    /// Notes whether a reader keeps a long write-ahead log from being taken in, and says so once.
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
                    "a reader keeps the write-ahead log from being taken in: it grows until the \
                     reader ends"
                );
            }
            (Some(_), None) => {
                tracing::info!(file = %self.path.display(), "the write-ahead log is taken in");
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Takes in all of the log at the end; what stays is said.
    pub(super) fn empty_log(&self, connection: &rusqlite::Connection) {
        let file = self.path.display();
        match checkpoint::truncate(connection, &self.path) {
            Ok(true) => {}
            Ok(false) => {
                let readers = holders::of(&self.path).join(", ");
                tracing::warn!(
                    %file, readers,
                    "the write-ahead log stays beside the file, for something reads it: the next \
                     start takes it in; a copy of the file alone is not whole until then"
                );
            }
            Err(error) => tracing::warn!(%error, "the write-ahead log stays beside the file"),
        }
    }

    /// Takes in what little is left of a long write-ahead log, so that it is started again. See
    /// [`checkpoint`] for who takes in the rest.
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
                "cannot take the write-ahead log into {}: {error}",
                self.path.display()
            ));
        }
    }
}
