//! A line on a terminal that says how far something is, if it takes long.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// What ends sooner says nothing.
const QUIET: Duration = Duration::from_secs(2);
/// How often the line is written anew.
const EACH: Duration = Duration::from_millis(500);

/// The line, on standard error. It is gone when this is dropped; without a terminal there is none.
pub(crate) struct ProgressLine {
    is_terminal: bool,
    since: Instant,
    shown: Option<Instant>,
}

impl ProgressLine {
    /// For what begins now.
    pub(crate) fn new() -> ProgressLine {
        ProgressLine {
            is_terminal: io::stderr().is_terminal(),
            since: Instant::now(),
            shown: None,
        }
    }

    /// Writes the line anew, if it is time for that.
    pub(crate) fn show(&mut self, words: impl FnOnce() -> String) {
        let is_due = match self.shown {
            None => self.since.elapsed() >= QUIET,
            Some(shown) => shown.elapsed() >= EACH,
        };
        if self.is_terminal && is_due {
            self.shown = Some(Instant::now());
            drop(write!(io::stderr(), "\r\x1b[Kusher: {}", words()));
        }
    }

    /// Removes the line.
    pub(crate) fn clear(&mut self) {
        if self.shown.take().is_some() {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}
