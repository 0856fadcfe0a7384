//! How many seats of a product were wanted, and who would have been refused with a given number of
//! seats.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/products/{id}/demand`: the use, the waits and the refusals of a period, replayed with a
/// number of seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Demand {
    /// Product id.
    pub product: String,
    /// The number of seats with which the period is replayed.
    pub seats: u64,
    /// Seats that may be in use now, overdraft included.
    pub owned: u64,
    /// The beginning of the period.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The first recorded event of the product in the period; null: there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The end of the period.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Sessions that ran within the period.
    pub sessions: u64,
    /// Whether the replay left out records: it uses at most the newest 100,000 of each kind.
    pub cut: bool,
    /// The largest number of seats that were wanted at once: held, waited for or refused. A lower
    /// bound if somebody was refused, because nobody knows how long they would have used the seat.
    pub peak: u64,
    /// The first instant at which so many were wanted; null: none were.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub peak_at: Option<Timestamp>,
    /// Starts that would have been refused, or would have waited, with `seats` seats.
    pub refused: u64,
    /// Different people among those starts.
    pub people: u64,
    /// The first such start; null also if the token may not see people.
    pub first: Option<DemandStart>,
    /// How often somebody was refused in the period because no seat was free.
    pub denials: u64,
    /// Different people who were refused.
    pub denied_people: u64,
    /// How long a refused person is assumed to have wanted the seat, in seconds, unless they got
    /// one or asked again: the median of the sessions that ended, or 900 if none has.
    pub denied_seconds: u64,
    /// How many sessions that median is of; 0 if none has ended. Older servers leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_sessions: Option<u64>,
    /// Requests that waited in the queue within the period, whatever became of them.
    pub waits: u64,
    /// Different people who waited.
    pub waiting_people: u64,
}

/// A start that would have been refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemandStart {
    /// The person's name.
    pub user: String,
    /// The computer on which it was.
    pub computer: String,
    /// The program, if it is known.
    pub program: Option<String>,
    /// When the start was, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
}
