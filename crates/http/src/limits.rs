//! How long a connection's other side may take.

/// A request's head must have come within so long.
pub const HEAD_SECONDS: u32 = 10;
/// A request's body must have come within so long.
pub const BODY_SECONDS: u32 = 30;
/// A connection without a request ends after so long.
pub const IDLE_SECONDS: u32 = 75;
