//! What callers and the one writer share: requests, the inbox, and the state of the writer.

pub(crate) mod inbox;
pub(crate) mod interrupt;
pub(crate) mod requests;
pub(crate) mod shared;
pub(crate) mod turn;
pub(crate) mod weight;
