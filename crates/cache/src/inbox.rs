//! What callers and the writer share: the inbox, the readers' connections, and how it goes.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use usher_core::ledger::{Command, Ledger, Now};

use crate::clock::Clock;
use crate::engine::{Answer, Failure, Health, QUEUE_LIMIT, QUEUE_LIMIT_BYTES, Request, Sink, Work};
use crate::journal::CommitError;
use crate::weight::bytes_of;
use crate::writer::refuse;

/// How long a waiting caller waits for the disk.
const PATIENCE: Duration = Duration::from_secs(30);
/// A commit that takes longer than this means that the disk hangs.
const STUCK_SECONDS: u64 = 3;
/// Readers' connections that are kept open.
const READERS_KEPT: usize = 4;

/// Under which name the file keeps when an empty command last went the whole way.
pub(crate) const PROVED: &str = "proved_wall";

/// Something to be done on the writer's own connection; told the failure where there is none.
pub(crate) type Statement =
    Box<dyn FnOnce(Result<&Connection, Failure>) -> Result<(), CommitError> + Send>;
/// Told when the tables hold what was durable.
pub(crate) type Settler = Box<dyn FnMut(Result<(), Failure>) + Send>;

/// What waits for the writer.
pub(crate) enum Item {
    Request(Request),
    Statement(Statement),
    Settle(Settler),
}

#[derive(Default)]
struct Inbox {
    items: Vec<Item>,
    /// What `items` take in memory, about.
    bytes: usize,
    /// When `items` came, oldest first: an instant and how many came then.
    arrivals: VecDeque<(Instant, usize)>,
    closing: bool,
    closed: bool,
}

impl Inbox {
    /// Takes an item in, if there is room for one of its size; what finds none.
    fn take_in(&mut self, item: Item) -> Option<Item> {
        let bytes = bytes_of(&item);
        let has_room = self.bytes + bytes <= QUEUE_LIMIT_BYTES || self.items.is_empty();
        if !has_room || self.items.len() >= QUEUE_LIMIT {
            return Some(item);
        }
        self.items.push(item);
        self.bytes += bytes;
        None
    }

    /// So many were added just now.
    fn came(&mut self, count: usize) {
        if count > 0 {
            self.arrivals.push_back((Instant::now(), count));
        }
    }

    /// Takes the first `count` out.
    fn drain(&mut self, count: usize) -> Vec<Item> {
        let mut left = count;
        while let Some((_, came)) = self.arrivals.front_mut() {
            if *came > left {
                *came -= left;
                break;
            }
            left -= *came;
            self.arrivals.pop_front();
        }
        if count == self.items.len() {
            self.bytes = 0;
            return std::mem::take(&mut self.items);
        }
        let drained: Vec<Item> = self.items.drain(..count).collect();
        let bytes: usize = drained.iter().map(bytes_of).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        drained
    }
}

/// See the module.
pub(crate) struct Shared {
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    ended: Condvar,
    pub(crate) path: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    /// The pack that runs, if one does.
    pub(crate) pack: crate::pack::Turn,
    /// Held until the file is closed: one process a data directory, and a data file.
    held: Mutex<Option<[File; 2]>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Vec<Connection>>,
    /// When the disk was last asked, on the boot clock plus one; 0 when it is not being asked.
    asked_ms: AtomicU64,
    trouble: Mutex<Option<(String, i64)>>,
    batches: AtomicU64,
    events: AtomicU64,
    /// Durable events that the tables do not hold yet.
    behind: AtomicU64,
    /// Pages that were written to the log since it was opened.
    logged_pages: AtomicU64,
    /// The size of a log that a reader keeps from being taken in, in bytes; 0: none does.
    held_log_bytes: AtomicU64,
}

/// What a statement took of the writer and the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) took: Duration,
    /// Pages that it has written to the log.
    pub(crate) pages: u64,
}

