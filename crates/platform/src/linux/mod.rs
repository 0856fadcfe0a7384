//! The Linux implementation.

pub(crate) mod account;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod lock;
pub(crate) mod name_service;
pub(crate) mod net;
pub(crate) mod process;
pub(crate) mod signals;
pub(crate) mod socket;
pub(crate) mod system_log;
