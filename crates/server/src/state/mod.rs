//! What all cores share.

pub(crate) mod live;
pub(crate) mod policy;
pub(crate) mod quiet;
