//! The engine on a real file: what is answered is there again, exactly.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod builds;
mod copied;
mod demand;
mod files;
mod finished;
mod histories;
mod history;
mod holds;
mod names;
mod pack;
mod programs;
mod restarts;
mod sessions;
mod slices;
mod snapshots;
mod support;
mod time;
mod versions;
mod waits;
