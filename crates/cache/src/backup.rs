//! Snapshots of a data file, and coming back from one.

use std::path::Path;

use crate::error::CacheError;
use crate::writer::Shared;

/// How a restore is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    /// Grant at once. Without it nothing is granted for one maximum ttl: leases that were granted
    /// after the snapshot may still be in use.
    pub accept_risk: bool,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Where the data file of before was put, if there was one.
    pub kept: Option<std::path::PathBuf>,
    /// Nothing is granted for so many seconds.
    pub hold_seconds: u64,
    /// Leases that the snapshot holds.
    pub leases: u64,
}

pub(crate) fn backup(_shared: &Shared, _to: &Path) -> Result<(), CacheError> {
    unimplemented!()
}

/// Puts a snapshot in the place of the data file of a stopped server, as a new incarnation.
pub fn restore(
    _data: &Path,
    _file: &Path,
    _options: RestoreOptions,
) -> Result<Restored, CacheError> {
    unimplemented!()
}
