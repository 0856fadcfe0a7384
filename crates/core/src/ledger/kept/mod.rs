//! What a ledger keeps in memory: people, sessions, refusals, answers, pools.

pub(super) mod denials;
pub(super) mod directory;
pub(super) mod lent;
pub(super) mod memory;
pub(super) mod pool;
pub(super) mod seatings;
