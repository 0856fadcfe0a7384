//! The history as a site collects it: what has come to its end, each once, in the order of its
//! events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Reason;

/// `GET /v1/history`: a page of what has come to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPage {
    /// The server's id.
    pub server_id: String,
    /// The life of the server's data; a restore begins another.
    pub incarnation: u32,
    /// After which event of which life this one began; null: it is the first.
    pub began_after: Option<HistoryPoint>,
    /// The point after which this page begins; null: at the beginning. It is before the one that was
    /// asked for if a restore has left what came behind it: that is no longer on the server.
    pub from: Option<HistoryPoint>,
    /// In the order of their events.
    pub items: Vec<HistoryItem>,
    /// The people in the items, each once.
    pub people: Vec<HistoryPerson>,
    /// The computers in the items, each once.
    pub computers: Vec<HistoryComputer>,
    /// `after` of the next page.
    pub cursor: String,
    /// The life of `through_event`.
    pub through_incarnation: u32,
    /// Nothing up to this event is left out.
    pub through_event: u64,
    /// The last event that is durable. The next page begins at once if `through_event` is less, and
    /// nothing else came after a refusal of the last minute.
    pub head_event: u64,
}

/// A point in a history: behind an event of a life of the server's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryPoint {
    /// The life.
    pub incarnation: u32,
    /// The event.
    pub event: u64,
}

/// What a server calls something that it made, unique with the server's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct MadeBy {
    /// In which life of its data.
    pub incarnation: u32,
    /// By which event.
    pub event: u64,
}

/// A run, as the agent that saw it calls it: unique over all servers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct SeenBy {
    /// The id that the computer's agent made.
    pub computer: String,
    /// The agent's incarnation.
    pub incarnation: u64,
    /// The number of the session.
    pub session: u64,
}

/// A person of a history. Items hold the surrogate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPerson {
    /// The surrogate on this server.
    pub id: String,
    /// The realm.
    pub realm: String,
    /// The account, as it is compared.
    pub account: String,
    /// The account as people are shown it.
    pub name: String,
}

/// A computer of a history. Items hold the surrogate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryComputer {
    /// The surrogate on this server.
    pub id: String,
    /// The id that its agent made, or the name by which was asked for it.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// Something that has come to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryItem {
    /// The event that ended it.
    pub event: u64,
    /// In which life of the server's data.
    pub incarnation: u32,
    /// Product id.
    pub product: String,
    /// Who is counted: a surrogate of `people`.
    pub person: String,
    /// On which computer: a surrogate of `computers`.
    pub computer: String,
    /// What it was.
    #[serde(flatten)]
    pub what: Ended,
}

/// What has come to its end. Take an unknown kind as nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ended {
    /// A run that an agent saw.
    Session(EndedSession),
    /// A lease, whoever held it. One that no session held is a use of its own.
    Lease(EndedLease),
    /// A refusal, with its repeats within a minute.
    Denial(EndedDenial),
    /// A wait for a seat.
    Wait(EndedWait),
    /// Something that a later version tells of.
    #[serde(other)]
    Unknown,
}

/// A run that an agent saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedSession {
    /// What tells it from all others.
    pub key: SeenBy,
    /// The program that began it, by file name.
    pub program: String,
    /// Its version.
    pub version: Option<String>,
    /// The account that it ran as, if that is another: a surrogate.
    pub real_person: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it lasted, to the millisecond.
    pub duration_seconds: f64,
    /// For how long of that it had no seat.
    pub unseated_seconds: f64,
    /// The lease that it held; null if it ran unseated.
    pub lease: Option<MadeBy>,
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedLease {
    /// What tells it from all others of the server.
    pub key: MadeBy,
    /// Seats held.
    pub seats: u32,
    /// The program, if it was told.
    pub program: Option<String>,
    /// The run that held it; null: it was checked out by name.
    pub session: Option<SeenBy>,
    /// It was kept for a start to come, and nobody came for it.
    pub kept: bool,
    /// When it was granted.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it was held, to the millisecond.
    pub held_seconds: f64,
    /// Why it ended: `checked_in`, `expired`, `unclaimed` or `idle`.
    pub cause: String,
    /// The ticket by which it was waited for.
    pub ticket: Option<MadeBy>,
    /// The first of the leases that it was held with, if several products were asked for.
    pub with: Option<MadeBy>,
    /// Whoever asked had been refused within a quarter of an hour before.
    pub retry: bool,
}

/// A refusal, with its repeats within a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedDenial {
    /// What tells it from all others of the server.
    pub key: MadeBy,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused.
    pub reason: Reason,
    /// How many times it was repeated within the minute, the first included.
    pub count: u64,
    /// How many of these came after another refusal of the same person, computer and product.
    pub retries: u64,
    /// Whether it would have waited; null: that was not kept.
    pub waits: Option<bool>,
    /// The first.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// The last.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// A wait for a seat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedWait {
    /// What tells its ticket from all others of the server.
    pub key: MadeBy,
    /// Seats asked for.
    pub seats: u32,
    /// Higher was served first.
    pub priority: i8,
    /// How it ended: `granted`, `denied`, `expired` or `cancelled`.
    pub outcome: String,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// The lease that it came to.
    pub lease: Option<MadeBy>,
    /// The first of the tickets that it waited with, if several products were asked for.
    pub with: Option<MadeBy>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// When it was decided; null: that was not kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// How long it lasted, to the millisecond; null: that was not kept.
    pub waited_seconds: Option<f64>,
    /// Whoever waited had been refused within a quarter of an hour before.
    pub retry: bool,
}

/// `PUT /v1/history/consumers/{name}`: what was collected up to this point is kept there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The life of the server's data.
    pub incarnation: u32,
    /// The event.
    pub through_event: u64,
}

/// Who collects a server's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryConsumer {
    /// Its name.
    pub name: String,
    /// When it acknowledged for the first time.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it did last.
    #[schema(value_type = String, format = DateTime)]
    pub acknowledged_at: Timestamp,
    /// Up to which event.
    pub through_event: u64,
    /// What ended after this event is kept for it, also past the retention.
    pub kept_after_event: u64,
    /// Whether anything is kept for it: not if it has acknowledged nothing for 30 days.
    pub live: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_a_kind_that_is_not_known_is_read_as_one() {
        let text = r#"{"event": 7, "incarnation": 3, "product": "cad", "person": "p1",
            "computer": "c1", "kind": "borrow", "until": "2026-12-01T00:00:00Z"}"#;
        let item: HistoryItem = serde_json::from_str(text).unwrap();
        assert_eq!((item.event, item.what), (7, Ended::Unknown));
    }

    #[test]
    fn an_item_names_its_kind_beside_its_fields() {
        let key = MadeBy {
            incarnation: 3,
            event: 5,
        };
        let item = HistoryItem {
            event: 7,
            incarnation: 3,
            product: "cad".to_owned(),
            person: "p1".to_owned(),
            computer: "c1".to_owned(),
            what: Ended::Denial(EndedDenial {
                key,
                seats: 1,
                reason: Reason::NoSeat,
                count: 2,
                retries: 1,
                waits: Some(false),
                first_at: Timestamp::UNIX_EPOCH,
                last_at: Timestamp::UNIX_EPOCH,
            }),
        };
        let text = serde_json::to_value(&item).unwrap();
        assert_eq!(text["kind"], "denial");
        assert_eq!(text["key"]["event"], 5);
        assert_eq!(serde_json::from_value::<HistoryItem>(text).unwrap(), item);
    }
}
