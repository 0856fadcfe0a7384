//! `usher product learn`: runs a command, sees what its process tree executes, and proposes rules.
//!
//! Promises: with ptrace, which needs no privilege for one's own children, each program that is
//! started is seen, however short it runs; where ptrace is forbidden, the tree is looked at again
//! and again, and what can be missed is said. The command's output, exit code and signals are its
//! own.

mod poll;
mod propose;
mod trace;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use propose::{Proposal, Seen, propose};

use crate::failure::Failure;
use crate::package;
use crate::run::signals::Signals;

/// The most starts that are remembered; more are counted, not kept.
const STARTS_LIMIT: usize = 100_000;

/// One start of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    /// The executable, as the kernel names it.
    path: PathBuf,
    /// The script that it interprets, where the kernel started it for one.
    script: Option<PathBuf>,
    begun: Duration,
    ended: Option<Duration>,
}

/// What was seen of a process tree.
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

    /// The programs, each once, in the order of their first start.
    pub(crate) fn programs(&self) -> Vec<Seen> {
        let mut index: BTreeMap<(&Path, Option<&Path>), usize> = BTreeMap::new();
        let mut programs: Vec<Seen> = Vec::new();
        for start in &self.starts {
            let lasted = start
                .ended
                .unwrap_or(self.length)
                .saturating_sub(start.begun);
            let key = (start.path.as_path(), start.script.as_deref());
            let at = *index.entry(key).or_insert_with(|| {
                programs.push(Seen::new(&start.path, start.script.as_deref()));
                programs.len() - 1
            });
            programs[at].starts += 1;
            programs[at].longest = programs[at].longest.max(lasted);
        }
        let files: Vec<&Path> = programs.iter().map(Seen::file).collect();
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
