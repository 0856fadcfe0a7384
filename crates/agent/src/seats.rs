//! The seats of sessions: what is known of each, and when something is due for it.

use usher_core::sessions::Stamp;

/// Seconds that a lease lives without renewal, where the product allows so many.
pub(crate) const TTL_SECONDS: u32 = 300;

/// What is known of a session's seat.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    /// When it is to be renewed, or asked for again.
    pub(crate) due_boot_ms: u64,
    pub(crate) ttl_seconds: u32,
    /// Since when it is held; none: it is not.
    pub(crate) granted: Option<Stamp>,
    /// Where it is held: how long its lease lives without renewal.
    pub(crate) until_boot_ms: u64,
}

/// No seat yet; one is to be asked for then.
pub(crate) fn due_at(due_boot_ms: u64) -> Seat {
    Seat {
        due_boot_ms,
        ttl_seconds: TTL_SECONDS,
        granted: None,
        until_boot_ms: 0,
    }
}
