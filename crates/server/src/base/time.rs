//! Instants as the wire shows them.

use usher_api::Timestamp;

/// Unix milliseconds as the wire shows them; the nearest that can be shown if they are beyond.
pub(crate) fn timestamp(unix_ms: i64) -> Timestamp {
    match Timestamp::from_millisecond(unix_ms) {
        Ok(timestamp) => timestamp,
        Err(_) if unix_ms < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}
