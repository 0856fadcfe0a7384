//! The metering server at its HTTP surface: each route as its user would call it, and what it
//! does with bad input and on bad days.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod agents;
mod bad_input;
mod behalf;
mod bundles;
mod catalogue;
mod checkouts;
mod collected;
mod common;
mod connections;
mod demand;
mod endings;
mod entitlements;
mod facts;
mod gate;
mod granting;
mod history;
mod idempotency;
mod kept;
mod operation;
mod pack;
mod people;
mod proofs;
mod queue;
mod request_ids;
mod rights;
mod service;
mod usage;
mod whose;
