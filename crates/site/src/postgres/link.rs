//! The way of a thread to the database: it is connected when it is needed, and again when it breaks.
//!
//! A call is a transaction. If the connection breaks, the call is carried out again on the next one,
//! for as long as [`PATIENCE`]. Whether a COMMIT that was not answered has taken place is asked of the
//! database: each transaction that writes leaves the number of its call in `site_calls`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::address::PostgresAddress;
use super::connect::{Role, connect};
use super::db::Db;
use super::failure::{Error, Result};
use super::schema::{self, Found};
use super::values::params;
use crate::error::SiteError;

/// How long a connection that breaks is replaced before calls fail.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the first one is tried.
const AT_FIRST: Duration = Duration::from_secs(5);
/// The same for what has to come in time: once.
const ONCE: Duration = Duration::ZERO;
/// How long the next try is put off at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

pub(super) struct Link {
    address: PostgresAddress,
    role: Role,
    /// The process, as others know it.
    holder: String,
    /// Made by the thread that uses it.
    runtime: Option<Arc<Runtime>>,
    db: Option<Db>,
    /// What tells the calls of this process from those of others.
    writer: i64,
    /// How many calls have written.
    calls: i64,
    /// How long a broken connection is replaced before calls fail; afterwards each tries once.
    patience: Duration,
    /// Since when no connection has worked.
    down_since: Option<Instant>,
    /// Whether there is such an instant, or a call waits for the server for long, for others to see.
    is_down: Arc<AtomicBool>,
    /// A call is being carried out; still so before the next one, it has ended by a panic and left its
    /// transaction open.
    is_busy: bool,
}

impl Link {
    /// Not connected yet. `writer` is random.
    pub(super) fn new(address: PostgresAddress, role: Role, holder: &str, writer: i64) -> Link {
        Link {
            address,
            role,
            holder: holder.to_owned(),
            runtime: None,
            db: None,
            writer,
            calls: 0,
            patience: if role == Role::Leads { ONCE } else { AT_FIRST },
            down_since: None,
            is_down: Arc::default(),
            is_busy: false,
        }
    }

    /// Whether it is being connected again or is not answered, seen from outside its thread.
    pub(super) fn is_down(&self) -> Arc<AtomicBool> {
        self.is_down.clone()
    }

    /// Connects, and makes or brings up to date the tables.
    pub(super) fn begin(&mut self) -> std::result::Result<(), SiteError> {
        let found = self.persist("begin", |link| {
            let db = link.connected()?;
            db.batch("BEGIN")?;
            let found = in_transaction(db, &schema::prepare)?;
            db.batch(match found {
                Found::Ours => "COMMIT",
                // What others have made is left as it is.
                Found::Newer { .. } | Found::Other { .. } => "ROLLBACK",
            })?;
            Ok(found)
        })?;
        let file = self.address.to_string();
        match found {
            Found::Ours => Ok(()),
            Found::Newer { found, known } => Err(SiteError::Newer { file, found, known }),
            Found::Other { step } => Err(SiteError::OtherTables {
                database: file,
                step,
            }),
        }
    }

    /// Carries out what only reads, all of it as of one instant.
    pub(super) fn read<T>(
        &mut self,
        doing: &'static str,
        work: impl Fn(&Db) -> Result<T>,
    ) -> std::result::Result<T, SiteError> {
        self.persist(doing, |link| {
            let db = link.connected()?;
            db.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let done = in_transaction(db, &work)?;
            db.batch("COMMIT")?;
            Ok(done)
        })
    }

    /// Carries out what writes, all of it or nothing.
    pub(super) fn write<T>(
        &mut self,
        doing: &'static str,
        work: impl Fn(&Db) -> Result<T>,
    ) -> std::result::Result<T, SiteError> {
        self.calls += 1;
        let (writer, call) = (self.writer, self.calls);
        // What the call came to if it is not known whether that was committed.
        let mut unsure: Option<T> = None;
        self.persist(doing, move |link| {
            let db = link.connected()?;
            db.batch("BEGIN")?;
            if unsure.is_some() {
                // The lock waits for the end of the transaction that was not answered.
                let last = in_transaction(db, &|db| last_call(db, writer))?;
                if let Some(done) = unsure.take().filter(|_| last == Some(call)) {
                    db.batch("ROLLBACK")?;
                    return Ok(done);
                }
            }
            let done = in_transaction(db, &|db| {
                let done = work(db)?;
                note_call(db, writer, call)?;
                Ok(done)
            })?;
            unsure = Some(done);
            db.batch("COMMIT")?;
            unsure.take().ok_or(Error::Missing)
        })
    }

    /// Tries until it is done, or fails for another reason than the connection.
    fn persist<T>(
        &mut self,
        doing: &'static str,
        mut work: impl FnMut(&mut Link) -> Result<T>,
    ) -> std::result::Result<T, SiteError> {
        let mut pause = PAUSES.0;
        if std::mem::replace(&mut self.is_busy, true) {
            self.db = None;
        }
        loop {
            let error = match work(self) {
                Ok(done) => {
                    self.is_busy = false;
                    if self.role != Role::Leads {
                        self.patience = PATIENCE;
                    }
                    self.down_since = None;
                    self.is_down.store(false, Ordering::Relaxed);
                    return Ok(done);
                }
                Err(error) => error,
            };
            if !error.is_lost() {
                self.is_busy = false;
                // This call waits no longer.
                let is_down = self.down_since.is_some();
                self.is_down.store(is_down, Ordering::Relaxed);
                return Err(error.into_site(doing));
            }
            self.db = None;
            self.is_down.store(true, Ordering::Relaxed);
            let down = self.down_since.get_or_insert_with(Instant::now).elapsed();
            if down + pause > self.patience {
                self.is_busy = false;
                return Err(SiteError::failed(doing, &error));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// The connection, for a call that begins.
    fn connected(&mut self) -> Result<&Db> {
        if self.db.is_none() {
            let runtime = match &self.runtime {
                Some(runtime) => runtime.clone(),
                None => {
                    let built = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build();
                    let built = built.map_err(|error| {
                        Error::Own(format!("cannot start what waits for it: {error}"))
                    })?;
                    let runtime = Arc::new(built);
                    self.runtime = Some(runtime.clone());
                    runtime
                }
            };
            let is_down = &self.is_down;
            let who = (self.role, &*self.holder);
            self.db = Some(connect(&runtime, &self.address, who, is_down)?);
        }
        let db = self.db.as_ref().ok_or(Error::Missing)?;
        db.begin_call();
        Ok(db)
    }
}

/// Rolls back what fails.
fn in_transaction<T>(db: &Db, work: &dyn Fn(&Db) -> Result<T>) -> Result<T> {
    let done = work(db);
    if let Err(error) = &done
        && !error.is_lost()
    {
        db.batch("ROLLBACK")?;
    }
    done
}

/// The number of the last call of a process that was committed.
fn last_call(db: &Db, writer: i64) -> Result<Option<i64>> {
    let sql = "SELECT call FROM site_calls WHERE writer = $1 FOR UPDATE";
    db.optional(sql, &params![writer], |row| row.get(0))
}

fn note_call(db: &Db, writer: i64, call: i64) -> Result<()> {
    let sql = "INSERT INTO site_calls (writer, call) VALUES ($1, $2) \
               ON CONFLICT (writer) DO UPDATE SET call = excluded.call, at = now()";
    db.run(sql, &params![writer, call]).map(drop)
}
