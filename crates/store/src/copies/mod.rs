//! Copies of the data file, and coming back from one.

mod aside;
pub(crate) mod backup;
mod ends;
pub(crate) mod life;
pub(crate) mod snapshots;
pub(crate) mod unknown;
