//! The gate on a real kernel: in a mount namespace and on a file system of each test's own.
//!
//! Each prints the longest that a start waited in it, as a row of the table in docs/gate.md, and beside
//! it the longest that one took which nobody asked about:
//! `cargo nextest run -p usher-gate --no-capture 2>&1 | grep '^|'`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod bounds;
mod costs;
mod disks;
mod faults;
mod files;
mod silence;
mod support;
mod waits;
