//! What requests say and answers are: bodies, refusals, names, words. Knows nothing of the server's
//! state.

pub(crate) mod cursor;
pub(crate) mod entitlement;
pub(crate) mod explain;
pub(crate) mod faults;
pub(crate) mod finished;
pub(crate) mod input;
pub(crate) mod people;
pub(crate) mod problem;
pub(crate) mod records;
pub(crate) mod sync_items;
pub(crate) mod text;
pub(crate) mod writer;
