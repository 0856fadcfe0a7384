//! The one writer: takes what has arrived, applies it, makes it durable, hands out the answers.
//!
//! While a batch is being made durable, the next gathers in the inbox; when nothing waits, a
//! request is a batch of its own at once. When the writer is idle it fills the tables.

mod deliver;
mod log;
mod start;
mod trouble;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use usher_core::ledger::{Batch, Command, Ledger, Now, Steady, Wall};
use usher_vital::catch;

use crate::base::clock::Clock;
use crate::base::place::Place;
use crate::file::presence::Presence;
use crate::queue::inbox::{Item, Settler, refuse};
use crate::queue::requests::{Answer, Failure, Look, Request, Work};
use crate::queue::shared::Shared;
use crate::tables::journal::{self, CommitError};
use crate::write::checkpoint::Beside;
use deliver::{Deliveries, deliver, put};
pub(crate) use start::{Beginning, begin, open};
pub use start::{EngineOptions, Opened};

/// Requests in one batch at the most.
const BATCH_LIMIT: usize = 8_192;
/// Events that a slice takes from the journal into the tables, about: the more, the further the
/// tables are behind, for a long slice costs less an event and a short one holds nobody up.
const SLICE_EVENTS: std::ops::RangeInclusive<u64> = 1_000..=4_000;
/// Which part of what they are behind.
const SLICE_SHARE: u64 = 50;
/// Events that the journal may hold, about: from half of it on a load pays for what it brings.
const JOURNAL_LIMIT_EVENTS: u64 = 1_000_000;
/// Journal events that are applied to the tables in one batch while requests keep arriving: it takes
/// about half a millisecond.
const BITE_EVENTS: u64 = 512;
/// The writer is idle when nothing has come for so long.
const IDLE: Duration = Duration::from_millis(20);
/// How long to leave a failing disk alone if no request comes.
const RETRY: Duration = Duration::from_secs(1);
/// How often the writer checks whether the files still exist.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    place: Place,
    /// None while the file cannot be opened after an I/O error.
    connection: Option<Connection>,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// Added to the boot clock it gives the ledger's clock.
    offset_ms: i64,
    last: Now,
    ledger: Ledger,
    /// All events below this number are durable.
    durable_to: u64,
    /// The tables hold all events below this number.
    filled_to: u64,
    settlers: Vec<(u64, Settler)>,
    buffer: Vec<u8>,
    on_durable: Box<dyn Fn(&Batch) + Send>,
    retry_at: Option<Instant>,
    presence: Presence,
    /// When the writer last checked whether the files still exist.
    looked_at: Instant,
    /// Why nothing can be kept: a file was removed or replaced.
    gone: Option<String>,
    /// The connection has met an I/O error, and the file was gone when it was to be opened again.
    must_rebuild: bool,
    /// Up to which event `owed` counts what has arrived.
    counted_to: u64,
    /// Journal events to apply to the tables while requests keep arriving.
    owed: u64,
    /// When the writer last checked whether a reader keeps the write-ahead log.
    log_looked_at: Instant,
    /// Takes the log in meanwhile; none while there is no connection.
    beside: Option<Beside>,
}

impl Writer {
    fn run(mut self) {
        loop {
            usher_vital::plant::thread();
            let has_come = self.shared.wait(self.patience());
            if self.turn(has_come) {
                break;
            }
        }
        self.end();
    }

    /// Serves what has come, if anything `has_come`, and keeps the file up; whether that was all
    /// before the end.
    pub(crate) fn turn(&mut self, has_come: bool) -> bool {
        // What asks the disk is done before anything is taken: what waits in the inbox can be
        // refused, and what was taken cannot.
        self.look_for_files();
        if has_come && self.gone.is_none() && self.connection.is_none() {
            self.rebuild();
        }
        let (items, closing) = self.shared.take(BATCH_LIMIT);
        let idle = items.is_empty();
        self.serve(items);
        self.upkeep(idle);
        self.look_at_log();
        if idle {
            self.try_again();
        }
        self.shared.behind(self.behind());
        closing && idle
    }

    /// Leaves the file complete, and whoever waits for that goes on.
    pub(crate) fn end(mut self) {
        self.finish();
        self.shared.closed();
    }

    /// Everything that is durable.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How long to wait for requests.
    fn patience(&self) -> Option<Duration> {
        if self.gone.is_some() {
            return Some(LOOK);
        }
        if let Some(retry_at) = self.retry_at {
            return Some(retry_at.saturating_duration_since(self.clock.instant()));
        }
        if self.must_fill() {
            return Some(Duration::ZERO);
        }
        let filling = (self.filled_to < self.durable_to).then_some(IDLE);
        let due = self
            .ledger
            .next_due()
            .map(|due| Duration::from_millis(due.since_ms(Steady(self.boot_to_steady()))));
        [filling, due, Some(LOOK)].into_iter().flatten().min()
    }

    /// Whether a disk that has failed may be asked again.
    fn may_try(&self) -> bool {
        self.retry_at.is_none_or(|at| at <= self.clock.instant())
    }

    fn boot_to_steady(&self) -> u64 {
        let steady = self
            .clock
            .boot_ms()
            .cast_signed()
            .saturating_add(self.offset_ms);
        u64::try_from(steady).unwrap_or(0).max(self.last.steady.0)
    }

    fn now(&mut self) -> Now {
        self.last = Now {
            steady: Steady(self.boot_to_steady()),
            wall: Wall(self.clock.wall_ms()),
        };
        self.last
    }

