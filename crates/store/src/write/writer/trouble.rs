//! What the writer does if its file or its disk fails, and when it retries.

use super::{LOOK, RETRY, Writer};
use crate::base::meta;
use crate::base::place::Place;
use crate::file::open;
use crate::file::presence::Presence;
use crate::queue::shared::PROVED;
use crate::tables::journal::CommitError;
use crate::tables::load::load;
use crate::write::checkpoint::{self, Beside};

impl Writer {
    /// Checks from time to time whether the files are still at their paths.
    pub(super) fn look_for_files(&mut self) {
        let now = self.clock.instant();
        if now.duration_since(self.looked_at) < LOOK {
            return;
        }
        self.looked_at = now;
        self.shared.commit_begins();
        let trouble = self.presence.trouble();
        self.shared.commit_ends();
        match (&self.gone, trouble) {
            (None, Some(why)) => {
                tracing::error!(why, "nothing can be stored");
                self.shared.failed(&why);
                self.gone = Some(why);
            }
            (Some(_), None) => {
                self.gone = None;
                if self.must_rebuild {
                    self.rebuild();
                }
                if !self.must_rebuild {
                    self.shared.recovered();
                }
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Remembers which files are open from now on.
    pub(super) fn look_at_files(&mut self) {
        self.presence = match self.place {
            Place::Directory => Presence::of(&self.path),
            Place::Vfs(_) => Presence::sure(),
        };
    }

    pub(super) fn failed(&mut self, why: &str) {
        // It is tried each second: the same again is not worth a line each time.
        if self.shared.trouble_text() != why {
            tracing::error!(why, file = %self.path.display(), "a commit failed");
        }
        self.shared.failed(why);
        self.retry_at = Some(self.clock.instant() + RETRY);
    }

    pub(super) fn recovered(&mut self) {
        self.shared.recovered();
        self.retry_at = None;
    }

    /// Undoes what is not known to be durable, opens the file again and rebuilds the ledger from
    /// it: what the file says counts.
    pub(super) fn rebuild(&mut self) {
        // Before anything else: if the file cannot be opened, readers are still shown this ledger.
        self.ledger.undo();
        self.must_rebuild = true;
        // An empty one would be made in the place of a file that is gone.
        if let Some(why) = self.presence.trouble() {
            self.failed(&why);
            self.gone = Some(why);
            return;
        }
        self.shared.close_readers();
        self.beside = None;
        self.connection = None;
        let (path, place) = (&self.path, self.place);
        let reopened = open::connection_at(path, place).and_then(|mut connection| {
            checkpoint::truncate(&connection, path)?;
            let loaded = load(&connection, path, &|_| {})?;
            open::is_sound(&connection, path)?;
            let beside = Beside::begin(&mut connection, place, &self.shared)?;
            Ok((connection, beside, loaded))
        });
        match reopened {
            Ok((connection, beside, loaded)) => {
                tracing::warn!(
                    leases = loaded.ledger.lease_count(),
                    "the ledger was rebuilt from its file after an I/O error"
                );
                self.must_rebuild = false;
                self.connection = Some(connection);
                self.beside = Some(beside);
                self.look_at_files();
                self.durable_to = loaded.ledger.next_number();
                self.filled_to = loaded.filled_to;
                self.ledger = loaded.ledger;
            }
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Tries the disk again even if no request comes, so that the reported health is right as soon
    /// as the disk works again.
    pub(super) fn try_again(&mut self) {
        let is_due = self.retry_at.is_some() && self.may_try();
        if !is_due || self.gone.is_some() {
            return;
        }
        if self.connection.is_none() {
            self.rebuild();
        }
        if self.connection.is_none() {
            return;
        }
        let wall_ms = self.clock.wall_ms().cast_unsigned();
        self.execute(Box::new(move |connection| {
            let Ok(connection) = connection else {
                return Ok(());
            };
            meta::put(connection, PROVED, wall_ms).map_err(|error| CommitError::of(&error))
        }));
    }
}
