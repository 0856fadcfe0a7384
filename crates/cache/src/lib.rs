//! usher-cache: a metering server's durable ledger, in one SQLite file.
//!
//! An [`Engine`] owns the ledger. One thread applies commands, makes their events durable in one
//! transaction (WAL, `synchronous=FULL`) and only then hands out the answers: what arrived
//! meanwhile is the next batch, and nothing is delayed when idle. What is answered, shown or
//! published is on disk. The commit writes one record of a batch's events; the tables that people
//! query are filled from it when the writer is idle, when a reader asks ([`Engine::settle`]), or
//! when the record has grown to its bound.
//!
//! It knows nothing of HTTP, tokens' meaning, or processes.

#![forbid(unsafe_code)]

mod adopted;
mod backup;
mod checkpoint;
mod clock;
mod columns;
mod engine;
mod error;
mod fill;
mod foreign_log;
mod history;
mod holders;
mod inbox;
mod interrupt;
mod inventory;
mod journal;
mod load;
mod meta;
mod open;
mod pack;
mod persons;
mod presence;
mod requests;
mod schema;
mod shared;
mod snapshots;
mod tokens;
mod turn;
mod versions;
mod weight;
mod whole;
mod writer;

pub use backup::{RestoreOptions, Restored, copy, restore, restore_open};
pub use clock::{Clock, SystemClock};
pub use engine::Engine;
pub use error::CacheError;
pub use history::*;
pub use interrupt::Interrupt;
pub use inventory::{Found, Inventory, found};
pub use pack::{Pack, PackError, PackOptions, PackPlan, PackReport, PackResult, PackTurn, Skipped};
pub use requests::{
    Answer, Failure, Health, Look, QUEUE_LIMIT, QUEUE_LIMIT_BYTES, Request, Sink, Work,
};
pub use snapshots::{Snapshot, SnapshotReason, Snapshots, Taken};
pub use tokens::{TOKEN_AUTHORITY, TokenRow, Tokens};
pub use versions::{ServedBy, VERSION, Versions};
pub use writer::{EngineOptions, Opened};
