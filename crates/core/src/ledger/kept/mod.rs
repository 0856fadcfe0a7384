//! What a ledger keeps in memory: leases, people, sessions, refusals, answers, pools.

pub(super) mod denials;
pub(super) mod details;
pub(super) mod directory;
pub(super) mod held;
mod index;
pub(super) mod leases;
pub(super) mod lent;
pub(super) mod memory;
pub(super) mod pool;
pub(super) mod pools;
pub(super) mod seatings;
mod slab;
