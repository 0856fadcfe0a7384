//! What the others stand on: clocks, times, digits, limits. Knows nothing of requests.

pub(crate) mod candidate;
pub(crate) mod clock;
pub(crate) mod hex;
pub(crate) mod limits;
pub(crate) mod time;
