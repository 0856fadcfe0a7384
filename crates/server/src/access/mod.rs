//! Who sends a request, what they may do, whose rows they may see, and which answer they got
//! before.

pub(crate) mod auth;
pub(crate) mod behalf;
pub(crate) mod keys;
pub(crate) mod numbers;
mod principal;
pub(crate) mod whose;

pub(crate) use usher_api::rights;