    fn serve(&mut self, items: Vec<Item>) {
        let due = self
            .ledger
            .next_due()
            .is_some_and(|due| due.0 <= self.boot_to_steady());
        let may_try = self.may_try();
        if items.is_empty() && !(due && may_try) {
            return;
        }
        if let Some(why) = self.gone.clone() {
            self.serve_without_file(items, &why);
            return;
        }
        if self.connection.is_none() {
            refuse(items, &Failure::Storage(self.shared.trouble_text()));
            return;
        }
        let now = self.now();
        if due {
            self.ledger.apply(now, Command::Tick);
        }
        let mut deliveries: Deliveries = Vec::new();
        let mut looks: Vec<Look> = Vec::new();
        let mut statements = Vec::new();
        let mut is_whole = true;
        let mut more = items.len();
        let mut items = items.into_iter();
        for item in items.by_ref() {
            more -= 1;
            match item {
                Item::Request(Request {
                    work: Work::Command(command),
                    sink,
                    token,
                }) => {
                    // What is caught passes through several hands, and the two are large.
                    let (mut asked, mut reply) = (Some(command), None);
                    let ledger = &mut self.ledger;
                    let applied = catch("a command of the ledger", || {
                        reply = asked.take().map(|command| ledger.apply(now, command));
                    });
                    match reply {
                        Some(reply) if applied.is_ok() => {
                            let answer = Ok(Answer { at: now, reply });
                            put(&mut deliveries, sink, token, answer, more);
                        }
                        _ => {
                            put(&mut deliveries, sink, token, Err(Failure::Fault), more);
                            is_whole = false;
                            break;
                        }
                    }
                }
                Item::Request(Request {
                    work: Work::Read(look),
                    ..
                }) => looks.push(look),
                Item::Statement(statement) => statements.push(statement),
                Item::Settle(settler) => self.settlers.push((u64::MAX, settler)),
            }
        }
        let outcome = match is_whole {
            true => self.commit(now),
            false => {
                // The ledger may be changed by half. What is on disk is whole, and nothing of this
                // batch is: all of it can be asked again.
                self.rebuild();
                refuse(items.collect(), &Failure::Busy);
                Err(Failure::Busy)
            }
        };
        deliver(deliveries, &outcome);
        // After the commit, or after what failed was taken back: what they see is durable.
        for look in looks {
            let seen = match &self.connection {
                Some(_) => Ok((&self.ledger, now)),
                None => Err(Failure::Storage(self.shared.trouble_text())),
            };
            // It changes nothing; who asked hears by the end of its channel.
            let _ = catch("a look at the ledger", || look(seen));
        }
        for (target, _) in &mut self.settlers {
            *target = (*target).min(self.durable_to);
        }
        for statement in statements {
            self.execute(statement);
        }
    }

    /// Shows what is known, and refuses what would have to be kept.
    fn serve_without_file(&mut self, items: Vec<Item>, why: &str) {
        let now = self.now();
        let mut refused = Vec::new();
        for item in items {
            match item {
                Item::Request(Request {
                    work: Work::Read(look),
                    ..
                }) => drop(catch("a look at the ledger", || {
                    look(Ok((&self.ledger, now)))
                })),
                other => refused.push(other),
            }
        }
        refuse(refused, &Failure::Storage(why.to_owned()));
    }

    /// Makes durable what the ledger has changed, or takes it back.
    fn commit(&mut self, now: Now) -> Result<(), Failure> {
        if self.ledger.pending().is_empty() {
            return Ok(());
        }
        let Some(connection) = &self.connection else {
            self.ledger.undo();
            return Err(Failure::Storage(self.shared.trouble_text()));
        };
        let first = self.ledger.pending_first();
        self.shared.commit_begins();
        let committed = journal::commit(
            connection,
            first,
            now,
            self.ledger.pending(),
            &mut self.buffer,
        );
        self.shared.commit_ends();
        match committed {
            Ok(()) => {
                let batch = self.ledger.seal();
                self.durable_to = self.ledger.next_number();
                self.shared.counted(batch.events.len() as u64);
                self.recovered();
                (self.on_durable)(&batch);
                Ok(())
            }
            Err(CommitError::Definite(why)) => {
                self.ledger.undo();
                self.failed(&why);
                Err(Failure::Storage(why))
            }
            Err(CommitError::Unknown(why)) => {
                self.failed(&why);
                self.rebuild();
                Err(Failure::OutcomeUnknown(why))
            }
        }
    }

    /// Carries out a statement on the writer's connection, in a transaction of its own.
    fn execute(&mut self, statement: crate::queue::inbox::Statement) {
        self.shared.commit_begins();
        let connection = match &self.connection {
            Some(connection) if self.gone.is_none() => Ok(connection),
            _ => Err(Failure::Storage(self.shared.trouble_text())),
        };
        let outcome = catch("a statement", || statement(connection)).unwrap_or_else(|_| {
            // Who asked hears by the end of its channel.
            match &self.connection {
                Some(connection) if !connection.is_autocommit() => connection
                    .execute_batch("ROLLBACK")
                    .map_err(|error| CommitError::of(&error)),
                _ => Ok(()),
            }
        });
        self.shared.commit_ends();
        match outcome {
            Ok(()) if self.connection.is_some() && self.gone.is_none() => self.recovered(),
            Ok(()) => {}
            Err(CommitError::Definite(why)) => self.failed(&why),
            Err(CommitError::Unknown(why)) => {
                self.failed(&why);
                self.rebuild();
            }
        }
    }
}

#[cfg(test)]
mod tests;
