//! Upkeep of the process and its data beside the requests: the service's life, packs, copies.

pub(crate) mod backups;
pub(crate) mod computer;
pub(crate) mod lifecycle;
pub(crate) mod packs;
pub(crate) mod report;
pub(crate) mod vital;
