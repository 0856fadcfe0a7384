//! The history as a site collects it: everything that has ended, once each, in the order of the
//! events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Reason;

/// `GET /v1/history`: a page of what has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPage {
    /// The server's id.
    pub server_id: String,
    /// The incarnation (life) of the server's data; a restore begins a new one.
    pub incarnation: u32,
    /// The point of an earlier life after which this life began; null: it is the first.
    pub began_after: Option<HistoryPoint>,
    /// The point after which this page begins; null: the beginning. It is before the requested
    /// point if a restore lost what came after it.
    pub from: Option<HistoryPoint>,
    /// The items, in the order of their events.
    pub items: Vec<HistoryItem>,
    /// The people in the items, each once.
    pub people: Vec<HistoryPerson>,
    /// The computers in the items, each once.
    pub computers: Vec<HistoryComputer>,
    /// The value of `after` for the next page.
    pub cursor: String,
    /// The life that `through_event` belongs to.
    pub through_incarnation: u32,
    /// The page is complete up to this event.
    pub through_event: u64,
    /// The last durable event. If `through_event` is less, the next page can be fetched at once,
    /// unless all further events follow a refusal of the last minute.
    pub head_event: u64,
    /// The server is under load: whoever collects does well to wait for two seconds before the next page.
    /// It may have more than it tells yet, even if `through_event` is `head_event`, which then is the last
    /// event that can be told. False if it is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind: bool,
}

/// A point in a history: just after an event of a life of the server's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryPoint {
    /// The life of the server's data.
    pub incarnation: u32,
    /// The event.
    pub event: u64,
}

/// The key of something that a server made. With the server's id it is globally unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct MadeBy {
    /// The life of the server's data in which it was made.
    pub incarnation: u32,
    /// The number of the event that made it.
    pub event: u64,
}

/// The key of a session, as its agent numbers it: unique over all servers.
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
    /// The surrogate: the id by which items of this server refer to it.
    pub id: String,
    /// The realm of the account.
    pub realm: String,
    /// The account, as it is compared.
    pub account: String,
    /// The account as people see it.
    pub name: String,
}

/// A computer of a history. Items hold the surrogate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryComputer {
    /// The surrogate: the id by which items of this server refer to it.
    pub id: String,
    /// The id that its agent made, or the name that a request gave.
    pub key: String,
    /// The name of the computer.
    pub name: String,
}

/// Something that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryItem {
    /// The number of the event that ended it.
    pub event: u64,
    /// In which life of the server's data.
    pub incarnation: u32,
    /// Product id.
    pub product: String,
    /// The person who is counted: an `id` in `people`.
    pub person: String,
    /// The computer: an `id` in `computers`.
    pub computer: String,
    /// What has ended.
    #[serde(flatten)]
    pub what: Ended,
}

/// What has ended. Ignore unknown kinds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ended {
    /// A session that an agent saw.
    Session(EndedSession),
    /// A lease of any holder. A lease that no session held counts as a use of its own.
    Lease(EndedLease),
    /// A refusal, with its repeats within a minute.
    Denial(EndedDenial),
    /// A wait for a seat.
    Wait(EndedWait),
    /// A kind that a later version added.
    #[serde(other)]
    Unknown,
}

/// A session that an agent saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedSession {
    /// The key of the session.
    pub key: SeenBy,
    /// The program that began it, by file name.
    pub program: String,
    /// The version of the program, if the agent knows it.
    pub version: Option<String>,
    /// The account that it ran as, if that is another: an `id` in `people`.
    pub real_person: Option<String>,
    /// When it began, by the clock of its computer.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it lasted, in seconds, exact to the millisecond.
    pub duration_seconds: f64,
    /// For how many of these seconds it had no seat.
    pub unseated_seconds: f64,
    /// The lease that it held; null if it ran unseated.
    pub lease: Option<MadeBy>,
}

/// A lease that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedLease {
    /// Its key on the server.
    pub key: MadeBy,
    /// Seats held.
    pub seats: u32,
    /// The program that it was for, if the request named one.
    pub program: Option<String>,
    /// The session that held it; null: it was checked out by name.
    pub session: Option<SeenBy>,
    /// Whether it was kept for a later start that never came.
    pub kept: bool,
    /// When it was granted.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it was held, in seconds, exact to the millisecond.
    pub held_seconds: f64,
    /// Why it ended: `checked_in`, `expired`, `unclaimed` or `idle`.
    pub cause: String,
    /// The ticket that waited for it; null: it was granted at once.
    pub ticket: Option<MadeBy>,
    /// The first of the leases that it was held with, if the request was for several products.
    pub with: Option<MadeBy>,
    /// Whether the same person had been refused within a quarter of an hour before.
    pub retry: bool,
}

/// A refusal, with its repeats within a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedDenial {
    /// Its key on the server.
    pub key: MadeBy,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused.
    pub reason: Reason,
    /// How many times it was repeated within the minute, the first included.
    pub count: u64,
    /// How many of these followed an earlier refusal of the same person, computer and product.
    pub retries: u64,
    /// Whether the request would have waited; null: that was not recorded.
    pub waits: Option<bool>,
    /// When it was first refused.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it was last refused.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// A wait for a seat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedWait {
    /// The key of its ticket on the server.
    pub key: MadeBy,
    /// Seats asked for.
    pub seats: u32,
    /// The priority; a higher one was served first.
    pub priority: i8,
    /// How it ended: `granted`, `denied`, `expired` or `cancelled`.
    pub outcome: String,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// The lease that was granted to it.
    pub lease: Option<MadeBy>,
    /// The first of the tickets that it waited with, if the request was for several products.
    pub with: Option<MadeBy>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// When the wait ended; null: that was not recorded.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// How long it waited, in seconds, exact to the millisecond; null: that was not recorded.
    pub waited_seconds: Option<f64>,
    /// Whether the same person had been refused within a quarter of an hour before.
    pub retry: bool,
}

/// `PUT /v1/history/consumers/{name}`: the consumer has durably stored everything up to this point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The life of the server's data.
    pub incarnation: u32,
    /// The event.
    pub through_event: u64,
}

/// A consumer: somebody who collects a server's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryConsumer {
    /// The name of the computer.
    pub name: String,
    /// When it acknowledged for the first time.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it acknowledged last.
    #[schema(value_type = String, format = DateTime)]
    pub acknowledged_at: Timestamp,
    /// The event up to which it has acknowledged.
    pub through_event: u64,
    /// The server keeps what ended after this event for the consumer, even past the retention.
    pub kept_after_event: u64,
    /// Whether the server keeps anything for it. It does not if the consumer has acknowledged
    /// nothing for 30 days.
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
