//! Set-up: what a fresh machine lacks is installed where it may be, and named where it may not.

mod debian;
mod tools;

pub(crate) use debian::{BPF, GATE_PEERS, LEARNED, PEERS, TESTS, WINDOWS, debian};
pub(crate) use tools::{Tool, Tools};