/// A panic elsewhere leaves these values whole: each is set in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(path: PathBuf, clock: Arc<dyn Clock>, locks: [File; 2]) -> Shared {
        Shared {
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            ended: Condvar::new(),
            path,
            clock,
            pack: crate::pack::Turn::default(),
            held: Mutex::new(Some(locks)),
            thread: Mutex::default(),
            readers: Mutex::default(),
            asked_ms: AtomicU64::new(0),
            trouble: Mutex::default(),
            batches: AtomicU64::new(0),
            events: AtomicU64::new(0),
            behind: AtomicU64::new(0),
            logged_pages: AtomicU64::new(0),
            held_log_bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn submit(&self, requests: &mut Vec<Request>) {
        let mut inbox = lock(&self.inbox);
        let closing = inbox.closing;
        let was_empty = inbox.items.is_empty();
        let mut refused = Vec::new();
        let mut taken = 0;
        for item in requests.drain(..).map(Item::Request) {
            let left = match closing {
                true => Some(item),
                false => inbox.take_in(item),
            };
            match left {
                None => taken += 1,
                Some(item) => refused.push(item),
            }
        }
        inbox.came(taken);
        drop(inbox);
        if was_empty && taken > 0 {
            self.arrived.notify_one();
        }
        if !refused.is_empty() {
            let failure = if closing {
                Failure::Stopping
            } else {
                Failure::Busy
            };
            refuse(refused, &failure);
        }
    }

    fn push(&self, item: Item) {
        let mut inbox = lock(&self.inbox);
        let (left, failure) = match inbox.closing {
            true => (Some(item), Failure::Stopping),
            false => (inbox.take_in(item), Failure::Busy),
        };
        if let Some(item) = left {
            drop(inbox);
            refuse(vec![item], &failure);
            return;
        }
        inbox.came(1);
        drop(inbox);
        self.arrived.notify_one();
    }

    /// Refuses what has waited for longer than `at_most` and was not handed to the writer:
    /// nothing of it was done, nor will be.
    pub(crate) fn refuse_late(&self, at_most: Duration) {
        let late = {
            let mut inbox = lock(&self.inbox);
            let is_late = |(at, _): &&(Instant, usize)| at.elapsed() > at_most;
            let late = inbox.arrivals.iter().take_while(is_late);
            let count = late.map(|(_, count)| count).sum();
            inbox.drain(count)
        };
        refuse(late, &Failure::Busy);
    }

    pub(crate) fn execute(&self, command: Command) -> Result<Answer, Failure> {
        struct Waiting(SyncSender<Result<Answer, Failure>>);
        impl Sink for Waiting {
            fn deliver(&self, answers: &mut Vec<(u64, Result<Answer, Failure>)>) {
                if let Some((_, answer)) = answers.pop() {
                    // Nobody receives where the caller's patience is over.
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
        received(receiver.recv_timeout(PATIENCE))
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
            // Nobody receives where the caller's patience is over.
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

    /// Carries out a statement that no transaction may hold on the writer's connection.
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

    /// Reads with a connection of its own, which sees what was committed when it began.
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
        let result = crate::interrupt::watched(&mut connection, query).map_err(unread)?;
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        Ok(result)
    }

    pub(crate) fn close_readers(&self) {
        lock(&self.readers).clear();
    }

    /// Waits until something has arrived, no longer than `patience`; whether it has.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> bool {
        let mut inbox = lock(&self.inbox);
        while inbox.items.is_empty() && !inbox.closing {
            match patience {
                None => {
                    inbox = self
                        .arrived
                        .wait(inbox)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Some(patience) => {
                    let waited = self.arrived.wait_timeout(inbox, patience);
                    inbox = waited.unwrap_or_else(PoisonError::into_inner).0;
                    break;
                }
            }
        }
        !inbox.items.is_empty()
    }

    /// What has arrived, at most `limit` items, and whether the engine is closing.
    pub(crate) fn take(&self, limit: usize) -> (Vec<Item>, bool) {
        let mut inbox = lock(&self.inbox);
        let count = inbox.items.len().min(limit);
        (inbox.drain(count), inbox.closing)
    }

    pub(crate) fn waiting(&self) -> usize {
        lock(&self.inbox).items.len()
    }

    pub(crate) fn commits(&self) -> (u64, u64) {
        (
            self.batches.load(Ordering::Relaxed),
            self.events.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn behind(&self, events: u64) {
        self.behind.store(events, Ordering::Relaxed);
    }

    /// So many pages were written to the log.
    pub(crate) fn logged(&self, pages: u64) {
        self.logged_pages.fetch_add(pages, Ordering::Relaxed);
    }

    /// Notes the size of a log that a reader keeps, or that none does; what was noted before.
    pub(crate) fn held_log(&self, bytes: Option<u64>) -> Option<u64> {
        let before = self
            .held_log_bytes
            .swap(bytes.unwrap_or(0), Ordering::Relaxed);
        (before > 0).then_some(before)
    }

    /// The size of a log that a reader keeps from being taken in.
    pub(crate) fn held_log_bytes(&self) -> Option<u64> {
        Some(self.held_log_bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }

    fn logged_pages(&self) -> u64 {
        self.logged_pages.load(Ordering::Relaxed)
    }

    pub(crate) fn left(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    /// Goes the way of every request, and changes nothing that is remembered: into the queue,
    /// past the ledger, onto the disk and back.
    pub(crate) fn prove(&self) -> Result<(), Failure> {
        self.read(|_, _| ())?;
        let wall_ms = self.clock.wall_ms();
        self.with_connection(move |connection| {
            crate::schema::put(connection, PROVED, wall_ms.cast_unsigned())
        })
    }

    pub(crate) fn counted(&self, events: u64) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn commit_begins(&self) {
        self.asked_ms
            .store(self.clock.boot_ms() + 1, Ordering::Relaxed);
    }

    pub(crate) fn commit_ends(&self) {
        self.asked_ms.store(0, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, why: &str) {
        let mut trouble = lock(&self.trouble);
        let since = trouble
            .as_ref()
            .map_or_else(|| self.clock.wall_ms(), |(_, since)| *since);
        *trouble = Some((why.to_owned(), since));
    }

    pub(crate) fn recovered(&self) {
        if lock(&self.trouble).take().is_some() {
            tracing::info!("commits succeed again");
        }
    }

    pub(crate) fn trouble_text(&self) -> String {
        lock(&self.trouble)
            .as_ref()
            .map_or_else(String::new, |(why, _)| why.clone())
    }

    pub(crate) fn health(&self) -> Health {
        let asked = self.asked_ms.load(Ordering::Relaxed);
        let for_ms = self.clock.boot_ms().saturating_add(1).saturating_sub(asked);
        if asked > 0 && for_ms > STUCK_SECONDS * 1_000 {
            return Health::Stuck {
                why: format!("the disk of {} has not answered", self.path.display()),
                for_seconds: for_ms / 1_000,
            };
        }
        match lock(&self.trouble).clone() {
            Some((why, since_wall_ms)) => Health::Degraded { why, since_wall_ms },
            None => Health::Ok,
        }
    }

    pub(crate) fn keep(&self, thread: JoinHandle<()>) {
        *lock(&self.thread) = Some(thread);
    }

    pub(crate) fn closed(&self) {
        drop(lock(&self.held).take());
        lock(&self.inbox).closed = true;
        self.ended.notify_all();
    }

    /// Asks the writer to finish and waits for it, though not for ever: a disk may hang.
    pub(crate) fn close(&self) {
        lock(&self.inbox).closing = true;
        self.arrived.notify_one();
        self.pack.stop();
        let mut inbox = lock(&self.inbox);
        while !inbox.closed {
            let (next, waited) = self
                .ended
                .wait_timeout(inbox, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            inbox = next;
            if waited.timed_out() {
                tracing::error!("the disk does not answer: the journal is left as it is");
                return;
            }
        }
        drop(inbox);
        if let Some(thread) = lock(&self.thread).take() {
            // A panic of the writer has been printed; there is nothing to add.
            let _ = thread.join();
        }
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

#[cfg(test)]
mod tests {
    use usher_core::ledger::{ComputerRef, Report, ReportItem};

    use super::*;

    struct Nowhere;

    impl Sink for Nowhere {
        fn deliver(&self, _: &mut Vec<(u64, Result<Answer, Failure>)>) {}
    }

    /// A report with a text of so many bytes.
    fn report(bytes: usize) -> Item {
        let command = Command::Report(Box::new(Report {
            computer: ComputerRef {
                key: "c1".into(),
                candidate: 1,
            },
            name: "c1".into(),
            document: " ".repeat(bytes).into(),
            incarnation: 1,
            items: vec![(1, ReportItem::Nothing)],
        }));
        Item::Request(Request {
            work: Work::Command(command),
            sink: Arc::new(Nowhere),
            token: 0,
        })
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_and_gives_them_back() {
        const LARGE: usize = 1 << 20;
        let mut inbox = Inbox::default();
        let mut taken = 0;
        while inbox.take_in(report(LARGE)).is_none() {
            taken += 1;
        }
        assert!(taken > 100 && taken * LARGE <= QUEUE_LIMIT_BYTES, "{taken}");
        assert!(
            inbox.take_in(report(1_000)).is_none(),
            "smaller ones fit still"
        );
        inbox.came(taken + 1);
        assert_eq!(inbox.drain(2).len(), 2);
        assert!(inbox.take_in(report(LARGE)).is_none());
        inbox.came(1);
        inbox.drain(taken);
        assert_eq!(inbox.bytes, 0);
        assert!(
            inbox.take_in(report(QUEUE_LIMIT_BYTES)).is_none(),
            "it waits alone"
        );
        assert!(inbox.take_in(report(1)).is_some());
    }

    #[test]
    fn what_waits_is_bounded_in_number() {
        let mut inbox = Inbox::default();
        let mut taken = 0;
        while inbox.take_in(Item::Settle(Box::new(|_| {}))).is_none() {
            taken += 1;
        }
        assert_eq!(taken, QUEUE_LIMIT);
    }
}
