//! Upkeep of the data file while it is written to.

pub(crate) mod pack;
