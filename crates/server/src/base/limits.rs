//! Limits that more than one part of the server keeps.

/// The longest ttl that any product can allow, in seconds.
pub(crate) const TTL_LIMIT_SECONDS: u32 = 366 * 86_400;
/// A request's head must have come within so long.
pub(crate) const HEAD_SECONDS: u32 = 10;
/// A request's body must have come within so long.
pub(crate) const BODY_SECONDS: u32 = 30;
/// A connection without a request ends after so long.
pub(crate) const IDLE_SECONDS: u32 = 75;
