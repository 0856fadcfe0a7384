//! Copies of the data file: snapshots, backups, restores.

mod aside;
pub(crate) mod backup;
mod ends;
pub(crate) mod life;
pub(crate) mod snapshots;
pub(crate) mod unknown;
