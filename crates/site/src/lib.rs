//! usher-site: the site database, what a manager knows.
//!
//! One trait, [`Site`], in front of an engine; the embedded one is SQLite ([`SqliteSite`]). A call is
//! something that a manager does, whole: one transaction, whatever it touches. Every engine is held
//! to the same suite of tests.

#![forbid(unsafe_code)]

mod collected;
mod columns;
mod concerns;
mod deliveries;
mod engine;
mod episodes;
mod error;
mod file;
mod history;
mod messages;
mod open;
mod record;
mod rows;
mod schema;
mod servers;
mod settings;
mod site;
mod sqlite;
mod tallies;
mod usage;
mod used;

pub use collected::{
    Appended, Ended, EndedDenial, EndedLease, EndedSession, EndedWait, HistoryBatch,
    HistoryComputer, HistoryItem, HistoryPerson, Made, Place, Point, Run,
};
pub use error::SiteError;
pub use record::{Change, Kept, NewDelivery, NewMessage, Once, Said};
pub use rows::{
    ConcernRow, DeliveryRow, DestinationRow, EpisodeRow, MESSAGES_LIMIT, MessageFilter, MessageRow,
    Resumed, SPELLS_LIMIT, ServerRow, ServerTrouble, Spell, Standing, Tally, Unwatched,
};
pub use site::{Answer, CALLS_LIMIT, Site};
pub use sqlite::SqliteSite;
pub use used::{Running, RunningUse, Used, UsedAsked, UsedProduct, UsedRecord, UsedSource};
