//! What the metering server is asked for, beside the agent: the exchange of items, leases of covers,
//! seats that are waited for or kept, and how the server is reached.

pub(crate) mod attend;
pub(crate) mod covers;
pub(crate) mod hearing;
pub(crate) mod keeping;
pub(crate) mod leaving;
pub(crate) mod sync_loop;
pub(crate) mod token;
pub(crate) mod unconnected;
