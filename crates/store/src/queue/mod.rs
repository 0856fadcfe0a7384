//! What callers and the one writer share: requests, what waits, and how it goes.

pub(crate) mod inbox;
pub(crate) mod interrupt;
pub(crate) mod requests;
pub(crate) mod shared;
pub(crate) mod turn;
pub(crate) mod weight;
