//! What sessions and processes are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::AccountKey;
use crate::identify::ProgramRole;

/// An instant on two clocks: one that counts from boot, sleep included, and that nobody can set;
/// and the wall clock's idea of it, for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since boot.
    pub boot_ms: u64,
    /// Milliseconds since 1970 by the wall clock.
    pub wall_ms: i64,
}

/// A process: pids are used again, the pair is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessKey {
    /// Its pid.
    pub pid: u32,
    /// When it was made, in the kernel's ticks since boot; 0 if it was gone before it could be
    /// asked.
    pub start: u64,
}

impl ProcessKey {
    /// Whether this may be the same process as `other`: an unknown start time contradicts none.
    pub fn may_be(self, other: ProcessKey) -> bool {
        self.pid == other.pid && (self.start == other.start || self.start == 0 || other.start == 0)
    }
}

/// A session's number. It grows, and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// Whom a process belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// Who is counted: who has logged in if that is known, else the account that it runs as.
    pub counted: AccountKey,
    /// The account that it runs as.
    pub real: AccountKey,
}

/// What counts as one use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Counting {
    /// All processes of one user on this computer.
    #[default]
    UserOnComputer,
    /// Each process that is not the child of another of the same use.
    Process,
}

/// A program that is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its file name, for people.
    pub name: Arc<str>,
    /// Its version, if known.
    pub version: Option<Arc<str>>,
}

/// What running a program means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The product in use.
    pub product: Arc<str>,
    /// What counts as one use of it.
    pub counting: Counting,
    /// What the program is to it.
    pub role: ProgramRole,
}

/// A process that runs a program.
#[derive(Debug, Clone)]
pub struct Process {
    /// The process, by pid and start time.
    pub key: ProcessKey,
    /// The pid of its parent.
    pub parent: u32,
    /// Whom it belongs to.
    pub who: Who,
    /// What it runs.
    pub program: Program,
    /// What that means; none: the program is of no product.
    pub uses: Option<Use>,
    /// When it began, if it was found running.
    pub since: Option<Stamp>,
}

/// One use of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its number within the agent.
    pub id: SessionId,
    /// The product.
    pub product: Arc<str>,
    /// What counts as one use of it.
    pub counting: Counting,
    /// The account that it belongs to.
    pub who: Who,
    /// The program that began it.
    pub program: Program,
    /// When it began.
    pub started: Stamp,
    /// The lease of `usher run` that covers it: it is neither wanted nor released here.
    pub cover: Option<Arc<str>>,
    /// The lease that it held last.
    pub lease: Option<Arc<str>>,
    /// Whether it has that lease now.
    pub seated: bool,
    /// Its first program is held at the gate, or has not run its first instruction yet: it is no
    /// use of the product so far.
    #[serde(default)]
    pub held: bool,
    /// How long it ran without a seat, in milliseconds, up to the time that it had one last.
    #[serde(default)]
    pub unseated_ms: u64,
    /// Since when it runs without a seat that it had, or was refused, in milliseconds since boot.
    #[serde(default)]
    pub unseated_since_boot_ms: Option<u64>,
}

/// How long the asking for a seat and the answer take: a session that has one so soon after its
/// begin, or ended so soon, is not counted as having run without one.
const ANSWERED_MS: u64 = 5_000;

impl Session {
    /// It has a seat from now on.
    pub(super) fn gains_seat(&mut self, now: Stamp, lease: Arc<str>) {
        if !self.seated {
            self.unseated_ms = self.unseated_ms_at(now);
            self.unseated_since_boot_ms = None;
        }
        self.lease = Some(lease);
        self.seated = true;
    }

    /// It runs on without a seat from now on, or has had none.
    pub(super) fn has_no_seat(&mut self, now: Stamp) {
        let since = match self.seated || self.had_one() {
            true => now.boot_ms,
            false => self.started.boot_ms,
        };
        self.unseated_since_boot_ms.get_or_insert(since);
        self.seated = false;
    }

    /// How long it ran without a seat by now, in milliseconds.
    pub fn unseated_ms_at(&self, now: Stamp) -> u64 {
        let since = |boot_ms| now.boot_ms.saturating_sub(boot_ms);
        match self.unseated_since_boot_ms {
            // A start that was held may have been refused a seat before it ran.
            Some(boot_ms) => self.unseated_ms + since(boot_ms.max(self.started.boot_ms)),
            None if self.seated || self.had_one() => self.unseated_ms,
            // No server has answered.
            None => Some(since(self.started.boot_ms))
                .filter(|ms| *ms > ANSWERED_MS)
                .unwrap_or(0),
        }
    }

    fn had_one(&self) -> bool {
        self.lease.is_some()
    }
}
