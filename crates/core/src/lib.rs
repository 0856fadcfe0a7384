//! usher-core: everything that decides.
//!
//! Pure and synchronous: no I/O, no clock, no threads, no async, no randomness. Time and random
//! numbers are arguments. So the same code runs in production, in a simulator with a virtual
//! clock and in a replay of last year's demand. It knows nothing of HTTP, SQLite or processes.

#![forbid(unsafe_code)]

pub mod concerns;
pub mod groups;
pub mod health;
pub mod identify;
pub mod idle;
pub mod ledger;
pub mod lifecycle;
pub mod messages;
pub mod names;
pub mod people;
pub mod policy;
pub mod reminders;
pub mod replay;
pub mod schedule;
pub mod sessions;
pub mod usage;
