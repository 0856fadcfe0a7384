//! How far the reading is, on a terminal and if it takes long; and an end to it if nobody takes the rows.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::output::bytes;

/// Reading that ends sooner says nothing.
const QUIET: Duration = Duration::from_secs(2);
/// How often it is shown.
const EACH: Duration = Duration::from_millis(500);

/// What was read of all files.
pub(super) struct Progress {
    is_terminal: bool,
    begun: Instant,
    shown: Option<Instant>,
    read_bytes: u64,
    all_bytes: Option<u64>,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Of so many bytes, if that is known. Reading ends with an error once `stop` is set.
    pub(super) fn new(all_bytes: Option<u64>, stop: Arc<AtomicBool>) -> Progress {
        Progress {
            is_terminal: io::stderr().is_terminal(),
            begun: Instant::now(),
            shown: None,
            read_bytes: 0,
            all_bytes,
            stop,
        }
    }

    /// A file that is read with progress.
    pub(super) fn of<'p>(&'p mut self, from: &'p mut dyn Read) -> impl Read + 'p {
        Watched {
            from,
            progress: self,
        }
    }

    /// Ends the line that was being rewritten.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }

    fn took(&mut self, length: usize) {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.read_bytes = self.read_bytes.saturating_add(length);
        let is_due = match self.shown {
            None => self.begun.elapsed() >= QUIET,
            Some(shown) => shown.elapsed() >= EACH,
        };
        if self.is_terminal && is_due {
            self.shown = Some(Instant::now());
            let read = bytes(self.read_bytes);
            drop(match self.all_bytes {
                Some(all) => write!(io::stderr(), "\r\x1b[Kusher: {read} of {} read", bytes(all)),
                None => write!(io::stderr(), "\r\x1b[Kusher: {read} read"),
            });
        }
    }
}

struct Watched<'p> {
    from: &'p mut dyn Read,
    progress: &'p mut Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.progress.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the rows are not taken any more"));
        }
        let length = self.from.read(into)?;
        self.progress.took(length);
        Ok(length)
    }
}
