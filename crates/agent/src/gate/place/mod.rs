//! Where whoever started a program that is refused reads why: the terminal of its process, else
//! its standard error.
//!
//! The process belongs to its user, and what it has open may hang: a file of a network that is gone,
//! a file system that its user serves. What it is, is known by its name under `/proc`, which touches
//! no file system. Terminals and pipes are opened once more, so that neither is waited for; files
//! and sockets are written to by a process of their own ([`aside`]).

pub(crate) mod aside;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat, readlinkat};
use usher_core::sessions::ProcessKey;
use usher_gate::{Answer, Gate, QuestionNumber};

use self::aside::{Aside, Errand};
use crate::system::terminal::{self, Terminal};

/// How long writing the text may take; then the gate refuses by itself.
const WRITTEN_WITHIN: std::time::Duration = std::time::Duration::from_millis(500);

/// The place where a user is told once.
#[derive(Debug)]
pub(crate) enum Place {
    /// A terminal.
    Terminal(Terminal),
    /// A pipe, to which only as much is written as it accepts at once.
    Pipe(File),
    /// A file or socket.
    Aside(Aside, ProcessKey),
}

/// Where the user of a process reads what it says, if there is such a place.
pub(super) fn of_process(process: ProcessKey, aside: &Aside) -> Option<Place> {
    let terminal = terminal::of_process(process.pid).map(Place::Terminal);
    terminal.or_else(|| standard_error(process, aside))
}

fn standard_error(process: ProcessKey, aside: &Aside) -> Option<Place> {
    let path = format!("/proc/{}/fd/2", process.pid);
    let name = readlinkat(CWD, path.as_str(), Vec::new()).ok()?;
    let name = name.to_bytes();
    if name.starts_with(b"pipe:[") {
        return pipe(&path).map(Place::Pipe);
    }
    let is_device = name.starts_with(b"/dev/") && !name.starts_with(b"/dev/shm/");
    let is_file = name.starts_with(b"/") && !is_device;
    let is_told = is_file || name.starts_with(b"socket:[");
    is_told.then(|| Place::Aside(aside.clone(), process))
}

fn pipe(path: &str) -> Option<File> {
    let found = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let stat = fstat(&found).ok()?;
    (FileType::from_raw_mode(stat.st_mode) == FileType::Fifo).then_some(())?;
    let path = format!("/proc/self/fd/{}", found.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(CWD, path.as_str(), flags, Mode::empty()).ok()?;
    Some(File::from(opened))
}

impl Place {
    /// Writes lines there and has the start refused: after it, so that the reason stands before what
    /// the shell says of it, and at once if there is nothing that may be waited for.
    pub(super) fn tell_and_refuse(self, lines: &str, gate: &Arc<Gate>, number: QuestionNumber) {
        match self {
            Place::Terminal(terminal) => terminal.tell(lines),
            Place::Pipe(mut pipe) => {
                // Whoever does not read misses it; `usher notify --list` has it, too.
                let _ = pipe.write_all(format!("{lines}\n").as_bytes());
            }
            Place::Aside(aside, process) => {
                let hold = Answer::Hold {
                    at_most: WRITTEN_WITHIN,
                    otherwise: usher_gate::Otherwise::Refuse,
                };
                let _ = gate.answer(number, hold);
                let errand = Errand {
                    process,
                    lines: lines.to_owned(),
                    gate: gate.clone(),
                    number,
                };
                if aside.send(errand) {
                    return;
                }
            }
        }
        let _ = gate.answer(number, Answer::Refuse);
    }
}
