//! `usher product learn`: runs a command, sees what its process tree executes, and proposes rules.
//!
//! Promises: with ptrace, which needs no privilege for one's own children, each program that is
//! started is seen, however short it runs; if ptrace is forbidden, the tree is polled, and the
//! answer says what that can miss. The command's output, exit code and signals are its
//! own.

mod executed;
mod folders;
mod hosted;
mod poll;
mod propose;
mod trace;
mod work;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use executed::ExecutedProgram;
pub(crate) use hosted::Hosted;
pub(crate) use propose::{Proposal, propose};

use crate::failure::Failure;
use crate::package;
use crate::run::signals::Signals;

/// How many starts are remembered; further ones are only counted.
const STARTS_LIMIT: usize = 100_000;

/// One start of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    /// The executable, as the kernel names it.
    path: PathBuf,
    /// What it was started for: a script, or a program of Windows.
    hosted: Option<Hosted>,
    begun: Duration,
    ended: Option<Duration>,
    /// The processor time that it took.
    worked: Duration,
}

/// What is known of a process tree.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    starts: Vec<Start>,
    /// Starts that came after the limit.
    pub(crate) beyond: u64,
    /// How the command ended: its exit code, or 128+N for signal N.
    pub(crate) code: u8,
    /// What can have been missed.
    pub(crate) can_miss: Option<&'static str>,
    length: Duration,
}

impl Watched {
    fn push(&mut self, start: Start) -> Option<usize> {
        if self.starts.len() >= STARTS_LIMIT {
            self.beyond += 1;
            return None;
        }
        self.starts.push(start);
        Some(self.starts.len() - 1)
    }

    fn end(&mut self, index: Option<usize>, at: Duration) {
        if let Some(start) = index.and_then(|index| self.starts.get_mut(index)) {
            start.ended = Some(at);
        }
    }

    fn work(&mut self, index: Option<usize>, time: Duration) {
        if let Some(start) = index.and_then(|index| self.starts.get_mut(index)) {
            start.worked += time;
        }
    }

    /// The programs, each once, in the order of their first start.
    pub(crate) fn programs(&self) -> Vec<ExecutedProgram> {
        let mut index: BTreeMap<(&Path, Option<&Hosted>), usize> = BTreeMap::new();
        // Until when a program has lived so far: starts are in the order in which they began.
        let mut until: Vec<Duration> = Vec::new();
        let mut programs: Vec<ExecutedProgram> = Vec::new();
        for start in &self.starts {
            let ended = start.ended.unwrap_or(self.length);
            let key = (start.path.as_path(), start.hosted.as_ref());
            let at = *index.entry(key).or_insert_with(|| {
                programs.push(ExecutedProgram::new(&start.path, start.hosted.as_ref()));
                until.push(Duration::ZERO);
                programs.len() - 1
            });
            let seen = &mut programs[at];
            seen.starts += 1;
            seen.longest = seen.longest.max(ended.saturating_sub(start.begun));
            seen.lived += ended.saturating_sub(start.begun.max(until[at]));
            seen.worked += start.worked;
            until[at] = until[at].max(ended);
        }
        let files: Vec<&Path> = programs.iter().map(ExecutedProgram::file).collect();
        let packages = package::owners(&files);
        for (seen, package) in programs.iter_mut().zip(packages) {
            seen.package = package;
        }
        programs
    }
}

/// Runs the command and watches its process tree until all of it has ended, or this process was
/// told twice to stop.
pub(crate) async fn watch(file: &Path, words: &[OsString]) -> Result<Watched, Failure> {
    let mut signals = Signals::take()?;
    match trace::watch(file, words, &mut signals).await? {
        Some(watched) => Ok(watched),
        None => poll::watch(file, words, &mut signals).await,
    }
}
