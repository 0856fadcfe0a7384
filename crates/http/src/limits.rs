//! Time limits for the client of a connection.

/// Within how many seconds a request's head must arrive.
pub const HEAD_SECONDS: u32 = 10;
/// Within how many seconds a request's body must arrive.
pub const BODY_SECONDS: u32 = 30;
/// After how many seconds a connection without a request is closed.
pub const IDLE_SECONDS: u32 = 75;
