//! What agents report: sessions that take, keep and give back seats.

pub(super) mod adopt;
pub(super) mod claim;
pub(super) mod report;
pub(super) mod sessions;
