//! The one writer, and its write-ahead log.

pub(crate) mod checkpoint;
pub(crate) mod writer;
