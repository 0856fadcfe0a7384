//! Limits that several parts of the server share.

/// The longest ttl that any product can allow, in seconds.
pub(crate) const TTL_LIMIT_SECONDS: u32 = 366 * 86_400;
