//! How far the reading is, on a terminal and if it takes long; and an end to it if nobody takes the rows.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::bytes;
use crate::progress::ProgressLine;

/// What was read of all files.
pub(super) struct Progress {
    line: ProgressLine,
    read_bytes: u64,
    all_bytes: Option<u64>,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Of so many bytes, if that is known. Reading ends with an error once `stop` is set.
    pub(super) fn new(all_bytes: Option<u64>, stop: Arc<AtomicBool>) -> Progress {
        Progress {
            line: ProgressLine::new(),
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
        self.line.clear();
    }

    fn took(&mut self, length: usize) {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.read_bytes = self.read_bytes.saturating_add(length);
        let (read, all) = (self.read_bytes, self.all_bytes);
        self.line.show(|| match all {
            Some(all) => format!("{} of {} read", bytes(read), bytes(all)),
            None => format!("{} read", bytes(read)),
        });
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
