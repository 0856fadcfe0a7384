//! A store without threads: its writer is stepped by who asks it, on one thread and on that one's
//! clock. For a simulator.

use std::path::PathBuf;
use std::sync::Arc;

use usher_core::ledger::{Batch, Command, Ledger};

use crate::base::clock::Clock;
use crate::base::error::StoreError;
use crate::base::place::Place;
use crate::queue::requests::{Answer, Failure, Health};
use crate::write::writer::{Beginning, Opened, Writer, begin};

/// How a store without threads is opened.
pub struct SteppedOptions {
    /// The SQLite VFS that the file lies in, which is registered for as long as the process runs.
    pub vfs: &'static str,
    /// The file, as that VFS calls it. Nobody else opens it meanwhile.
    pub path: PathBuf,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Told of each batch as soon as it is durable, in order.
    pub on_durable: Box<dyn Fn(&Batch) + Send>,
    /// What the identity of a new file is made of.
    pub identity: [u64; 2],
}

/// A ledger in a file of an SQLite VFS, and the writer that the thread of an
/// [`Engine`](crate::Engine) is. Beside the file lies nothing but its log: no lock and no mark, and
/// nobody else reads it. To drop it is to be killed.
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

    /// What the writer does between two looks at its queue: it serves what waits there, and what is
    /// due; if nothing waits it takes a slice of the events into the tables.
    pub fn step(&mut self) {
        let has_come = self.writer.shared.waiting() > 0;
        self.writer.turn(has_come);
    }

    /// Durable events that the tables do not hold yet.
    pub fn behind(&self) -> u64 {
        self.writer.behind()
    }

    /// Whether it can serve.
    pub fn health(&self) -> Health {
        self.writer.shared.health()
    }

    /// What the ledger says: between two steps all of it is durable.
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
