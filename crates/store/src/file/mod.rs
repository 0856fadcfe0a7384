//! The data file on its disk: opens it, checks whether it is still there, and who else has it open.

pub(crate) mod closed;
pub(crate) mod foreign_log;
pub(crate) mod holders;
pub(crate) mod open;
pub(crate) mod presence;
