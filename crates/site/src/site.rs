//! The site database as a manager uses it.

use std::pin::Pin;

use crate::archive::{Overdues, Written};
use crate::collected::{Appended, HistoryBatch, Place};
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
    DestinationRow, MessageFilter, MessageRow, Resumed, ServerRow, ServerTrouble, Standing,
    Unwatched,
};
use crate::used::{Used, UsedAsked, UsedProduct, UsedRecord};

/// How many calls may wait for an engine at one time; a further caller waits for a place.
pub const CALLS_LIMIT: usize = 256;

/// The answer to a call. The call is sent when the future is first polled. If it is dropped before
/// it has a place, nothing happens; once it has one, the call is carried out and only the answer is
/// lost. So a dropped call is carried out completely or not at all.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, SiteError>> + Send>>;

/// A site database. Each call is one transaction: all of it is kept, or, with an error, nothing.
/// Calls are carried out in the order in which they got their places; those about use, which only
/// read, beside the others.
pub trait Site: Send + Sync {
    /// What a manager goes on with when it starts.
    ///
    /// # Errors
    /// [`SiteError::Failed`], as of all calls.
    fn resume(&self) -> Answer<Resumed>;

    /// What a manager goes on with of one server.
    fn resume_server(&self, name: String) -> Answer<ServerTrouble>;

    /// Watches one more server.
    ///
    /// # Errors
    /// [`SiteError::NameTaken`].
    fn watch(&self, server: ServerRow) -> Answer<()>;

    /// The watched server of that name.
    fn watched(&self, name: String) -> Answer<Option<ServerRow>>;

    /// Changes how a server is watched; answers whether there is one of that name.
    fn change_watched(&self, server: ServerRow) -> Answer<bool>;

    /// Removes a server. Its messages stay; its open ones are closed at that time, in Unix
    /// milliseconds, also if the server is watched without being stored.
    fn unwatch(&self, name: String, at_ms: i64) -> Answer<Unwatched>;

    /// Records the changes that a poll found, or others, all or none; answers for each change what
    /// was stored of its message.
    fn record(&self, changes: Vec<Change<Said>>) -> Answer<Vec<Kept>>;

    /// Records a message unless it was recorded before; none: it was.
    fn record_once(&self, once: Once, said: Said) -> Answer<Option<Kept>>;

    /// The message with that record number.
    fn message(&self, record_id: i64) -> Answer<Option<MessageRow>>;

    /// Messages, the newest first.
    fn messages(&self, filter: MessageFilter) -> Answer<Vec<MessageRow>>;

    /// Counts the messages since an instant and lists the trouble, as far as they count in
    /// summaries.
    fn standing(&self, since_ms: i64) -> Answer<Standing>;

    /// Replaces the rules, and forgets the state of destinations that they do not name; answers the
    /// open messages, the newest first, at most [`crate::MESSAGES_LIMIT`].
    fn set_rules(&self, rules: String, destinations: Vec<String>) -> Answer<Vec<MessageRow>>;

    /// Adds deliveries of a message that was recorded before; answers their numbers, in their
    /// order.
    fn deliver_again(&self, record_id: i64, deliveries: Vec<NewDelivery>) -> Answer<Vec<i64>>;

    /// Removes a delivery that succeeded, if it is stored; its destination works again.
    fn delivered(&self, delivery: Option<i64>, destination: String) -> Answer<()>;

    /// Records a failed try that will be repeated; answers whether the failure was already
    /// reported.
    fn put_off(
        &self,
        delivery: Option<i64>,
        is_told: bool,
        destination: DestinationRow,
    ) -> Answer<()>;

    /// Removes a delivery that was given up, and records the state of its destination.
    fn give_up(&self, delivery: Option<i64>, destination: Option<DestinationRow>) -> Answer<()>;

    /// What tells this site from all others; made when it is first asked for, and kept.
    fn site_id(&self) -> Answer<String>;

    /// Up to which points the history of the server with that id is collected: first the place to
    /// continue from, then earlier ones, for a server that no longer knows the first.
    fn collected(&self, server: String) -> Answer<Vec<Place>>;

    /// Appends a batch of a server's history, if it continues the collected history or begins at
    /// the beginning. Items that are there already stay unchanged. If the server continues from an
    /// earlier point, items that were collected after that point are marked as no longer on the
    /// server; if they are many, an engine does so in transactions before that of the batch, and what
    /// is interrupted goes on with the next batch of the server.
    fn append_history(&self, batch: HistoryBatch) -> Answer<Appended>;

    /// Begins an import, unless the same request has begun it.
    fn begin_import(&self, new: NewImport) -> Answer<Begun>;

    /// Takes rows into an import. Those of a number that it has add nothing. What they say counts for
    /// nothing before the import is finished; several imports of one source may run side by side.
    fn import_rows(&self, batch: ImportBatch) -> Answer<RowsTaken>;

    /// Finishes an import: what its rows say counts from now on, each key of a source once.
    fn finish_import(&self, end: ImportEnd) -> Answer<Finish>;

    /// An import, if there is one of that id.
    fn import(&self, id: String) -> Answer<Option<ImportRecord>>;

    /// Imports, the newest first: those with a lower number, and at most so many.
    fn imports(&self, below: Option<i64>, limit: u32) -> Answer<Vec<ImportRecord>>;

    /// Takes an import out: what it added counts no more from now on, and what it completed is as it
    /// was. As it was, if there was one; [`Site::clean_imports`] removes its rows.
    fn remove_import(&self, id: String) -> Answer<Option<ImportRecord>>;

