//! Reads beside the writer.

pub(crate) mod consumers;
pub(crate) mod history;
pub(crate) mod inventory;
pub(crate) mod tokens;
pub(crate) mod versions;
