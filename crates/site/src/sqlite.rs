//! The embedded engine: one SQLite file, and a thread that waits for its disk.

mod changes;

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Result};

use self::changes::{carry_out, say};
use crate::archive::{Archive, Overdues, Written};
use crate::collected::{Appended, HistoryBatch, Place};
use crate::engine::{Engine, Kind};
use crate::error::SiteError;
use crate::imported::{
    Begun, CountedElsewhere, Finish, ImportBatch, ImportEnd, ImportRecord, NewImport, RowsTaken,
    UsesAsked,
};
use crate::now::{Settled, SettledAsked, SourceNow};
use crate::past::{PastAsked, PastPage, SourceRow};
use crate::people::{KnownPerson, NumberedPerson};
use crate::record::{Change, Kept, NewDelivery, Once, Said};
use crate::reported::{
    GroupSums, GroupsAsked, LastUsed, OwnedElsewhere, Refused, SumsAsked, UseSums, WaitSum,
};
use crate::retained::{Extent, Overdue, Retained, RetainedSince};
use crate::rows::{
    DestinationRow, MESSAGES_LIMIT, MessageFilter, MessageRow, Resumed, ServerRow, ServerTrouble,
    Standing, Unwatched,
};
use crate::settings::{ALIVE, RULES, THRESHOLDS, TOKENS};
use crate::site::{Answer, Site};
use crate::used::{Used, UsedAsked, UsedProduct, UsedRecord};
use crate::{
    concerns, deliveries, episodes, file, history, imports, messages, people, retention, servers,
    settings, tallies, usage,
};

/// A site database in one file. Dropping it waits until all pending calls are carried out and the
/// file is closed.
pub struct SqliteSite {
    /// Questions about use take long: they have a connection of their own, so that nothing waits
    /// behind them. It is closed before the one that writes.
    reports: Engine<Connection>,
    engine: Engine<Connection>,
    archive: Option<Arc<Archive>>,
}

impl SqliteSite {
    /// Opens `site.db` in a directory, or makes it, readable by its owner only. Waits for the disk.
    ///
    /// # Errors
    /// [`SiteError::InUse`], [`SiteError::Newer`], or what the disk says.
    pub fn open(folder: &Path) -> std::result::Result<Self, SiteError> {
        SqliteSite::at(&file::Place::in_folder(folder))
    }

    /// Opens a file, or makes it, as [`SqliteSite::open`] does; its lock is beside it.
    ///
    /// # Errors
    /// As of [`SqliteSite::open`].
    pub fn open_file(file: &Path) -> std::result::Result<Self, SiteError> {
        SqliteSite::at(&file::Place::at(file))
    }

    fn at(place: &file::Place) -> std::result::Result<Self, SiteError> {
        let (connection, lock) = file::open(place)?;
        let not_started = |error: std::io::Error| SiteError::failed("start its thread", &error);
        let reader = file::open_reader(place)?;
        let engine = Engine::start(connection, lock).map_err(not_started)?;
        let reports = Engine::start(reader, ()).map_err(not_started)?;
        Ok(SqliteSite {
            reports,
            engine,
            archive: None,
        })
    }

    /// The same database, of which answers also read what was moved to an archive.
    #[must_use]
    pub fn with_archive(self, archive: Option<Arc<Archive>>) -> Self {
        SqliteSite { archive, ..self }
    }

    fn reads<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.engine.call(doing, Kind::Reads, |it| work(it))
    }

    fn reports<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.reports.call(doing, Kind::Reads, |it| work(it))
    }

    fn writes<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.engine.call(doing, Kind::Writes, |it| work(it))
    }
}

impl Site for SqliteSite {
    fn resume(&self) -> Answer<Resumed> {
        self.reads("read what there is", |connection| {
            Ok(Resumed {
                servers: servers::list(connection)?,
                rules: settings::get(connection, RULES)?,
                thresholds: settings::get(connection, THRESHOLDS)?,
                tokens: settings::get(connection, TOKENS)?,
                deliveries: deliveries::list(connection)?,
                destinations: deliveries::destinations(connection)?,
            })
        })
    }

    fn resume_server(&self, name: String) -> Answer<ServerTrouble> {
        self.reads("read a server's trouble", move |connection| {
            Ok(ServerTrouble {
                episode: episodes::last(connection, &name)?,
                concerns: concerns::list(connection, &name)?,
            })
        })
    }

    fn watch(&self, server: ServerRow) -> Answer<()> {
        let name = server.name.clone();
        let added = self.writes("add a server", move |it| servers::add(it, &server));
        Box::pin(async move {
            match added.await? {
                true => Ok(()),
                false => Err(SiteError::NameTaken(name)),
            }
        })
    }

    fn watched(&self, name: String) -> Answer<Option<ServerRow>> {
        self.reads("read a server", move |it| servers::find(it, &name))
    }

    fn change_watched(&self, server: ServerRow) -> Answer<bool> {
        self.writes("change a server", move |it| servers::change(it, &server))
    }

