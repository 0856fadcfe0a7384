//! The gate on a real kernel: in a mount namespace and on a file system of each test's own.

#![allow(unused_crate_dependencies, reason = "each file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod support;
