//! When the write-ahead log is begun anew.

use super::Writer;
use crate::checkpoint::{self, Beside};
use crate::error::CacheError;

impl Writer {
    /// Has the log taken in beside from now on.
    pub(super) fn follow_log(&mut self) -> Result<(), CacheError> {
        if let Some(connection) = &mut self.connection {
            self.beside = Some(Beside::begin(connection, &self.shared)?);
        }
        Ok(())
    }

    /// Takes in what little is left of a long write-ahead log, so that it is begun anew. See
    /// [`checkpoint`] for who takes in the rest.
    pub(super) fn shorten_log(&mut self) {
        let (Some(connection), Some(beside)) = (&self.connection, &self.beside) else {
            return;
        };
        if !beside.is_to_begin_anew() {
            return;
        }
        self.shared.commit_begins();
        let done = checkpoint::passive(connection);
        self.shared.commit_ends();
        if let Err(error) = done {
            self.failed(&format!(
                "cannot take the write-ahead log into {}: {error}",
                self.path.display()
            ));
        }
    }
}
