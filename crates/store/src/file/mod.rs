//! The data file on its disk: opening it, whether it is still there, who else has it open.

pub(crate) mod closed;
pub(crate) mod foreign_log;
pub(crate) mod holders;
pub(crate) mod open;
pub(crate) mod presence;