    /// Removes at most so many rows of an import that was taken out, or that is not finished and was
    /// given nothing since then, in Unix milliseconds, or that was finished before that, brought nothing,
    /// and is of a time of which a later one tells; how many things were removed, 0: nothing is left
    /// to remove.
    fn clean_imports(&self, untouched_ms: i64, limit: u32) -> Answer<u64>;

    /// Uses that other licence servers counted, of imports that are finished, in the order of their
    /// beginnings.
    fn uses_elsewhere(&self, asked: UsesAsked) -> Answer<Vec<CountedElsewhere>>;

    /// A page of what was held, wanted and refused of a product in a time. A page looks through a
    /// bounded number of rows and may bring nothing; the next one continues after it.
    fn past(&self, asked: PastAsked) -> Answer<PastPage>;

    /// The servers whose history is collected, also those that are watched no longer.
    fn sources(&self) -> Answer<Vec<SourceRow>>;

    /// People whom histories and imports name, in the order of realms and accounts: those after that
    /// one, at most `limit`.
    fn known_people(&self, after: Option<KnownPerson>, limit: u32) -> Answer<Vec<KnownPerson>>;

    /// People with their numbers, in the order of these: those after that number, at most `limit`.
    fn numbered_people(&self, after: Option<u64>, limit: u32) -> Answer<Vec<NumberedPerson>>;

    /// The products that something is known of, in the order of their ids, from that one on, at most
    /// `limit` ids. A product that is counted here and elsewhere is there twice.
    fn used_products(&self, from: String, limit: u32) -> Answer<Vec<UsedProduct>>;

    /// From which instant on the rows of each kind are all there.
    fn retained(&self) -> Answer<RetainedSince>;

    /// When the rows of a kind began that are there; none: there are none.
    fn extent(&self, what: Retained) -> Answer<Option<Extent>>;

    /// Removes rows whose time is over, at most `limit`; how many things were removed, 0: none are left
    /// to remove. From the first call for an instant on, nothing that was over before it is taken in.
    fn retire(&self, overdue: Overdue) -> Answer<u64>;

    /// Packs days (UTC) of products that ended before that instant and are not packed, the last first, at
    /// most `limit`; how many, 0: none are left. Figures of packed days are the same, and sooner there.
    fn pack_days(&self, before_ms: i64, limit: u32) -> Answer<u64>;

    /// Sessions and leases that were over before an instant, or an earlier call's later one, at most so
    /// many, to be moved to the archive; none: all were moved. From the first call for an instant on, nothing
    /// that was over before it is taken in, and what is removed is in the archive, unless [`Site::retire`]
    /// removes sessions.
    fn overdue(&self, before_ms: i64, limit: u32) -> Answer<Overdues>;

    /// Removes rows that were written to the archive, and enters the files that have them.
    ///
    /// # Errors
    /// [`SiteError::Failed`], also if one of the rows is no longer there: then nothing is removed.
    fn put_away(&self, written: Written) -> Answer<()>;

    /// The last collected event of each server, and since when there is any history.
    fn used_record(&self) -> Answer<UsedRecord>;

    /// How a product was used; nothing of one that there never was. It is what the rows of the
    /// history say that were appended before, whatever is appended meanwhile.
    fn used(&self, asked: UsedAsked) -> Answer<Used>;

    /// What other licence servers hold at `now_ms`, by source: what their finished imports tell of
    /// the last instant, if that is after `fresh_ms`. At most [`crate::NOW_LIMIT`] sources.
    fn sources_now(&self, fresh_ms: i64, now_ms: i64) -> Answer<Vec<SourceNow>>;

    /// What became of refusals in times of which everything is known, by teller and product.
    /// Whether one is a retry, and whether a grant satisfied it, depends on the whole site.
    fn settled_denials(&self, asked: SettledAsked) -> Answer<Vec<Settled>>;

    /// Who used a product in a time, and for how long: the rows that [`Site::used`] counts as
    /// sessions.
    fn use_sums(&self, asked: SumsAsked) -> Answer<UseSums>;

    /// Which groups of people used a product in a time, and for how long: the same rows, by group.
    fn group_sums(&self, asked: GroupsAsked) -> Answer<GroupSums>;

    /// Who was refused seats of a product in a time, and when they came back, up to now.
    fn refused(&self, asked: SumsAsked) -> Answer<Refused>;

    /// How the waits for a product ended that began in a time.
    fn wait_sums(&self, asked: SumsAsked) -> Answer<Vec<WaitSum>>;

    /// When the products were last used that something is known of, in the order of their ids, from
    /// that one on, at most `limit` ids; as [`Site::used_products`].
    fn last_used(&self, from: String, limit: u32) -> Answer<Vec<LastUsed>>;

    /// What the files of other licence servers say is owned, of one product or of all, in the order
    /// of their ids: one more than `limit` if there are more.
    fn owned_elsewhere(&self, product: Option<String>, limit: u32) -> Answer<Vec<OwnedElsewhere>>;

    /// Puts these thresholds in place of those before.
    fn set_thresholds(&self, thresholds: String) -> Answer<()>;

    /// Replaces the tokens.
    fn set_tokens(&self, tokens: String) -> Answer<()>;

    /// Writes a value, to prove that the database accepts writes.
    fn note_alive(&self, at_ms: i64) -> Answer<()>;

    /// Removes messages that are past their time and not open, at most `limit`; answers how many.
    fn purge(&self, now_ms: i64, limit: u32) -> Answer<u64>;
}
