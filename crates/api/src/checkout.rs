//! Checkouts, leases and tickets.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

fn one() -> u32 {
    1
}

/// `POST /v1/checkouts`: asks for seats of a product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutRequest<'a> {
    /// Product id.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// Further products, each named once: all are granted, or none; at most 15.
    #[serde(default, borrow, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoWanted<'a>>,
    /// Name of the person who is counted.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// The computer where the seat is used: an agent's computer id, or a name.
    #[serde(borrow)]
    pub computer: Cow<'a, str>,
    /// How many seats, 1 to 100,000.
    #[serde(default = "one")]
    pub seats: u32,
    /// Whether to queue when no seat is free.
    #[serde(default)]
    pub wait: bool,
    /// Seconds that the lease lives without renewal: 1 to the product's maximum. Without it 300,
    /// or the product's maximum where that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// Place in the queue before arrival counts: higher is served first. Only operators and
    /// admins may ask for another than 0; -100 to 100.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i8,
    /// What is started, for the record.
    #[serde(
        default,
        borrow,
        deserialize_with = "crate::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub program: Option<ProgramFacts<'a>>,
    /// In which realm `user` is an account; without it, in `usher`. Said by agents, which know.
    #[serde(
        default,
        borrow,
        deserialize_with = "crate::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub subject: Option<SubjectKey<'a>>,
}

pub(crate) fn is_never(joined: &u64) -> bool {
    *joined == 0
}

/// Seats of a further product that are asked for at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlsoWanted<'a> {
    /// Product id.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// How many seats, 1 to 100,000.
    #[serde(default = "one")]
    pub seats: u32,
}

/// Seats of a further product of the same ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Also {
    /// Product id.
    pub product: String,
    /// Seats.
    pub seats: u32,
    /// Their lease, where they are held. It is renewed and ended together with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

fn is_zero(priority: &i8) -> bool {
    *priority == 0
}

/// What is started, as its starter describes it: for the record, never for a decision.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramFacts<'a> {
    /// File name, without its folder. `(kept)` says that nothing is started: the seat is kept for a
    /// start to come, and no use until that start claims it. For agents, operators and admins.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// Version, where known.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
}

/// The name of a program that is yet to be started: see [`ProgramFacts::name`].
pub const KEPT_SEAT: &str = "(kept)";

/// The realm of the account in `user`: a name alone is no person (KB Q201055).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectKey<'a> {
    /// The realm: a directory's name, which compares accounts without case, or `computer:ID` for
    /// a computer's own accounts, or `usher`, which are compared exactly.
    #[serde(borrow)]
    pub authority: Cow<'a, str>,
    /// What the computer knows the account by, such as a uid or SID: it says nothing of who it is.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
}

/// A seat, or several, held by someone until a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// Lease id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// Name of the person who is counted.
    pub user: String,
    /// The computer where the seat is used.
    pub computer: String,
    /// Seats held.
    pub seats: u32,
    /// When it was granted.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// An estimate, for people, of when it ends without renewal; `ttl_seconds` binds.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Seconds from this answer on that the lease lives without renewal.
    pub ttl_seconds: u32,
    /// The allotments that its seats come from (in lists).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allotments: Vec<String>,
    /// Who shows it may join the lease; told only to who was granted it, in that answer and in a
    /// ticket's. Keep it as a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// How often it was joined by others than who keeps it, since the server's start (in lists).
    #[serde(default, skip_serializing_if = "is_never")]
    pub joined: u64,
    /// What is held with it, where several products were asked for at once (not in lists).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// The first of the leases that it is held with, itself or another (in lists).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// For how many seconds from this answer on it is kept for its person's next start, which nobody
    /// uses yet (in the list of an agent's local socket).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_seconds: Option<u32>,
}

/// 201 and 202 of `POST /v1/checkouts`. A refusal is a [`crate::Problem`] with code `denied`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum CheckoutAnswer {
    /// 201: the seats are held, and that is on disk.
    Granted {
        /// For `usher why`.
        decision_id: String,
        /// The lease.
        lease: Lease,
    },
    /// 202: no seat is free; the request has a place in the queue.
    Queued {
        /// For `usher why`.
        decision_id: String,
        /// The place in the queue.
        ticket: Ticket,
    },
}

/// One waiting request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    /// Ticket id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// Place in the queue, from 1.
    pub position: u32,
    /// Estimate from recent checkins; null where nothing is known.
    pub expected_wait_seconds: Option<u64>,
    /// The place is lost at about this time unless it is polled.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// What else it waits for: `position` is the place that is furthest back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
}

/// `GET /v1/tickets/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TicketAnswer {
    /// Ticket id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// What became of it.
    pub state: TicketState,
    /// Place in the queue, from 1, while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Estimate from recent checkins, while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_wait_seconds: Option<u64>,
    /// The place is lost at about this time unless it is polled, while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Why others are served before it for now, while waiting, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<PassedOver>,
    /// Why not, when denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<crate::Reason>,
    /// For `usher why`, when denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// The lease, when granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// What else it waits for, or waited for; what is held with the lease, when granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
}

/// Why a waiting request is passed over: it asks for more seats than there are, in use or not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PassedOver {
    /// In a sentence.
    pub why: String,
    /// About when it is refused with `impossible` if that stays so; null where seats that are
    /// owned already become valid later.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub denied_at: Option<Timestamp>,
}

/// What became of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// It has a place in the queue.
    Waiting,
    /// A seat is held for it.
    Granted,
    /// Nobody asked after it in time, or the granted seat was not fetched in time.
    Expired,
    /// It was taken back.
    Cancelled,
    /// It was refused after it had waited; callers of the version before are told `cancelled`.
    Denied,
}

/// An item of `GET /v1/queue`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueueEntry {
    /// Ticket id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// Who waits.
    pub user: String,
    /// On which computer.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// Higher is served first.
    pub priority: i8,
    /// Place in the queue, from 1.
    pub position: u32,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// The first of the tickets that it waits with, itself or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Estimate from recent checkins; null where nothing is known.
    pub expected_wait_seconds: Option<u64>,
}
