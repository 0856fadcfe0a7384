//! Tests of the ledger: behaviour by example, and its invariants over random histories.

mod agents;
mod behaviour;
mod histories;
mod pause;
mod world;
