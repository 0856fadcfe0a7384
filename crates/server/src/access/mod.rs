//! Who asks, what they may do, whose rows they are shown, and which answer they had before.

pub(crate) mod auth;
pub(crate) mod behalf;
pub(crate) mod keys;
pub(crate) mod numbers;
mod principal;
pub(crate) mod whose;

pub(crate) use usher_api::rights;
