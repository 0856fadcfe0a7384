//! How many seats of a product were wanted, and whom a number of them would have refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/products/{id}/demand`: what was had, waited for and refused in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Demand {
    /// Product id.
    pub product: String,
    /// Seats that it is played with.
    pub seats: u64,
    /// Seats that may be in use now, overdraft included.
    pub owned: u64,
    /// The beginning of the time that was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When something is first known of the product in this time; null: nothing is.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The end of the time.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Sessions that touched the time.
    pub sessions: u64,
    /// Of some kind of what is known there is more than was looked at: 100,000 rows, the newest.
    pub cut: bool,
    /// Seats that were wanted at once at the most: held, waited for or refused. At least so many
    /// if somebody was refused, for nobody knows how long they would have used it.
    pub peak: u64,
    /// The first instant at which so many were wanted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub peak_at: Option<Timestamp>,
    /// Starts that `seats` would have refused, or made wait.
    pub refused: u64,
    /// Different people among them.
    pub people: u64,
    /// The first of them; null also for who may not see people.
    pub first: Option<DemandStart>,
    /// How often somebody was refused for want of seats in this time.
    pub denials: u64,
    /// Different people among them.
    pub denied_people: u64,
    /// How long somebody who was refused is taken to have wanted it, in seconds, if they neither got
    /// a seat nor asked again: the median of the sessions that ended, or 900 if none has.
    pub denied_seconds: u64,
    /// How many sessions that is the median of; 0 if none has ended. Left out by older servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_sessions: Option<u64>,
    /// Requests that waited in the queue in this time, whatever became of them.
    pub waits: u64,
    /// Different people among them.
    pub waiting_people: u64,
}

/// A start that would have been refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemandStart {
    /// The person's name.
    pub user: String,
    /// On which computer.
    pub computer: String,
    /// The program, if that is known.
    pub program: Option<String>,
    /// When the start was, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
}
