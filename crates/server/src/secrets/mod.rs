//! Random secrets in files of the data directory: tokens and keys.

pub(crate) mod proof;
pub(crate) mod secret;
pub(crate) mod signing;
