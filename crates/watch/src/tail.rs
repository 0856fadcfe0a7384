//! The end of a log, which grows: also if it is renamed and another file begun, or cut and begun anew.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use usher_platform::files::{self, Identity};

use crate::parts::{self, Found, HEAD_BYTES, PARTS_KEPT, Part};

/// Looks at the end of a file that was renamed, one after another without anything new: whoever writes
/// may do so for a moment after the file has another name.
const QUIET_LOOKS: u8 = 2;

/// What a look at a log finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// So many bytes. `is_taken`: rows that they make were taken before.
    Bytes { length: usize, is_taken: bool },
    /// The file is over: the log goes on in another, or from the beginning.
    Over,
    /// Nothing new.
    Nothing,
    /// The log is not there.
    Missing,
}

/// Reads a log from its beginning to its end, and on.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    open: Option<Open>,
    /// Files that are read before the one at the path.
    next: VecDeque<Found>,
    /// Those that were read.
    past: VecDeque<Part>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// None: it is none that the path leads to.
    identity: Option<Identity>,
    /// Its first bytes, as far as they are known.
    head: Vec<u8>,
    read_bytes: u64,
    taken_bytes: u64,
    /// The last look found nothing more in it.
    is_at_end: bool,
    quiet_looks: u8,
}

impl Tail {
    /// A log that was read from these files before.
    pub(crate) fn new(path: &Path, parts: &[Part]) -> Tail {
        Tail {
            path: path.to_owned(),
            open: None,
            next: parts::found(path, parts).into(),
            past: VecDeque::new(),
        }
    }

    /// Reads on.
    ///
    /// # Errors
    /// The file cannot be read, or not be looked at.
    pub(crate) fn look(&mut self, into: &mut [u8]) -> io::Result<Look> {
        if self.open.is_none() && !self.begin()? {
            return Ok(Look::Missing);
        }
        let Some(open) = &mut self.open else {
            return Ok(Look::Nothing);
        };
        // Once at its end, a file may be cut and be longer again than before at the next look: what stands
        // behind that place is then no continuation.
        if open.is_at_end && open.was_cut()? {
            open.file.seek(SeekFrom::Start(0))?;
            let part = open.part();
            (open.read_bytes, open.taken_bytes) = (0, 0);
            open.head.clear();
            open.is_at_end = false;
            self.leave(part);
            return Ok(Look::Over);
        }
        let read = open.read(into)?;
        open.is_at_end = read == Look::Nothing;
        if read != Look::Nothing {
            return Ok(read);
        }
        if !open.is_past(&self.path, self.next.is_empty())? {
            return Ok(Look::Nothing);
        }
        open.quiet_looks = open.quiet_looks.saturating_add(1);
        if open.identity.is_some() && open.quiet_looks < QUIET_LOOKS {
            return Ok(Look::Nothing);
        }
        let (part, was_log) = (open.part(), open.identity.is_some());
        self.open = None;
        self.leave(part);
        if was_log {
            // The log may have been renamed more than once since it was looked at.
            let past: Vec<Part> = self.past.iter().cloned().collect();
            let is_unread = |found: &Found| found.is_past && found.taken_bytes == 0;
            let later = parts::found(&self.path, &past).into_iter();
            self.next = later.filter(is_unread).collect();
        }
        Ok(Look::Over)
    }

    /// After a long wait: the log as a watch finds it that starts again, if it was copied and cut
    /// meanwhile. What was written to it before that is in the copy.
    pub(crate) fn copied(&mut self) -> Option<Tail> {
        let open = self.open.as_mut()?;
        if !open.was_cut().unwrap_or(false) {
            return None;
        }
        let copies = parts::found(&self.path, &[open.part()]);
        (!copies.is_empty()).then(|| Tail::new(&self.path, &self.parts()))
    }

    /// How far the log is read: its last files, the oldest first.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let open = self.open.as_ref().map(Open::part);
        self.past.iter().cloned().chain(open).collect()
    }

    /// Whether all files that were read before this start are read again: [`Tail::parts`] knows all then.
    pub(crate) fn is_caught_up(&self) -> bool {
        let is_ahead = |open: &Open| open.read_bytes >= open.taken_bytes;
        let is_new = |found: &Found| found.taken_bytes == 0;
        self.next.iter().all(is_new) && self.open.as_ref().is_none_or(is_ahead)
    }

    /// Whether it has the log itself open, rather than an older file of it.
    pub(crate) fn is_at_log(&self) -> bool {
        self.next.is_empty() && self.open.is_some()
    }

    fn leave(&mut self, part: Part) {
        self.past.push_back(part);
        if self.past.len() >= PARTS_KEPT {
            self.past.pop_front();
        }
    }

    /// Opens the next file. False: there is none yet.
    fn begin(&mut self) -> io::Result<bool> {
        let next = self.next.pop_front();
        let (path, taken_bytes, is_past) = match &next {
            Some(found) => (&found.path, found.taken_bytes, found.is_past),
            None => (&self.path, 0, false),
        };
        let before = match files::identity(path) {
            Ok(identity) => identity,
            // An older file may be removed at any time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(next.is_some()),
            Err(error) => return Err(error),
        };
        let file = files::open_regular(path)?;
        if files::identity(path)? != before {
            // It was renamed at this moment: the next look begins with the other one.
            return Ok(true);
        }
        self.open = Some(Open {
            file,
            identity: (!is_past).then_some(before),
            head: Vec::new(),
            read_bytes: 0,
            taken_bytes,
            is_at_end: false,
            quiet_looks: 0,
        });
        Ok(true)
    }
}

impl Open {
    /// Reads on, up to where rows were taken if it is before that.
    fn read(&mut self, into: &mut [u8]) -> io::Result<Look> {
        let left = self.taken_bytes.saturating_sub(self.read_bytes);
        let is_taken = left > 0;
        let most = match usize::try_from(left) {
            Ok(left) if is_taken => into.len().min(left),
            _ => into.len(),
        };
        let room = into.get_mut(..most).unwrap_or_default();
        let length = loop {
            match self.file.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if length == 0 {
            return Ok(Look::Nothing);
        }
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(length);
        self.head
            .extend_from_slice(room.get(..missing).unwrap_or_default());
        self.read_bytes = self.read_bytes.saturating_add(length as u64);
        self.quiet_looks = 0;
        Ok(Look::Bytes { length, is_taken })
    }

    /// Whether the log goes on in another file. `is_last`: none is known that comes before the one at
    /// the path. That one may be empty while whoever writes has this one open still, for a day or more:
    /// nobody goes on there before it is written to.
    fn is_past(&self, log: &Path, is_last: bool) -> io::Result<bool> {
        let there = std::fs::metadata(log).and_then(|about| Ok((about, files::identity(log)?)));
        match (there, self.identity) {
            (Ok((about, _)), _) if is_last && about.len() == 0 => Ok(false),
            (Ok((_, there)), Some(own)) => Ok(there != own),
            (Err(error), Some(_)) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            (Err(error), Some(_)) => Err(error),
            (_, None) => Ok(true),
        }
    }

    /// Whether the file was cut since, and perhaps written to again.
    fn was_cut(&mut self) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.read_bytes {
            return Ok(true);
        }
        let head = parts::head(&mut self.file, self.head.len() as u64)?;
        self.file.seek(SeekFrom::Start(self.read_bytes))?;
        Ok(head != self.head)
    }

    fn part(&self) -> Part {
        Part::new(&self.head, self.read_bytes.max(self.taken_bytes))
    }
}

#[cfg(test)]
mod tests;
