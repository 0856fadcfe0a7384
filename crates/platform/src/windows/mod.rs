//! The Windows end. What is not written yet says so when it is asked.

pub(crate) mod account;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod lock;
pub(crate) mod name_service;
pub(crate) mod net;
pub(crate) mod process;
mod raw;
pub(crate) mod signals;
pub(crate) mod socket;
pub(crate) mod system_log;
