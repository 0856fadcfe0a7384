//! What all other parts use: clocks, times, random numbers, limits. Knows nothing of requests.

pub(crate) mod clock;
pub(crate) mod limits;
pub(crate) mod random;
pub(crate) mod time;
