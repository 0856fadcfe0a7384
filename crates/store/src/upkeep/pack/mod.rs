//! The pack: upkeep of the data file while it is written to. Rows past their retention go, the
//! file shrinks, its statistics are renewed, and what it holds is checked.
//!
//! A pack runs on the thread of who asks for it. What it writes goes through the one writer in
//! slices of a few milliseconds, each a transaction of its own that also keeps how far the pack
//! has come: a process may be killed at any moment, and the next pack goes on from there. What it
//! only reads, it reads on a connection of its own.

mod check;
mod held;
mod kept;
mod plan;
mod purge;
mod slices;
mod stage;
mod stages;
mod unreferenced;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::queue::requests::Failure;
use crate::queue::shared::Shared;

pub use plan::PackPlan;
use slices::Run;

/// How a pack is made.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// Days for which ended leases, sessions, denials and forgotten tickets are kept, 1 at least.
    pub keep_days: u32,
    /// The version that packs, kept in the file when the pack is done.
    pub version: String,
}

/// How a pack ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackResult {
    /// All that could be done was.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// The disk refused, or the check found damage or could not read: what was skipped says why.
    Failed,
}

/// What a pack left out, or found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What was left out.
    pub what: String,
    /// Why, and what it means.
    pub why: String,
}

/// What a pack did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackReport {
    /// When it began, in Unix milliseconds.
    pub started_at: i64,
    /// When it ended, in Unix milliseconds.
    pub ended_at: i64,
    /// How the pack ended.
    pub result: PackResult,
    /// Rows that were past their retention and went.
    pub purged_rows: u64,
    /// The file's size when it began.
    pub bytes_before: u64,
    /// The file's size when it ended.
    pub bytes_after: u64,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// Why a pack did not start or did not end. The next resumes from its saved position.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// One runs at a time.
    #[error("a pack is running already: wait for it, or stop it first")]
    Running,
    /// The engine did not take it.
    #[error("the pack could not be carried out: {0:?}")]
    Failure(Failure),
}

impl From<Failure> for PackError {
    fn from(failure: Failure) -> PackError {
        PackError::Failure(failure)
    }
}

/// The packs of a data file.
pub struct Pack {
    shared: Arc<Shared>,
}

impl Pack {
    pub(crate) fn new(shared: Arc<Shared>) -> Pack {
        Pack { shared }
    }

    /// Takes the turn for one pack, which counts as running from then on.
    ///
    /// # Errors
    /// [`PackError::Running`] if one runs already.
    pub fn begin(&self) -> Result<PackTurn, PackError> {
        let turn = &self.shared.pack;
        if turn.running.swap(true, Ordering::AcqRel) {
            return Err(PackError::Running);
        }
        *turn.stop.lock().unwrap_or_else(PoisonError::into_inner) = false;
        turn.progress.store(0, Ordering::Relaxed);
        Ok(PackTurn {
            shared: self.shared.clone(),
        })
    }

    /// Packs, and resumes a pack that was cut off. Blocks until it is over: never on an async
    /// thread.
    pub fn run(&self, options: &PackOptions) -> Result<PackReport, PackError> {
        Ok(self.begin()?.run(options)?)
    }

    /// Asks a running pack to stop after its slice; false if none runs.
    pub fn stop(&self) -> bool {
        let turn = &self.shared.pack;
        turn.stop();
        turn.running.load(Ordering::Acquire)
    }

    /// How far a running pack is, from 0 to 1; none if none runs.
    pub fn progress(&self) -> Option<f64> {
        let turn = &self.shared.pack;
        let running = turn.running.load(Ordering::Acquire);
        running.then(|| turn.progress.load(Ordering::Relaxed) as f64 / 1e6)
    }

    /// The last pack that ended.
    pub fn last(&self) -> Result<Option<PackReport>, Failure> {
        self.shared.with_reader(kept::last)
    }

    /// Whether a pack was cut off: the next resumes it.
    pub fn is_unfinished(&self) -> Result<bool, Failure> {
        let stage = self.shared.with_reader(kept::stage)?;
        Ok(stage.is_some())
    }

    /// The plan that was kept.
    pub fn plan(&self) -> Result<Option<PackPlan>, Failure> {
        self.shared.with_reader(plan::get)
    }

    /// Keeps a plan; durable when it returns.
    pub fn keep_plan(&self, plan: PackPlan) -> Result<(), Failure> {
        self.shared
            .with_connection(move |connection| plan::keep(connection, &plan))
    }

    /// The version that made the last pack that was done.
    pub fn packed_by_version(&self) -> Result<Option<String>, Failure> {
        self.shared
            .with_reader(|connection| crate::base::meta::text(connection, kept::PACKED_BY_VERSION))
    }
}

/// The turn of one pack; given back when it is dropped.
pub struct PackTurn {
    shared: Arc<Shared>,
}

impl PackTurn {
    /// Keeps that the pack has begun, and in the same step the plan as it is from then on: so a
    /// kill makes a run of the plan neither lost nor twice.
    pub fn begin_by(&self, plan: PackPlan) -> Result<(), Failure> {
        slices::keep_beginning(&self.shared, Some(plan)).map(drop)
    }

    /// Packs, and resumes a pack that was cut off. Blocks until it is over: never on an async
    /// thread.
    ///
    /// # Errors
    /// [`Failure::Stopping`] if the engine was closed meanwhile, or the disk's error if not even
    /// the beginning could be stored.
    pub fn run(&self, options: &PackOptions) -> Result<PackReport, Failure> {
        Run::begin(&self.shared, options).and_then(Run::through)
    }
}

impl Drop for PackTurn {
    fn drop(&mut self) {
        self.shared.pack.running.store(false, Ordering::Release);
    }
}
