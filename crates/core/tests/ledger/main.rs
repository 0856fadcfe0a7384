//! Tests of the ledger: behaviour by example, and its invariants over random histories.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod behaviour;
mod bundles;
mod details;
mod gate;
mod growth;
mod histories;
mod pause;
mod queues;
mod restores;
mod world;
