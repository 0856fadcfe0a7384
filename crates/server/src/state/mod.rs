//! The state that all cores share.

pub(crate) mod app;
pub(crate) mod granting;
pub(crate) mod herald;
pub(crate) mod live;
pub(crate) mod pace;
pub(crate) mod pause;
pub(crate) mod per_core;
pub(crate) mod policy;
pub(crate) mod quiet;
pub(crate) mod turned_away;
