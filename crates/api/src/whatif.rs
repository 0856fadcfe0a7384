//! What-if: recorded asks of a product, decided again with other numbers of seats.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most numbers of seats that one what-if tries.
pub const WHATIF_COUNTS_LIMIT: usize = 100;
/// The largest number of seats that can be tried.
pub const WHATIF_SEATS_LIMIT: u32 = 1_000_000_000;

/// `POST /v1/whatif`: with which numbers of seats recorded asks are to be decided again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfRequest {
    /// Product id.
    pub product: String,
    /// The numbers of seats to try: 1 to 100 of them, each counted once, in any order.
    pub seats: Vec<u32>,
    /// The first instant, or day of UTC, that is replayed; left out: 90 days before the end, or when
    /// the record begins if that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first instant that is no longer replayed, or the last day of UTC that is; left out: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What else of a policy is to hold; left out: no overdraft, and a queue without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<WhatIfPolicy>,
    /// What somebody does who asks while no seat is free.
    #[serde(default)]
    pub on_full: OnFull,
    /// What share of the asks is to be granted, and how soon, such as `95% within 5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_level: Option<String>,
    /// From which number what is not known is drawn; left out: 0. The same gives the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// What of a policy a what-if replays, besides the number of seats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfPolicy {
    /// Seats beyond each number that may be in use; left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdraft: Option<u32>,
    /// How many may wait at once; left out: as many as want to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_limit: Option<u32>,
}

/// What somebody does who asks while no seat is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// What it did in the record: it waits, as long as then, or is refused.
    #[default]
    AsRecorded,
    /// Everybody is refused.
    Deny,
    /// Everybody waits: as long as is recorded, and who did not wait then until it is served.
    Wait,
}

impl OnFull {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            OnFull::AsRecorded => "as_recorded",
            OnFull::Deny => "deny",
            OnFull::Wait => "wait",
        }
    }
}

/// The answer to `POST /v1/whatif`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatIf {
    /// Product id.
    pub product: String,
    /// The first instant that was replayed.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first instant after the replay.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// What somebody does who asks while no seat is free.
    pub on_full: OnFull,
    /// The service level that was asked for; null: none.
    pub service_level: Option<String>,
    /// Asks that were replayed: retries of one person count once.
    pub asks: u64,
    /// How many of them got no seat, so that nobody knows how long one would have been held.
    pub unknown_lengths: u64,
    /// How often these lengths were drawn; 1 if there are none.
    pub draws: u32,
    /// From which number they were drawn.
    pub seed: u64,
    /// Whether the record is fit to be replayed: not too much of it is missing or unknown.
    pub fit: bool,
    /// Why it is not; null: it is.
    pub why: Option<String>,
    /// One for each number of seats, the smallest first.
    pub results: Vec<WhatIfResult>,
    /// The smallest of these numbers that keeps the service level; null: none of them does, or none
    /// was asked for.
    pub smallest_for_service_level: Option<u32>,
    /// Seats that are owned today, without overdraft; null: not every server says.
    pub seats_today: Option<u64>,
    /// How many seats to keep, and what that risks, in words.
    pub advice: String,
    /// What was assumed, a sentence each.
    pub assumptions: Vec<String>,
}

/// What a number of seats would have come to. If lengths were drawn, each figure is the median of
/// all draws by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhatIfResult {
    /// The number of seats.
    pub seats: u32,
    /// Asks that would have been granted, immediately or after a wait.
    pub granted: u64,
    /// Asks that would not have been.
    pub denied: u64,
    /// The share of the asks that would not have been, 0 to 1.
    pub denied_share: f64,
    /// That share over all draws.
    pub range: ShareRange,
    /// Asks that would have waited, whatever came of it.
    pub waited: u64,
    /// The wait, in seconds, that half of those who waited would not have exceeded; null: nobody
    /// would have waited.
    pub wait_p50_seconds: Option<f64>,
    /// The wait, in seconds, that 95 of 100 of them would not have exceeded.
    pub wait_p95_seconds: Option<f64>,
    /// The longest wait, in seconds.
    pub wait_longest_seconds: Option<f64>,
    /// The most seats in use at once.
    pub peak: u64,
    /// Asks that would have been granted within the time of the service level; without one,
    /// immediately.
    pub in_time: u64,
}

/// From the smallest to the largest share over all draws, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShareRange {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_a_product_and_numbers_of_seats_and_no_more() {
        let read = |text: &str| serde_json::from_str::<WhatIfRequest>(text);
        let least = read(r#"{"product": "cad", "seats": [3]}"#).unwrap();
        assert_eq!(least.on_full, OnFull::AsRecorded);
        assert_eq!((least.from, least.policy, least.seed), (None, None, None));
        let full = read(
            r#"{"product": "cad", "seats": [3, 4], "from": "2026-01-01", "to": null,
            "policy": {"overdraft": 1}, "on_full": "deny", "service_level": "95% within 5m",
            "seed": 7}"#,
        );
        let full = full.unwrap();
        assert_eq!(full.on_full.as_str(), "deny");
        assert_eq!(full.policy.unwrap().overdraft, Some(1));
        assert!(read(r#"{"product": "cad", "seats": [3], "seat": 4}"#).is_err());
        assert!(read(r#"{"seats": [3]}"#).is_err());
    }

    #[test]
    fn words_on_the_wire_are_those_of_the_type() {
        for on_full in [OnFull::AsRecorded, OnFull::Deny, OnFull::Wait] {
            let word = serde_json::to_value(on_full).unwrap();
            assert_eq!(word, on_full.as_str());
        }
    }
}
