//! The handle to an open data file.

use std::sync::Arc;

use usher_core::ledger::{Command, Ledger, Now};

use crate::base::error::StoreError;
use crate::queue::requests::{Answer, Failure, Health, Request};
use crate::read::history::History;
use crate::read::tokens::Tokens;
use crate::write::writer::{self, EngineOptions, Opened};

/// The name in `meta` of the time of the last backup.
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

    /// Applies one command and waits for the answer. For rare commands only, and never on an async
    /// thread.
    pub fn execute(&self, command: Command) -> Result<Answer, Failure> {
        self.shared.execute(command)
    }

    /// Reads from the ledger and waits for the answer. For rare reads only, and never on an async
    /// thread.
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

    /// The tables, for reading, without waiting for events that are not in them yet. Never on an
    /// async thread.
    pub fn history(&self) -> History {
        History::new(self.shared.clone())
    }

    /// The access tokens. Never on an async thread.
    pub fn tokens(&self) -> Tokens {
        Tokens::new(self.shared.clone())
    }

    /// The consumers of the history. Never on an async thread.
    pub fn consumers(&self) -> crate::read::consumers::Consumers {
        crate::read::consumers::Consumers::new(self.shared.clone())
    }

    /// Whether the engine can serve.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// How many requests wait for the writer.
    pub fn waiting(&self) -> usize {
        self.shared.waiting()
    }

    /// How many batches were committed since the start, and how many events they had.
    pub fn commits(&self) -> (u64, u64) {
        self.shared.commits()
    }

    /// How many durable events the tables do not hold yet; closing has to write them. Never waits.
    pub fn behind(&self) -> u64 {
        self.shared.left()
    }

    /// The size in bytes of the write-ahead log, if it has more than 64 MiB and a reader prevents
    /// its checkpoint. Never waits.
    pub fn held_log_bytes(&self) -> Option<u64> {
        self.shared.held_log_bytes()
    }

    /// The processes that read the data file now, by name and number; empty if the system does not
    /// tell. Never on an async thread.
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

    /// Writes a snapshot of the file to `to`, which must not exist. Serving goes on. Never on an
    /// async thread.
    pub fn backup(&self, to: &std::path::Path) -> Result<(), StoreError> {
        crate::copies::backup::copy(&self.shared.path, to)
    }

    /// Records in the file when a backup was taken; Unix milliseconds, wall clock. Never on an
    /// async thread.
    pub fn note_backup(&self, wall_ms: i64) -> Result<(), Failure> {
        self.shared.with_connection(move |connection| {
            crate::base::meta::put(connection, LAST_BACKUP, wall_ms.cast_unsigned())
        })
    }

    /// When the last recorded backup was taken; Unix milliseconds, wall clock.
    pub fn last_backup(&self) -> Result<Option<i64>, Failure> {
        let noted = |connection: &_| crate::base::meta::number(connection, LAST_BACKUP);
        Ok(self.shared.with_reader(noted)?.map(u64::cast_signed))
    }

    /// The pack: upkeep of the file while it serves.
    pub fn pack(&self) -> crate::upkeep::pack::Pack {
        crate::upkeep::pack::Pack::new(self.shared.clone())
    }

    /// The versions that have served the file. Never on an async thread.
    pub fn versions(&self) -> crate::read::versions::Versions {
        crate::read::versions::Versions::new(self.shared.clone())
    }

    /// Applies the waiting requests, fills the tables and closes the file. Later requests get
    /// [`Failure::Stopping`].
    pub fn close(&self) {
        self.shared.close();
    }
}
