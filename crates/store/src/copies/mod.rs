//! Copies of the data file, and coming back from one.

pub(crate) mod backup;
pub(crate) mod life;
pub(crate) mod snapshots;
pub(crate) mod unknown;
