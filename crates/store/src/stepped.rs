//! A store without threads, for a simulator: the caller steps its writer, on one thread and with
//! one clock.

use std::path::PathBuf;
use std::sync::Arc;

use usher_core::ledger::{Batch, Command, Ledger};

use crate::base::clock::Clock;
use crate::base::error::StoreError;
use crate::base::place::Place;
use crate::queue::requests::{Answer, Failure, Health};
use crate::write::writer::{Beginning, Opened, Writer, begin};

/// The options of a store without threads.
pub struct SteppedOptions {
    /// The SQLite VFS that the file lies in, which is registered for as long as the process runs.
    pub vfs: &'static str,
    /// The path of the file in that VFS. Nobody else may have it open.
    pub path: PathBuf,
    /// The clocks that the ledger uses.
    pub clock: Arc<dyn Clock>,
    /// Called for each batch as soon as it is durable, in order.
    pub on_durable: Box<dyn Fn(&Batch) + Send>,
    /// Random numbers from which the identity of a new file is made.
    pub identity: [u64; 2],
}

/// A ledger in a file of an SQLite VFS, with the writer that runs on a thread of an
/// [`Engine`](crate::Engine). Beside the file there is only its log: no lock and no mark, and
/// nobody else reads it. Dropping it is like a kill.
pub struct Stepped {
    writer: Writer,
}

impl Stepped {
    /// Opens the file, or makes it, and recovers it.
    ///
    /// # Errors
    /// The disk refused, or what it holds is no data file.
    pub fn open(options: SteppedOptions) -> Result<(Stepped, Opened), StoreError> {
        let SteppedOptions {
            vfs,
            path,
            clock,
            on_durable,
            identity,
        } = options;
        let beginning = Beginning {
            path,
            place: Place::Vfs(vfs),
            locks: None,
            clock,
            on_durable,
            drawn: &|_| Ok(identity),
        };
        let (writer, opened) = begin(beginning, &|_| {})?;
        Ok((Stepped { writer }, opened))
    }

    /// Carries out one command, as a batch of its own if nothing else waits.
    ///
    /// # Errors
    /// As an engine's.
    pub fn execute(&mut self, command: Command) -> Result<Answer, Failure> {
        let answer = self.writer.shared.ask(command);
        self.step();
        // Whoever was to answer panicked.
        answer.try_recv().unwrap_or(Err(Failure::Fault))
    }

    /// One turn of the writer: it serves waiting requests and what is due; if nothing waits, it
    /// applies a slice of the events to the tables.
    pub fn step(&mut self) {
        let has_come = self.writer.shared.waiting() > 0;
        self.writer.turn(has_come);
    }

    /// How many durable events the tables do not hold yet.
    pub fn behind(&self) -> u64 {
        self.writer.behind()
    }

    /// Whether the store can serve.
    pub fn health(&self) -> Health {
        self.writer.shared.health()
    }

    /// The ledger; between two steps everything in it is durable.
    pub fn ledger(&self) -> &Ledger {
        self.writer.ledger()
    }

    /// Fills the tables and closes the file.
    pub fn close(mut self) {
        self.writer.shared.begin_to_close();
        while !self.writer.turn(false) {}
        self.writer.end();
    }
}
