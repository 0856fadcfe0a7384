//! What keeps the server and its data well beside the requests.

pub(crate) mod packs;
pub(crate) mod report;
