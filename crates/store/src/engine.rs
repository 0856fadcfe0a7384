//! The handle to a data file that is open.

use std::sync::Arc;

use usher_core::ledger::{Command, Ledger, Now};

use crate::base::error::StoreError;
use crate::queue::requests::{Answer, Failure, Health, Request};
use crate::read::history::History;
use crate::read::tokens::Tokens;
use crate::write::writer::{self, EngineOptions, Opened};

/// Under which name the file keeps when a copy of it was taken.
const LAST_BACKUP: &str = "last_backup_at";

/// The handle to a ledger and its file. Clones share them.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<crate::queue::shared::Shared>,
}

impl Engine {
    /// Opens the data file, or makes it; migrates and recovers it; starts the writer.
    pub fn open(options: EngineOptions) -> Result<(Engine, Opened), StoreError> {
        Engine::open_counting(options, &|_| {})
    }

    /// As [`Engine::open`]; `left` is told how many rows are still to be read, ever fewer.
    pub fn open_counting(
        options: EngineOptions,
        left: &dyn Fn(u64),
    ) -> Result<(Engine, Opened), StoreError> {
        let (shared, opened) = writer::open(options, left)?;
        Ok((Engine { shared }, opened))
    }

    /// Hands requests to the writer, in order, and takes them out of `requests`. What finds no
    /// room is answered with [`Failure::Busy`] through its sink before this returns.
    pub fn submit(&self, requests: &mut Vec<Request>) {
        self.shared.submit(requests);
    }

    /// Refuses requests that have waited for longer than `at_most` and that the writer has not
    /// taken, with [`Failure::Busy`]: they are never done. Cheap, and never waits for the disk.
    pub fn refuse_late(&self, at_most: std::time::Duration) {
        self.shared.refuse_late(at_most);
    }

    /// Carries out one command and waits: for what is not hot, and never on an async thread.
    pub fn execute(&self, command: Command) -> Result<Answer, Failure> {
        self.shared.execute(command)
    }

    /// Looks at the ledger and waits: for what is not hot, and never on an async thread.
    pub fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Ledger, Now) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.shared.read(look)
    }

    /// Waits until the tables hold everything that is durable now. Never on an async thread.
    pub fn settle(&self) -> Result<(), Failure> {
        self.shared.settle()
    }

    /// The tables, for reading: as settled as they are. Never on an async thread.
    pub fn history(&self) -> History {
        History::new(self.shared.clone())
    }

    /// The access tokens. Never on an async thread.
    pub fn tokens(&self) -> Tokens {
        Tokens::new(self.shared.clone())
    }

    /// Who collects the history. Never on an async thread.
    pub fn consumers(&self) -> crate::read::consumers::Consumers {
        crate::read::consumers::Consumers::new(self.shared.clone())
    }

    /// Whether it can serve.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// How many requests wait for the writer.
    pub fn waiting(&self) -> usize {
        self.shared.waiting()
    }

    /// Batches that were made durable since the start, and the events in them.
    pub fn commits(&self) -> (u64, u64) {
        self.shared.commits()
    }

    /// Durable events that the tables do not hold yet: what closing has still to write. Never
    /// waits.
    pub fn behind(&self) -> u64 {
        self.shared.left()
    }

    /// A write-ahead log of more than 64 MiB that a reader keeps from being taken in, in bytes.
    /// Never waits.
    pub fn held_log_bytes(&self) -> Option<u64> {
        self.shared.held_log_bytes()
    }

    /// The processes that read the data file now, for people; empty if the system does not tell.
    /// Never on an async thread.
    pub fn readers(&self) -> Vec<String> {
        crate::file::holders::of(&self.shared.path)
    }

    /// An empty command: goes through the queue, past the ledger and onto the disk as any other.
    /// Never on an async thread.
    ///
    /// # Errors
    /// [`Failure::Storage`] says that the disk answered, and refused;
    /// [`Failure::OutcomeUnknown`] that it did not answer.
    pub fn prove(&self) -> Result<(), Failure> {
        self.shared.prove()
    }

    /// Writes a snapshot of the file to `to`, which must not exist, while serving. Never on an
    /// async thread.
    pub fn backup(&self, to: &std::path::Path) -> Result<(), StoreError> {
        crate::copies::backup::copy(&self.shared.path, to)
    }

    /// Keeps in the file that a copy of it was taken, in Unix milliseconds. Never on an async
    /// thread.
    pub fn note_backup(&self, wall_ms: i64) -> Result<(), Failure> {
        self.shared.with_connection(move |connection| {
            crate::base::meta::put(connection, LAST_BACKUP, wall_ms.cast_unsigned())
        })
    }

    /// When the last copy that was noted was taken, in Unix milliseconds.
    pub fn last_backup(&self) -> Result<Option<i64>, Failure> {
        let noted = |connection: &_| crate::base::meta::number(connection, LAST_BACKUP);
        Ok(self.shared.with_reader(noted)?.map(u64::cast_signed))
    }

    /// The packs: upkeep of the file while it serves.
    pub fn pack(&self) -> crate::upkeep::pack::Pack {
        crate::upkeep::pack::Pack::new(self.shared.clone())
    }

    /// The versions that have served the file. Never on an async thread.
    pub fn versions(&self) -> crate::read::versions::Versions {
        crate::read::versions::Versions::new(self.shared.clone())
    }

    /// Finishes what waits, fills the tables, closes the file. Later requests get
    /// [`Failure::Stopping`].
    pub fn close(&self) {
        self.shared.close();
    }
}
