//! Who waits: places in the queue, its head, and who is passed over.

pub(super) mod head;
pub(super) mod review;
pub(super) mod tickets;
