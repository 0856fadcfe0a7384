//! Between the routes and the ledger: how requests reach it, and who is told about durable events.

pub(crate) mod feed;
pub(crate) mod hopper;
pub(crate) mod joins;
pub(crate) mod metrics;
pub(crate) mod readers;
pub(crate) mod touched;
pub(crate) mod used;
pub(crate) mod watchers;