    fn unwatch(&self, name: String, at_ms: i64) -> Answer<Unwatched> {
        self.writes("remove a server", move |it| {
            servers::remove(it, &name, at_ms)
        })
    }

    fn record(&self, changes: Vec<Change<Said>>) -> Answer<Vec<Kept>> {
        self.writes("record what is told", move |connection| {
            let all = changes.iter().map(|change| carry_out(connection, change));
            all.collect()
        })
    }

    fn record_once(&self, once: Once, said: Said) -> Answer<Option<Kept>> {
        self.writes("record what is told once", move |connection| {
            let told = settings::get(connection, once.what)?;
            if told.as_ref() == Some(&once.which) {
                return Ok(None);
            }
            settings::put(connection, once.what, &once.which)?;
            say(connection, &said).map(Some)
        })
    }

    fn message(&self, record_id: i64) -> Answer<Option<MessageRow>> {
        self.reads("read a message", move |it| messages::find(it, record_id))
    }

    fn messages(&self, filter: MessageFilter) -> Answer<Vec<MessageRow>> {
        self.reads("read messages", move |it| messages::list(it, &filter))
    }

    fn standing(&self, since_ms: i64) -> Answer<Standing> {
        self.reads("count messages", move |connection| {
            Ok(Standing {
                tallies: tallies::tally(connection, since_ms)?,
                spells: tallies::spells(connection, since_ms)?,
            })
        })
    }

    fn set_rules(&self, rules: String, destinations: Vec<String>) -> Answer<Vec<MessageRow>> {
        self.writes("keep the message rules", move |connection| {
            settings::put(connection, RULES, &rules)?;
            deliveries::keep_destinations(connection, &destinations)?;
            let open = MessageFilter {
                open: true,
                limit: MESSAGES_LIMIT,
                ..MessageFilter::default()
            };
            messages::list(connection, &open)
        })
    }

    fn deliver_again(&self, record_id: i64, deliveries: Vec<NewDelivery>) -> Answer<Vec<i64>> {
        self.writes("keep what is to be delivered", move |it| {
            deliveries::add(it, Some(record_id), &deliveries)
        })
    }

    fn delivered(&self, delivery: Option<i64>, destination: String) -> Answer<()> {
        self.writes("note a delivery", move |connection| {
            if let Some(delivery) = delivery {
                deliveries::remove(connection, delivery)?;
            }
            deliveries::forget_destination(connection, &destination)
        })
    }

    fn put_off(
        &self,
        delivery: Option<i64>,
        is_told: bool,
        destination: DestinationRow,
    ) -> Answer<()> {
        self.writes("note a try to deliver", move |connection| {
            if let Some(delivery) = delivery {
                deliveries::note_told(connection, delivery, is_told)?;
            }
            deliveries::put_destination(connection, &destination)
        })
    }

    fn give_up(&self, delivery: Option<i64>, destination: Option<DestinationRow>) -> Answer<()> {
        self.writes("give up a delivery", move |connection| {
            if let Some(delivery) = delivery {
                deliveries::remove(connection, delivery)?;
            }
            match &destination {
                Some(destination) => deliveries::put_destination(connection, destination),
                None => Ok(()),
            }
        })
    }

    fn site_id(&self) -> Answer<String> {
        self.writes("have an id", settings::site_id)
    }

    fn collected(&self, server: String) -> Answer<Vec<Place>> {
        self.reads("read what is collected", move |it| {
            history::places_of(it, &server)
        })
    }

    fn append_history(&self, batch: HistoryBatch) -> Answer<Appended> {
        self.writes("append to the history", move |it| {
            history::append(it, &batch)
        })
    }

    fn begin_import(&self, new: NewImport) -> Answer<Begun> {
        self.writes("begin an import", move |it| imports::begin(it, &new))
    }

    fn import_rows(&self, batch: ImportBatch) -> Answer<RowsTaken> {
        self.writes("take in rows", move |it| imports::take(it, &batch))
    }

    fn finish_import(&self, end: ImportEnd) -> Answer<Finish> {
        self.writes("finish an import", move |it| imports::finish(it, &end))
    }

    fn import(&self, id: String) -> Answer<Option<ImportRecord>> {
        self.reads("read an import", move |it| imports::find(it, &id))
    }

    fn imports(&self, below: Option<i64>, limit: u32) -> Answer<Vec<ImportRecord>> {
        self.reads("read imports", move |it| imports::list(it, below, limit))
    }

    fn remove_import(&self, id: String) -> Answer<Option<ImportRecord>> {
        self.writes("take an import out", move |it| imports::remove(it, &id))
    }

    fn clean_imports(&self, untouched_ms: i64, limit: u32) -> Answer<u64> {
        self.writes("remove rows of imports", move |it| {
            imports::clean(it, untouched_ms, limit)
        })
    }

    fn uses_elsewhere(&self, asked: UsesAsked) -> Answer<Vec<CountedElsewhere>> {
        self.reads("read uses counted elsewhere", move |it| {
            imports::uses(it, &asked)
        })
    }

