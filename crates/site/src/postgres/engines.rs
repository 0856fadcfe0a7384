//! The connections of a site database on PostgreSQL, each with its thread, and which of them a call takes.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::address::PostgresAddress;
use super::connect::Role;
use super::db::Db;
use super::failure::Result;
use super::lead;
use super::link::Link;
use crate::archive::Archive;
use crate::engine::Engine;
use crate::error::SiteError;
use crate::site::Answer;

/// Connections that answer what takes long.
const REPORTS: usize = 2;
/// How often a call that waits looks whether the connection is there.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// A site database on PostgreSQL, as one lead of this manager uses it: what writes fails with
/// [`SiteError::NotLeading`] before that has begun and once it is over. Dropping the last of its clones waits
/// until all pending calls are carried out, or have failed, and the connections are closed.
#[derive(Clone)]
pub struct PostgresSite {
    pub(super) engines: Arc<Engines>,
    /// The number of the lead; none: it only reads.
    pub(super) epoch: Option<i64>,
    pub(super) archive: Option<Arc<Archive>>,
}

pub(super) struct Engines {
    /// This process, for others: random.
    pub(super) holder: Arc<str>,
    reports: Vec<Engine<Link>>,
    /// Which of them is next.
    next: AtomicUsize,
    pub(super) leads: Engine<Link>,
    pub(super) engine: Engine<Link>,
    /// The engine's connection is being replaced, or has not answered for long.
    pub(super) is_down: Arc<AtomicBool>,
}

impl PostgresSite {
    /// Connects to a database, and makes or brings up to date its tables. It leads nothing yet, and only
    /// reads.
    ///
    /// # Errors
    /// [`SiteError::Failed`] if no server can be used or the database is being restored,
    /// [`SiteError::Newer`], [`SiteError::OtherTables`].
    pub async fn open(address: PostgresAddress) -> std::result::Result<PostgresSite, SiteError> {
        // Each differs by the keys that the system has made for this process.
        let random = || RandomState::new().hash_one("usher");
        let holder: Arc<str> = format!("{:016x}", random()).into();
        let link = |role| Link::new(address.clone(), role, &holder, random().cast_signed());
        let start = |link| {
            Engine::start(link, ()).map_err(|error| SiteError::failed("start its thread", &error))
        };
        let manages = link(Role::Manages);
        let is_down = manages.is_down();
        let engine = start(manages)?;
        engine.ask("begin", Link::begin).await?;
        let reports = (0..REPORTS).map(|_| start(link(Role::Reports)));
        let engines = Engines {
            reports: reports.collect::<std::result::Result<_, _>>()?,
            next: AtomicUsize::new(0),
            leads: start(link(Role::Leads))?,
            engine,
            is_down,
            holder,
        };
        Ok(PostgresSite {
            engines: Arc::new(engines),
            epoch: None,
            archive: None,
        })
    }

    /// The same database, of which answers also read what was moved to an archive.
    #[must_use]
    pub fn with_archive(self, archive: Option<Arc<Archive>>) -> PostgresSite {
        PostgresSite { archive, ..self }
    }

    pub(super) fn reads<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl Fn(&Db) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let engine = &self.engines.engine;
        engine.ask(doing, move |link| link.read(doing, work))
    }

    pub(super) fn reports<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl Fn(&Db) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let engines = &self.engines;
        let next = engines.next.fetch_add(1, Ordering::Relaxed) % REPORTS;
        let engine = engines.reports.get(next).unwrap_or(&engines.engine);
        engine.ask(doing, move |link| link.read(doing, work))
    }

    pub(super) fn writes<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl Fn(&Db) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let Some(lead) = self.lead() else {
            return Box::pin(async move { Err(SiteError::NotLeading(doing)) });
        };
        let engine = &self.engines.engine;
        engine.ask(doing, move |link| write_under(&lead, link, doing, work))
    }

    pub(super) fn lead(&self) -> Option<Lead> {
        let holder = self.engines.holder.clone();
        Some((self.epoch?, holder))
    }
}

/// The number of a lead, and the process whose it is.
pub(super) type Lead = (i64, Arc<str>);

/// A transaction that writes, if that lead goes on.
pub(super) fn write_under<T>(
    (epoch, holder): &Lead,
    link: &mut Link,
    doing: &'static str,
    work: impl Fn(&Db) -> Result<T>,
) -> std::result::Result<T, SiteError> {
    link.write(doing, |db| {
        lead::fence(db, (*epoch, holder))?;
        work(db)
    })
}
