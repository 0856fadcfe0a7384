//! The site database as a manager uses it.

use std::pin::Pin;

use crate::collected::{Appended, HistoryBatch, Place};
use crate::error::SiteError;
use crate::record::{Change, Kept, NewDelivery, Once, Said};
use crate::rows::{
    DestinationRow, MessageFilter, MessageRow, Resumed, ServerRow, ServerTrouble, Standing,
    Unwatched,
};
use crate::used::{Used, UsedAsked, UsedProduct, UsedRecord};

/// Calls that may wait at the same time for an engine that does one after another; who makes one
/// more waits for a place.
pub const CALLS_LIMIT: usize = 256;

/// What a call comes to. Nothing is asked before it is first polled. Dropping it before it has a
/// place asks nothing; once it has one, the call is carried out whole and only its answer is lost. So
/// a call that is given up is done or not done, never half.
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

    /// The server of that name, if it is watched.
    fn watched(&self, name: String) -> Answer<Option<ServerRow>>;

    /// Watches a server of that name in another way from now on; whether there is one.
    fn change_watched(&self, server: ServerRow) -> Answer<bool>;

    /// Watches one no longer. Its messages stay; those that were open are closed at that time, in
    /// Unix milliseconds, also of one that is watched without being kept.
    fn unwatch(&self, name: String, at_ms: i64) -> Answer<Unwatched>;

    /// Records what a look at a server has brought, or what else is told, all of it or nothing; for
    /// each change what its message has become.
    fn record(&self, changes: Vec<Change<Said>>) -> Answer<Vec<Kept>>;

    /// Records a message unless that was done before; none: it was.
    fn record_once(&self, once: Once, said: Said) -> Answer<Option<Kept>>;

    /// One message.
    fn message(&self, record_id: i64) -> Answer<Option<MessageRow>>;

    /// Messages, the newest first.
    fn messages(&self, filter: MessageFilter) -> Answer<Vec<MessageRow>>;

    /// How many messages came since then and what lasted, of those that count in summaries.
    fn standing(&self, since_ms: i64) -> Answer<Standing>;

    /// Puts these rules in place of those before, and forgets how destinations are that they do not
    /// name; the messages of what is open now, the newest first, at most [`crate::MESSAGES_LIMIT`].
    fn set_rules(&self, rules: String, destinations: Vec<String>) -> Answer<Vec<MessageRow>>;

    /// Keeps deliveries of a message that was recorded before; their numbers, in their order.
    fn deliver_again(&self, record_id: i64, deliveries: Vec<NewDelivery>) -> Answer<Vec<i64>>;

    /// A delivery went through, if it is kept, and its destination takes again.
    fn delivered(&self, delivery: Option<i64>, destination: String) -> Answer<()>;

    /// A try failed that may go through later; whether that is told by now.
    fn put_off(
        &self,
        delivery: Option<i64>,
        is_told: bool,
        destination: DestinationRow,
    ) -> Answer<()>;

    /// A delivery is given up; with how its destination is, if that takes nothing.
    fn give_up(&self, delivery: Option<i64>, destination: Option<DestinationRow>) -> Answer<()>;

    /// What tells this site from all others; made when it is first asked for, and kept.
    fn site_id(&self) -> Answer<String>;

    /// Up to where the history of the server of that id is collected, by the lives of its data: the
    /// place to go on with first, and those before it for a server that does not know it any more.
    fn collected(&self, server: String) -> Answer<Vec<Place>>;

    /// Appends what was collected of a server's history, if it goes on from a place that is collected
    /// to, or from the beginning. What is there already stays as it is. If the server goes on from an
    /// earlier point, what was collected behind that is marked as no longer on the server.
    fn append_history(&self, batch: HistoryBatch) -> Answer<Appended>;

    /// The products that something is known of, in the order of their ids, from that one on, at most
    /// `limit` ids. A product that is counted here and elsewhere is there twice.
    fn used_products(&self, from: String, limit: u32) -> Answer<Vec<UsedProduct>>;

    /// Up to where the history of each server is collected, and since when there is any.
    fn used_record(&self) -> Answer<UsedRecord>;

    /// How a product was used; nothing of one that there never was. It is what the rows of the
    /// history say that were appended before, whatever is appended meanwhile.
    fn used(&self, asked: UsedAsked) -> Answer<Used>;

    /// Puts these thresholds in place of those before.
    fn set_thresholds(&self, thresholds: String) -> Answer<()>;

    /// Puts these tokens in place of those before.
    fn set_tokens(&self, tokens: String) -> Answer<()>;

    /// Keeps something, to show that it can.
    fn note_alive(&self, at_ms: i64) -> Answer<()>;

    /// Removes messages whose time is over and that are not open, at most `limit`; how many.
    fn purge(&self, now_ms: i64, limit: u32) -> Answer<u64>;
}
