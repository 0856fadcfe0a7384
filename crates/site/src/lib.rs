//! usher-site: the site database, what a manager knows.
//!
//! One trait, [`Site`], in front of an engine; the embedded one is SQLite ([`SqliteSite`]), the other a
//! PostgreSQL ([`PostgresSite`]), which several managers may share: one of them leads. A call is
//! something that a manager does, whole: one transaction, whatever it touches. Every engine is held
//! to the same suite of tests.

#![forbid(unsafe_code)]

mod archive;
mod collected;
mod columns;
mod concerns;
mod copied;
mod copies;
mod copy;
mod deliveries;
mod elsewhere;
mod engine;
mod episodes;
mod error;
mod file;
mod framed;
mod history;
mod imported;
mod imports;
mod leader;
mod messages;
mod now;
mod open;
mod past;
mod people;
mod postgres;
mod record;
mod reported;
mod retained;
mod retention;
mod rows;
mod schema;
mod servers;
mod settings;
mod site;
mod sqlite;
mod tallies;
mod usage;
mod used;

pub use archive::{Archive, Archived, MissingPart, Overdues, Written};
pub use collected::{
    Appended, Ended, EndedDenial, EndedLease, EndedSession, EndedWait, HistoryBatch,
    HistoryComputer, HistoryItem, HistoryPerson, Made, Place, Point, Run,
};
pub use copied::{CopyError, CopyFacts, CopyOutlook, CopyStep, CopyTold, SiteRestored};
pub use copies::begun_by_a_restore;
pub use copy::{SitePlace, back_up, restore};
pub use elsewhere::{
    Elsewhere, ElsewhereDenial, ElsewhereEntitlement, ElsewhereLevel, ElsewhereLimit,
    ElsewherePeak, ElsewhereRow, ElsewhereSilence, ElsewhereSum, ElsewhereUse, ElsewhereWait,
    Holder,
};
pub use error::SiteError;
pub use imported::{
    Begun, CountedElsewhere, Finish, IMPORTS_LIMIT, ImportBatch, ImportEnd, ImportRecord,
    LIVE_IMPORTS_LIMIT, NewImport, OPEN_IMPORTS_LIMIT, RowsTaken, USES_LIMIT, UsesAsked,
};
pub use leader::{Candidate, Election, Leader, Shown};
pub use now::{
    EntitlementNow, NOW_LIMIT, ProductNow, Settled, SettledAsked, SettledTime, SourceNow, Teller,
};
pub use past::{PastAsked, PastPage, PastPlace, SourceRow};
pub use people::{KnownPerson, NumberedPerson};
pub use postgres::{PostgresAddress, PostgresSite};
pub use record::{Change, Kept, NewDelivery, NewMessage, Once, Said};
pub use reported::{
    GroupSum, GroupSums, GroupsAsked, InGroups, LastUsed, OwnedElsewhere, REPORT_ROWS_LIMIT,
    ReasonSum, Refused, RefusedPerson, SumsAsked, UseSum, UseSums, UsedBy, WaitSum, WhichGroup,
};
pub use retained::{Extent, Overdue, Retained, RetainedSince};
pub use rows::{
    ConcernRow, DeliveryRow, DestinationRow, EpisodeRow, MESSAGES_LIMIT, MessageFilter, MessageRow,
    Resumed, SPELLS_LIMIT, ServerRow, ServerTrouble, Spell, Standing, Tally, Unwatched,
};
pub use site::{Answer, CALLS_LIMIT, Site};
pub use sqlite::SqliteSite;
pub use used::{
    Running, RunningUse, ToldElsewhere, Used, UsedAsked, UsedParts, UsedProduct, UsedRecord,
    UsedSource,
};
