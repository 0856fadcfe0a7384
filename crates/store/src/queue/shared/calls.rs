//! Calls that wait for the writer, and reads beside it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use usher_core::ledger::{Command, Ledger, Now};

use super::{PATIENCE, Shared, lock};
use crate::queue::inbox::Item;
use crate::queue::requests::{Answer, Failure, Request, Sink, Work};
use crate::tables::journal::CommitError;

/// How many connections of readers are kept open.
const READERS_KEPT: usize = 4;

/// What a statement cost the writer and the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) took: Duration,
    /// How many pages it wrote to the log.
    pub(crate) pages: u64,
}

impl Shared {
    pub(crate) fn execute(&self, command: Command) -> Result<Answer, Failure> {
        received(self.ask(command).recv_timeout(PATIENCE))
    }

    /// Sends a command to the writer; its answer comes through the channel.
    pub(crate) fn ask(&self, command: Command) -> Receiver<Result<Answer, Failure>> {
        struct Waiting(SyncSender<Result<Answer, Failure>>);
        impl Sink for Waiting {
            fn deliver(&self, answers: &mut Vec<(u64, Result<Answer, Failure>)>) {
                if let Some((_, answer)) = answers.pop() {
                    // Nobody receives if the caller's time limit has passed.
                    let _ = self.0.try_send(answer);
                }
            }
        }
        let (sender, receiver) = sync_channel(1);
        let sink = Arc::new(Waiting(sender));
        self.push(Item::Request(Request {
            work: Work::Command(command),
            sink,
            token: 0,
        }));
        receiver
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Ledger, Now) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        struct Nowhere;
        impl Sink for Nowhere {
            fn deliver(&self, _: &mut Vec<(u64, Result<Answer, Failure>)>) {}
        }
        let (sender, receiver) = sync_channel(1);
        let work = Work::Read(Box::new(move |seen| {
            // Nobody receives if the caller's time limit has passed.
            let _ = sender.try_send(seen.map(|(ledger, now)| look(ledger, now)));
        }));
        self.push(Item::Request(Request {
            work,
            sink: Arc::new(Nowhere),
            token: 0,
        }));
        received(receiver.recv_timeout(PATIENCE))
    }

    pub(crate) fn settle(&self) -> Result<(), Failure> {
        let (sender, receiver) = sync_channel(1);
        self.push(Item::Settle(Box::new(move |outcome| {
            let _ = sender.try_send(outcome);
        })));
        received(receiver.recv_timeout(PATIENCE))
    }

    /// Carries out statements in one transaction on the writer's connection; durable when it
    /// returns.
    pub(crate) fn with_connection<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.statement(move |connection| in_transaction(connection, statements))
    }

    /// The same for what may be lost with the power, whole or not at all, and done again: it does
    /// not wait for the disk. It is durable with the next commit. Tells what it has taken.
    pub(crate) fn at_leisure<T: Send + 'static>(
        self: &Arc<Self>,
        statements: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<(T, Cost), Failure> {
        let shared = self.clone();
        self.statement(move |connection| {
            let (began, pages) = (Instant::now(), shared.logged_pages());
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            let done = in_transaction(connection, statements);
            connection.execute_batch("PRAGMA synchronous = FULL")?;
            let cost = Cost {
                took: began.elapsed(),
                pages: shared.logged_pages().saturating_sub(pages),
            };
            Ok((done?, cost))
        })
    }

    fn statement<T: Send + 'static>(
        &self,
        transaction: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, receiver) = sync_channel(1);
        self.push(Item::Statement(Box::new(move |connection| {
            let connection = match connection {
                Ok(connection) => connection,
                Err(failure) => {
                    let _ = sender.try_send(Err(failure));
                    return Ok(());
                }
            };
            let done = transaction(connection);
            let (answer, outcome) = match done {
                Ok(value) => (Ok(value), Ok(())),
                Err(error) => match CommitError::of(&error) {
                    CommitError::Definite(why) => (
                        Err(Failure::Storage(why.clone())),
                        Err(CommitError::Definite(why)),
                    ),
                    CommitError::Unknown(why) => (
                        Err(Failure::OutcomeUnknown(why.clone())),
                        Err(CommitError::Unknown(why)),
                    ),
                },
            };
            let _ = sender.try_send(answer);
            outcome
        })));
        received(receiver.recv_timeout(PATIENCE))
    }

    /// Runs a statement that must not be in a transaction on the writer's connection.
    pub(crate) fn outside_transaction(
        &self,
        statement: fn(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), Failure> {
        let (sender, receiver) = sync_channel(1);
        self.push(Item::Statement(Box::new(move |connection| {
            let done = connection.and_then(|connection| {
                statement(connection).map_err(|error| Failure::Storage(error.to_string()))
            });
            let _ = sender.try_send(done);
            Ok(())
        })));
        received(receiver.recv_timeout(PATIENCE))
    }

    /// Reads with a connection of its own, which sees what was committed when the read began.
    pub(crate) fn with_reader<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        let unread = |error: rusqlite::Error| Failure::Unread(error.to_string());
        let pooled = lock(&self.readers).pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags).map_err(unread)?;
                connection
                    .busy_timeout(Duration::from_secs(5))
                    .map_err(unread)?;
                connection
            }
        };
        let result = crate::queue::interrupt::watched(&mut connection, query).map_err(unread)?;
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        Ok(result)
    }

    pub(crate) fn close_readers(&self) {
        lock(&self.readers).clear();
    }
}

fn in_transaction<T>(
    connection: &Connection,
    statements: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done =
        statements(connection).and_then(|value| connection.execute_batch("COMMIT").map(|()| value));
    if done.is_err() && !connection.is_autocommit() {
        // The first error is the one to tell.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

fn received<T>(outcome: Result<Result<T, Failure>, RecvTimeoutError>) -> Result<T, Failure> {
    match outcome {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(Failure::OutcomeUnknown(
            "the disk has not answered for 30 seconds".to_owned(),
        )),
        // Whoever was to answer panicked, or the engine has ended.
        Err(RecvTimeoutError::Disconnected) => Err(Failure::Fault),
    }
}
