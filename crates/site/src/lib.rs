//! usher-site: the site database, what a manager knows.
//!
//! One trait, [`Site`], in front of an engine; the embedded one is SQLite ([`SqliteSite`]). Every
//! engine is held to the same suite of tests. Calls wait for the disk: who may not wait makes them
//! on a thread of their own.

#![forbid(unsafe_code)]

mod columns;
mod concerns;
mod rows;
mod schema;
mod sqlite;
mod tallies;

pub use rows::{ConcernRow, EpisodeRow, MessageFilter, MessageRow, ServerRow, Spell, Tally};
pub use sqlite::SqliteSite;

use thiserror::Error;

/// The most messages that one look answers.
pub const MESSAGES_LIMIT: u32 = 1_000;

/// The most spells of trouble that are read at once.
pub const SPELLS_LIMIT: usize = 10_000;

/// Why the site database did not do what was asked.
#[derive(Debug, Error)]
pub enum SiteError {
    /// A metering server of that name is there already.
    #[error("a metering server named \"{0}\" is watched already")]
    NameTaken(String),
    /// Another process has it open.
    #[error("{0} is in use by another manager: stop that one, or name another data directory")]
    InUse(String),
    /// A newer version has written it.
    #[error(
        "{file} was written by a newer version of usher (schema {found}, this one knows {known}): \
         it is left as it is; use that version"
    )]
    Newer {
        /// Which file.
        file: String,
        /// Its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The engine failed.
    #[error("cannot {doing} in the site database: {why}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        why: String,
    },
}

/// A site database.
pub trait Site: Send + Sync {
    /// The metering servers that are watched, by name.
    ///
    /// # Errors
    /// [`SiteError::Failed`], as of all calls.
    fn servers(&self) -> Result<Vec<ServerRow>, SiteError>;

    /// Watches one more.
    ///
    /// # Errors
    /// [`SiteError::NameTaken`].
    fn add_server(&self, server: &ServerRow) -> Result<(), SiteError>;

    /// Watches one that is watched in another way; whether there is one of that name.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn change_server(&self, server: &ServerRow) -> Result<bool, SiteError>;

    /// Watches one no longer; whether there was one of that name. Its messages stay, and none of
    /// them is open any more.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn remove_server(&self, name: &str) -> Result<bool, SiteError>;

    /// Keeps a message; its `record_id` is the one that it gets.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn add_message(&self, message: &MessageRow) -> Result<i64, SiteError>;

    /// A message was raised again: how often by now, when last.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn count_message(&self, record: i64, count: u64, last_ms: i64) -> Result<(), SiteError>;

    /// What a message tells of is over.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn close_message(&self, record: i64, recovered_ms: i64) -> Result<(), SiteError>;

    /// Messages, the newest first.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, SiteError>;

    /// Removes messages whose time is over, at most `limit`; how many.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn purge_messages(&self, now_ms: i64, limit: u32) -> Result<u64, SiteError>;

    /// How many messages of each component and severity were last raised since then, of those that
    /// count in summaries.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn tally(&self, since_ms: i64) -> Result<Vec<Tally>, SiteError>;

    /// Trouble (warnings and errors) that lasted then or later, of what counts in summaries, in the
    /// order in which it came; at most [`SPELLS_LIMIT`], the last ones.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn spells(&self, since_ms: i64) -> Result<Vec<Spell>, SiteError>;

    /// A setting of the site: its message rules, its thresholds.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn setting(&self, name: &str) -> Result<Option<String>, SiteError>;

    /// Changes a setting.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn put_setting(&self, name: &str, value: &str) -> Result<(), SiteError>;

    /// The last episode of a server, over or not.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn last_episode(&self, server: &str) -> Result<Option<EpisodeRow>, SiteError>;

    /// Keeps an episode as it stands; its server and number say which.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn put_episode(&self, episode: &EpisodeRow) -> Result<(), SiteError>;

    /// A message goes on, in other words: how often it was seen by now, when last.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn reword_message(
        &self,
        record: i64,
        values: &[String],
        count: u64,
        last_ms: i64,
    ) -> Result<(), SiteError>;

    /// The concerns about a server that are not over.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn concerns(&self, server: &str) -> Result<Vec<ConcernRow>, SiteError>;

    /// Keeps a concern as it stands; its server, message and what it is about say which.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn put_concern(&self, concern: &ConcernRow) -> Result<(), SiteError>;

    /// A concern is over: its message is closed.
    ///
    /// # Errors
    /// [`SiteError::Failed`].
    fn end_concern(&self, concern: &ConcernRow, ended_ms: i64) -> Result<(), SiteError>;
}
