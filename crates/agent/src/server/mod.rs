//! What the agent asks the metering server for: the exchange of items, the leases of covers, seats
//! that commands wait for or keep, and how the server is reached.

pub(crate) mod attend;
pub(crate) mod covers;
pub(crate) mod hearing;
pub(crate) mod keeping;
pub(crate) mod leaving;
pub(crate) mod sync_loop;
pub(crate) mod token;
pub(crate) mod unconnected;
