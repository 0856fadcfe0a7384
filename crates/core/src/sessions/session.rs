//! What sessions and processes are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
    /// When it was made, in the kernel's ticks since boot; 0 where it was gone before it could be
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

/// Whom a process belongs to, by numbers of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// Who is counted: the login uid where it is set, else the real uid.
    pub counted: u32,
    /// The account that it runs as.
    pub real: u32,
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
    /// Its version, where known.
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
    /// Which one.
    pub key: ProcessKey,
    /// The pid of its parent.
    pub parent: u32,
    /// Whom it belongs to.
    pub who: Who,
    /// What it runs.
    pub program: Program,
    /// What that means; none: the program is of no product.
    pub uses: Option<Use>,
    /// Since when, where it was found running.
    pub since: Option<Stamp>,
}

/// One use of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// The product.
    pub product: Arc<str>,
    /// What counts as one use of it.
    pub counting: Counting,
    /// Whose it is.
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
}
