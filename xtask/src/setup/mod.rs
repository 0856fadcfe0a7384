//! Set-up: what a fresh machine lacks is installed if it may be, and named if it may not.

mod debian;
mod tools;

pub(crate) use debian::{BPF, GATE_PEERS, LEARNED, PEERS, TESTS, WINDOWS, debian};
pub(crate) use tools::{Tool, Tools};
