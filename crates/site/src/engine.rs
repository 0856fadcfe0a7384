//! The thread of an engine that waits for a disk or a network: calls are carried out one after another,
//! each in a transaction of its own.
//!
//! At most [`CALLS_LIMIT`] calls wait; who makes one more waits for a place. A call that panics ends
//! alone, and what it had changed is rolled back. The end of the engine waits for what has a place.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Semaphore, oneshot};

use crate::error::SiteError;
use crate::site::{Answer, CALLS_LIMIT};

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// `C` is what calls are carried out on.
pub(crate) struct Engine<C> {
    way_in: Arc<WayIn<C>>,
    thread: Option<JoinHandle<()>>,
}

struct WayIn<C> {
    /// None: the engine is ending. A call that waits for its place does not hold up the end.
    jobs: Mutex<Option<Sender<Job<C>>>>,
    places: Arc<Semaphore>,
}

/// Whether a call reads or writes.
pub(crate) enum Kind {
    Reads,
    Writes,
}

impl<C: Send + 'static> Engine<C> {
    /// Starts the thread that carries out calls on that connection. `held` is dropped after the
    /// connection.
    pub(crate) fn start(connection: C, held: impl Send + 'static) -> std::io::Result<Engine<C>> {
        let (jobs, taken) = channel();
        let work = move || {
            carry_out(connection, &taken);
            drop(held);
        };
        let thread = usher_vital::spawn("site", work)?;
        let way_in = WayIn {
            jobs: Mutex::new(Some(jobs)),
            places: Arc::new(Semaphore::new(CALLS_LIMIT)),
        };
        Ok(Engine {
            way_in: Arc::new(way_in),
            thread: Some(thread),
        })
    }

    /// Carries out `work` on the engine's thread.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut C) -> Result<T, SiteError> + Send + 'static,
    ) -> Answer<T> {
        self.asks().ask(doing, work)
    }

    /// For what asks more than once before it answers.
    pub(crate) fn asks(&self) -> Asks<C> {
        Asks(self.way_in.clone())
    }
}

/// Asks an engine, and does not hold up its end.
pub(crate) struct Asks<C>(Arc<WayIn<C>>);

impl<C: Send + 'static> Asks<C> {
    /// As [`Engine::ask`].
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut C) -> Result<T, SiteError> + Send + 'static,
    ) -> Answer<T> {
        let way_in = self.0.clone();
        Box::pin(async move {
            let ended = || SiteError::failed(doing, &"it is being closed");
            let places = way_in.places.clone();
            let place = places.acquire_owned().await.map_err(|_| ended())?;
            let (answer, answered) = oneshot::channel();
            let job: Job<C> = Box::new(move |connection: &mut C| {
                let done = work(connection);
                drop(place);
                // Who asked may have given up.
                let _ = answer.send(done);
            });
            way_in.take(job).ok_or_else(ended)?;
            match answered.await {
                Ok(done) => done,
                Err(_) => {
                    let why = "a fault of the manager's own, which is in its log";
                    Err(SiteError::failed(doing, &why))
                }
            }
        })
    }
}

impl Engine<Connection> {
    /// Carries out `work` in a transaction on the engine's thread.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        doing: &'static str,
        kind: Kind,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.ask(doing, move |connection| {
            let done = in_transaction(connection, kind, work);
            done.map_err(|error| SiteError::failed(doing, &error))
        })
    }
}

impl<C> WayIn<C> {
    fn jobs(&self) -> std::sync::MutexGuard<'_, Option<Sender<Job<C>>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, job: Job<C>) -> Option<()> {
        self.jobs().as_ref()?.send(job).ok()
    }
}

impl<C> Drop for Engine<C> {
    fn drop(&mut self) {
        self.way_in.places.close();
        drop(self.way_in.jobs().take());
        if let Some(thread) = self.thread.take() {
            // A panic of it has ended the process.
            let _ = thread.join();
        }
    }
}

fn carry_out<C>(mut connection: C, jobs: &Receiver<Job<C>>) {
    while let Ok(job) = jobs.recv() {
        usher_vital::plant::thread();
        // It is counted and in the log; who asked is told.
        let _ = usher_vital::catch("a call of the site database", || job(&mut connection));
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    kind: Kind,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let behavior = match kind {
        Kind::Reads => TransactionBehavior::Deferred,
        // What another program writes is waited for at the beginning, or not at all.
        Kind::Writes => TransactionBehavior::Immediate,
    };
    let transaction = connection.transaction_with_behavior(behavior)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}
