//! A real agent, in a process of its own, before real programs and a server made for the test.
//!
//! The agent is this test binary, started again: see [`support::agent`]. Kernel events
//! need privilege; without it these tests say so and pass over.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, too

mod covers;
mod identifying;
mod identity;
mod joining;
mod keeping;
mod older;
mod one_seat;
mod outbox;
mod policy;
mod sessions;
mod sharing;
mod socket;
mod storms;
mod support;

/// The agent chooses how it watches.
const WATCHING: Option<usher_api::Watching> = None;
