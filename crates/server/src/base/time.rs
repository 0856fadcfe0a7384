//! Instants in the form of the API.

use usher_api::Timestamp;

/// Unix milliseconds as a timestamp of the API; the nearest possible one if they are out of its
/// range.
pub(crate) fn timestamp(unix_ms: i64) -> Timestamp {
    match Timestamp::from_millisecond(unix_ms) {
        Ok(timestamp) => timestamp,
        Err(_) if unix_ms < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}
