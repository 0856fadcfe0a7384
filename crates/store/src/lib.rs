//! usher-store: a metering server's durable ledger, in one SQLite file.
//!
//! An [`Engine`] owns the ledger. One thread applies commands, makes their events durable in one
//! transaction (WAL, `synchronous=FULL`) and only then hands out the answers: what arrived
//! meanwhile is the next batch, and nothing is delayed when idle. What is answered, shown or
//! published is on disk. The commit writes one record of a batch's events; the tables that people
//! query are filled from it when the writer is idle, when a reader asks ([`Engine::settle`]), or
//! when the record has grown to its bound.
//!
//! Its folders are floors, each of which uses only those before it: `base`, `tables`, `file`,
//! `queue`, `read`, `write`, `upkeep`, `copies`; the [`Engine`] stands on all of them, and nothing
//! uses it. [`Stepped`] is the same writer without threads.
//!
//! It knows nothing of HTTP, tokens' meaning, or processes.

#![forbid(unsafe_code)]

mod base;
mod copies;
mod engine;
mod file;
mod queue;
mod read;
mod stepped;
mod tables;
mod upkeep;
mod write;

pub use base::clock::{Clock, SystemClock};
pub use base::error::StoreError;
pub use copies::backup::{
    Outlook, RestoreOptions, Restored, copy, end_hold, restore, restore_open,
};
pub use copies::snapshots::{Snapshot, SnapshotReason, Snapshots, Taken};
pub use copies::unknown::WaitsFor;
pub use engine::Engine;
pub use queue::interrupt::Interrupt;
pub use queue::requests::{
    Answer, Failure, Health, Look, QUEUE_LIMIT, QUEUE_LIMIT_BYTES, Request, Sink, Work,
};
pub use read::consumers::{CONSUMERS_LIMIT, Consumer, Consumers, KEPT_DAYS, LIVE_DAYS, NotTaken};
pub use read::history::*;
pub use read::inventory::{Found, Inventory, found};
pub use read::tokens::{TOKEN_AUTHORITY, TokenRow, Tokens};
pub use read::versions::{ServedBy, VERSION, Versions};
pub use stepped::{Stepped, SteppedOptions};
pub use upkeep::pack::{
    Pack, PackError, PackOptions, PackPlan, PackReport, PackResult, PackTurn, Skipped,
};
pub use write::writer::{EngineOptions, Opened};
