//! Writes to the user of a program, on the terminal of its process.
//!
//! The process belongs to its user, who may have anything open: the agent checks a file before it
//! opens it, writes only to terminals, and does not wait for a terminal that takes nothing.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};

use rustc_hash::FxHashSet;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, major, openat};

/// The descriptors of a program's standard error, output and input.
const STANDARD: [u32; 3] = [2, 1, 0];
/// The major device numbers of terminals: consoles and serial lines, and pseudo terminals (windows
/// and remote logins).
const TERMINALS: [std::ops::RangeInclusive<u32>; 2] = [4..=4, 136..=143];

/// How many processes of one session are looked at for their terminals.
const PROCESSES_LIMIT: usize = 1_000;

/// A terminal that is written to once.
#[derive(Debug)]
pub(crate) struct Terminal(File);

/// The terminal that a process writes to, if it has one.
pub(crate) fn of_process(pid: u32) -> Option<Terminal> {
    STANDARD.into_iter().find_map(|number| {
        let path = format!("/proc/{pid}/fd/{number}");
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let found = openat(CWD, path.as_str(), flags, Mode::empty()).ok()?;
        is_terminal(&found).then(|| open(&found)).flatten()
    })
}

/// Writes a line to the terminals of processes, once to each.
pub(crate) fn tell_all(pids: impl Iterator<Item = u32>, line: &str) {
    let mut told = FxHashSet::default();
    for terminal in pids.take(PROCESSES_LIMIT).filter_map(of_process) {
        let is_new = fstat(&terminal.0).is_ok_and(|stat| told.insert(stat.st_rdev));
        if is_new {
            terminal.tell(line);
        }
    }
}

fn is_terminal(found: &OwnedFd) -> bool {
    fstat(found).is_ok_and(|stat| {
        let driver = major(stat.st_rdev);
        let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
        is_device && TERMINALS.iter().any(|known| known.contains(&driver))
    })
}

fn open(found: &OwnedFd) -> Option<Terminal> {
    let path = format!("/proc/self/fd/{}", found.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(CWD, path.as_str(), flags, Mode::empty()).ok()?;
    Some(Terminal(opened.into()))
}

impl Terminal {
    /// Writes lines, as far as the terminal takes them. The terminal may be in raw mode, so a
    /// carriage return goes before each line feed.
    pub(crate) fn tell(mut self, lines: &str) {
        let lines = lines.replace('\n', "\r\n");
        // Whoever reads nothing misses it; `usher denials` tells it, too.
        let _ = self.0.write_all(format!("{lines}\r\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_terminal_is_never_written_to() {
        for path in ["/dev/null", "/dev/zero", "/etc/passwd", "/tmp"] {
            let found = openat(CWD, path, OFlags::PATH, Mode::empty()).unwrap();
            assert!(!is_terminal(&found), "{path}");
        }
        assert!(of_process(u32::MAX).is_none());
    }
}
