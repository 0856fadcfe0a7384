//! When the write-ahead log is taken into the file, and when it is begun anew.

use super::Writer;
use crate::checkpoint::{self, Beside};

/// The write-ahead log is taken into the file, beside the writer, each time that so much was written.
const LOG_SHARE_BYTES: usize = 64 * 1024 * 1024;
/// The log is begun anew when it has so many pages, though somebody waits for it: 1 GiB.
const LOG_LIMIT_PAGES: i64 = 262_144;
/// A log of so many pages is given back to the disk when there is time: 64 MiB.
const LONG_LOG_PAGES: i64 = 16_384;

impl Writer {
    /// Takes a long write-ahead log into the file, nearly all of it beside; begins it anew where
    /// nobody waits, or where it has grown to its bound: then what came meanwhile is taken in beside
    /// once more, while only requests are written, so that the writer is left with little.
    pub(super) fn shorten_log(&mut self, idle: bool) {
        match self.beside.take() {
            Some(beside) if !beside.is_over() => {
                self.beside = Some(beside);
                return;
            }
            Some(beside) => {
                let taken = beside.wait();
                self.log_is_long |= taken.is_some_and(|taken| taken.pages > LONG_LOG_PAGES);
                if !idle && taken.is_some_and(|taken| taken.pages < LOG_LIMIT_PAGES) {
                    self.shared.shortens(false);
                    return;
                }
                if !idle && !self.shared.is_shortening() {
                    self.beside = Beside::begin(&self.path);
                    self.shared.shortens(self.beside.is_some());
                    return;
                }
                self.shared.shortens(false);
                // A reader that is still there has to end first.
                if !idle && taken.is_some_and(|taken| !taken.is_near_the_end()) {
                    return;
                }
            }
            None if idle && self.log_is_long && self.behind() == 0 => {
                self.log_is_long = false;
                self.give_log_back();
                return;
            }
            None if self.logged_bytes < LOG_SHARE_BYTES => return,
            None => {
                // What readers keep of it goes with the next one.
                self.logged_bytes = 0;
                self.beside = Beside::begin(&self.path);
                if self.beside.is_some() {
                    return;
                }
            }
        }
        let Some(connection) = &self.connection else {
            return;
        };
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

    /// Takes all of the log in, and gives its room back to the disk, where no reader is in the way.
    fn give_log_back(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        self.logged_bytes = 0;
        self.shared.commit_begins();
        let done = checkpoint::truncate_at_once(connection, &self.path);
        self.shared.commit_ends();
        if let Err(error) = done {
            self.failed(&error.to_string());
        }
    }
}