    fn past(&self, asked: PastAsked) -> Answer<PastPage> {
        self.reads("read the past of a product", move |it| {
            history::past_page(it, &asked)
        })
    }

    fn sources(&self) -> Answer<Vec<SourceRow>> {
        self.reads("read whose history is collected", history::sources)
    }

    fn known_people(&self, after: Option<KnownPerson>, limit: u32) -> Answer<Vec<KnownPerson>> {
        self.reports("read which people are known", move |it| {
            people::after(it, after.as_ref(), limit)
        })
    }

    fn numbered_people(&self, after: Option<u64>, limit: u32) -> Answer<Vec<NumberedPerson>> {
        self.reports("read the numbers of people", move |it| {
            people::numbered(it, after, limit)
        })
    }

    fn used_products(&self, from: String, limit: u32) -> Answer<Vec<UsedProduct>> {
        self.reports("read which products were used", move |it| {
            usage::products(it, &from, limit)
        })
    }

    fn retained(&self) -> Answer<RetainedSince> {
        self.reports("read what is kept", retention::since)
    }

    fn extent(&self, what: Retained) -> Answer<Option<Extent>> {
        self.reports("read of which time rows are there", move |it| {
            retention::extent(it, what)
        })
    }

    fn retire(&self, overdue: Overdue) -> Answer<u64> {
        self.writes("remove rows whose time is over", move |it| {
            retention::retire(it, &overdue)
        })
    }

    fn pack_days(&self, before_ms: i64, limit: u32) -> Answer<u64> {
        self.writes("pack days that are over", move |it| {
            let since = retention::since(it)?;
            usage::pack_days(it, since.of(Retained::Sessions), before_ms, limit)
        })
    }

    fn overdue(&self, before_ms: i64, limit: u32) -> Answer<Overdues> {
        self.writes("read rows whose time is over", move |it| {
            retention::overdue(it, before_ms, limit)
        })
    }

    fn put_away(&self, written: Written) -> Answer<()> {
        self.writes("remove rows that are in the archive", move |it| {
            retention::put_away(it, &written)
        })
    }

    fn used_record(&self) -> Answer<UsedRecord> {
        self.reports("read what is collected", usage::record)
    }

    fn used(&self, asked: UsedAsked) -> Answer<Used> {
        let archive = self.archive.clone();
        self.reports("read how a product was used", move |it| {
            usage::used(it, &asked, archive.as_deref())
        })
    }

    fn sources_now(&self, fresh_ms: i64, now_ms: i64) -> Answer<Vec<SourceNow>> {
        self.reports("read what others hold now", move |it| {
            usage::sources(it, fresh_ms, now_ms)
        })
    }

    fn settled_denials(&self, asked: SettledAsked) -> Answer<Vec<Settled>> {
        self.reports("read what became of refusals", move |it| {
            usage::settled(it, &asked)
        })
    }

    fn use_sums(&self, asked: SumsAsked) -> Answer<UseSums> {
        let archive = self.archive.clone();
        self.reports("read who used a product", move |it| {
            usage::sums(it, &asked, archive.as_deref())
        })
    }

    fn group_sums(&self, asked: GroupsAsked) -> Answer<GroupSums> {
        let archive = self.archive.clone();
        self.reports("read which groups used a product", move |it| {
            usage::grouped(it, &asked, archive.as_deref())
        })
    }

    fn refused(&self, asked: SumsAsked) -> Answer<Refused> {
        let archive = self.archive.clone();
        self.reports("read who was refused", move |it| {
            usage::refused(it, &asked, archive.as_deref())
        })
    }

    fn wait_sums(&self, asked: SumsAsked) -> Answer<Vec<WaitSum>> {
        self.reports("read how waits ended", move |it| {
            usage::outcomes(it, &asked)
        })
    }

    fn last_used(&self, from: String, limit: u32) -> Answer<Vec<LastUsed>> {
        self.reports("read when products were last used", move |it| {
            usage::last_used(it, &from, limit)
        })
    }

    fn owned_elsewhere(&self, product: Option<String>, limit: u32) -> Answer<Vec<OwnedElsewhere>> {
        self.reports("read what is owned elsewhere", move |it| {
            imports::owned(it, product.as_deref(), limit)
        })
    }

    fn set_thresholds(&self, thresholds: String) -> Answer<()> {
        self.writes("keep the thresholds", move |it| {
            settings::put(it, THRESHOLDS, &thresholds)
        })
    }

    fn set_tokens(&self, tokens: String) -> Answer<()> {
        self.writes("keep the tokens", move |it| {
            settings::put(it, TOKENS, &tokens)
        })
    }

    fn note_alive(&self, at_ms: i64) -> Answer<()> {
        self.writes("keep a sign of life", move |it| {
            settings::put(it, ALIVE, &at_ms.to_string())
        })
    }

    fn purge(&self, now_ms: i64, limit: u32) -> Answer<u64> {
        self.writes("remove old messages", move |it| {
            messages::purge(it, now_ms, limit)
        })
    }
}
