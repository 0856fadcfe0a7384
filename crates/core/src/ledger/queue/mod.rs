//! The queue: places, the head, and requests that are passed over.

pub(super) mod head;
pub(super) mod review;
pub(super) mod tickets;
