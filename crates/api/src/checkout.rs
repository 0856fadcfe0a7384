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
    /// or the product's maximum if that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// A higher priority is served first, before the order of arrival counts: -100 to 100. Only
    /// operators and admins may ask for another than 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i8,
    /// What is started; only recorded.
    #[serde(
        default,
        borrow,
        deserialize_with = "crate::object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub program: Option<ProgramFacts<'a>>,
    /// The realm of the account in `user`; without it, `usher`. For agents, which know it.
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

/// Seats of a further product of the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Also {
    /// Product id.
    pub product: String,
    /// How many seats of it.
    pub seats: u32,
    /// Their lease, if they are held. It is renewed and ended together with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

fn is_zero(priority: &i8) -> bool {
    *priority == 0
}

/// What is started, as the requester describes it: only recorded, never used for a decision.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramFacts<'a> {
    /// File name, without its folder. `(kept)` means that nothing is started yet: the seat is kept
    /// for a later start, and counts as no use until that start claims it. For agents, operators
    /// and admins.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// Version, if known.
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
    /// The number of the account on the computer, such as a uid or SID. It does not identify the
    /// person.
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
    /// An estimate for people of when the lease ends without renewal; `ttl_seconds` is binding.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Seconds from this answer on that the lease lives without renewal.
    pub ttl_seconds: u32,
    /// The allotments that its seats come from (only in lists).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allotments: Vec<String>,
    /// The proof with which anybody can join the lease. It is only in the answer to its checkout
    /// and in that of its ticket. Keep it secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// How often others joined the lease since the server's start (in lists).
    #[serde(default, skip_serializing_if = "is_never")]
    pub joined: u64,
    /// The leases held with it, if one request asked for several products (not in lists).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// The first of the leases that it is held with, itself or another (in lists).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// For how many seconds from this answer on it is kept for its person's next start, which nobody
    /// uses yet (in lists).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_seconds: Option<u32>,
    /// For how many seconds nobody had touched the program when its agent last said so, as it does
    /// with each renewal; what it said more than 15 minutes ago does not count. Null if it is not
    /// known, as of leases that no agent's session holds, or several (in lists).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
}

/// 201 and 202 of `POST /v1/checkouts`. A refusal is a [`crate::Problem`] with code `denied`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum CheckoutAnswer {
    /// 201: the seats are held, and that is on disk.
    Granted {
        /// The id of the decision, which `usher why` takes.
        decision_id: String,
        /// The lease that holds the seats.
        lease: Lease,
    },
    /// 202: no seat is free; the request has a place in the queue.
    Queued {
        /// The id of the decision, which `usher why` takes.
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
    /// Estimate from recent checkins; null if nothing is known.
    pub expected_wait_seconds: Option<u64>,
    /// The place is lost at about this time unless it is polled.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The further products that it waits for; `position` is then the place that is furthest back.
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
    /// The state of the ticket.
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
    /// Why others are served before it at present, if they are, while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<PassedOver>,
    /// Why nothing is granted now, to this request or any other, if that is so, while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants_nothing: Option<crate::GrantsNothing>,
    /// Why it was refused, when denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<crate::Reason>,
    /// The id of the decision, which `usher why` takes, when denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// The lease, when granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// The further products that it waits or waited for; when granted, those that are held with the
    /// lease.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
}

/// Why a waiting request is passed over: it asks for more seats than there are, in use or not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PassedOver {
    /// The reason in a sentence.
    pub why: String,
    /// About when it is refused with `impossible` if nothing changes; null if seats that are owned
    /// already become valid later.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub denied_at: Option<Timestamp>,
}

/// The state of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// It has a place in the queue.
    Waiting,
    /// A seat is held for it.
    Granted,
    /// Nobody polled it in time, or the granted seat was not fetched in time.
    Expired,
    /// The request was withdrawn.
    Cancelled,
    /// It was refused after it had waited; older callers get `cancelled`.
    Denied,
}

/// An item of `GET /v1/queue`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QueueEntry {
    /// Ticket id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// The name of the person who waits.
    pub user: String,
    /// The computer that the seat is for.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// The priority; a higher one is served first.
    pub priority: i8,
    /// Place in the queue, from 1.
    pub position: u32,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// The first of the tickets that it waits with, itself or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Estimate from recent checkins; null if nothing is known.
    pub expected_wait_seconds: Option<u64>,
}
