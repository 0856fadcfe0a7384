//! What happened: sessions, refusals, waits, decisions and programs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Only, Price, Reason};

/// One run of a product by a user on a computer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Session id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// The program that began it, by file name.
    pub program: Option<String>,
    /// The person who is counted.
    pub user: String,
    /// The realm of that user: a directory's name, `computer:ID` for a computer's own accounts,
    /// `local` or `usher`.
    pub authority: String,
    /// The account that the program ran as, if it is a different one (sudo, su).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_user: Option<String>,
    /// The computer's name.
    pub computer: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended; null while it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// How long it lasted, or lasts so far, in whole seconds.
    pub duration_seconds: u64,
    /// For how many of these seconds it had no seat. For a session that runs and has a seat now,
    /// this is known only when it has ended.
    #[serde(default)]
    pub unseated_seconds: u64,
    /// The lease that it held; null if it ran unseated.
    pub lease: Option<String>,
}

/// An item of `GET /v1/usage`: a product's use in a period.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Product id.
    pub product: String,
    /// Sessions that ran within the period.
    pub sessions: u64,
    /// How many of them run now.
    pub running: u64,
    /// How many of them ran without a seat for some or all of their time.
    pub unseated: u64,
    /// Different users.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// The sum of their durations within the period, in whole seconds.
    pub total_seconds: u64,
    /// How much of that was without a seat, in whole seconds.
    #[serde(default)]
    pub unseated_seconds: u64,
    /// When it was last in use, also outside the period if it was not used within it. Null: never,
    /// as far as records are kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// Why its use may go unseen; null: agents can see it. Only with `owned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<UnseenUse>,
    /// Whether the product has been removed.
    #[serde(default, skip_serializing_if = "is_not")]
    pub removed: bool,
    /// Seats that are owned now, without overdraft. Only with `owned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<u64>,
    /// What is paid for the entitlements that are valid now: a sum for each currency and period.
    /// Only with `owned`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
}

/// Why use of a product that asks for no seat may go unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnseenUse {
    /// It has no program rule that could begin a session.
    NoProgramRule,
    /// No agent reported within the period.
    NotWatched,
}

fn is_not(said: &bool) -> bool {
    !said
}

fn is_none(seats: &u64) -> bool {
    *seats == 0
}

/// An item of `GET /v1/usage/users`: a person's use within a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserUsage {
    /// The person who is counted.
    pub user: String,
    /// The realm of that user.
    pub authority: String,
    /// Different products.
    pub products: u64,
    /// Sessions that ran within the period.
    pub sessions: u64,
    /// How many of them run now.
    pub running: u64,
    /// Different computers.
    pub computers: u64,
    /// The sum of their durations within the period, in whole seconds.
    pub total_seconds: u64,
    /// How much of that was without a seat, in whole seconds.
    pub unseated_seconds: u64,
    /// When the person last used any product.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// An item of `GET /v1/usage/days`: the use on one day, or on the part of it that lies within the
/// period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayUsage {
    /// The day, such as `2026-11-30`.
    pub day: String,
    /// The first instant of the day.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first instant after the day.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Sessions that ran on that day.
    pub sessions: u64,
    /// Different users.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// Different products.
    pub products: u64,
    /// The sum of their durations on that day, in whole seconds.
    pub total_seconds: u64,
    /// How much of that was without a seat, in whole seconds.
    pub unseated_seconds: u64,
}

/// An item of `GET /v1/programs`: a program of no product, counted without any person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProgramCount {
    /// The file name. `(other)` stands for all programs that were first seen after the table was
    /// full.
    pub program: String,
    /// Starts that agents saw.
    pub starts: u64,
    /// Seconds in which it ran, the sum over all computers.
    #[serde(default)]
    pub run_seconds: u64,
    /// The package that installed it, if a computer knows it. If computers differ, one of their
    /// answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The name under which desktops show it, if a computer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desktop_name: Option<String>,
    /// Computers that it was seen on.
    pub computers: u64,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// An item of `GET /v1/denials`. Repeats within a minute are one item with a count.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Denial {
    /// The id of the decision, which `usher why` takes.
    pub decision_id: String,
    /// Product id.
    pub product: String,
    /// The person who asked.
    pub user: String,
    /// The computer that the seat was for.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused.
    pub reason: Reason,
    /// How often the request was made and refused.
    pub count: u64,
    /// The first refusal.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// The last refusal.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// An item of `GET /v1/waits`: a request that waited in the queue, and got no seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitInVain {
    /// The id of the decision that it was to wait, which `usher why` takes.
    pub decision_id: String,
    /// Product id.
    pub product: String,
    /// The person who asked.
    pub user: String,
    /// The computer that the seat was for.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// What became of it.
    pub outcome: WaitOutcome,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// When the wait ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it waited, in whole seconds.
    pub waited_seconds: u64,
}

/// How a wait ended without a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitOutcome {
    /// The requester left the queue, for example because the longest wait that it wanted was over.
    GaveUp,
    /// Nobody polled the ticket any more, for example because the program was killed.
    TimedOut,
    /// A seat was granted, and nobody fetched it.
    NotFetched,
    /// The product was removed, and its queue with it.
    ProductRemoved,
}

/// `GET /v1/decisions/{id}`: the reasons for a decision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Decision id.
    pub decision_id: String,
    /// `granted`, `queued` or `denied`.
    pub decision: String,
    /// Product id.
    pub product: String,
    /// The person who asked.
    pub user: String,
    /// The computer that the seat was for.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// The further products of the same request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<crate::Also>,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why it was refused, or queued instead of granted.
    pub reason: Option<Reason>,
    /// The rule that decided, in words.
    pub rule: String,
    /// Seats that could be in use just before the decision, overdraft included.
    pub seats_total: u64,
    /// Seats in use just before the decision.
    pub seats_in_use: u64,
    /// Of these, seats that were only kept for somebody's next start.
    #[serde(default, skip_serializing_if = "is_none")]
    pub seats_kept: u64,
    /// Requests in the queue just before the decision.
    pub queued: u64,
    /// Who held the seats at that instant, computed from the lease history; at most 1,000. A token
    /// that sees only its own data gets others' names only if the product shows its holders.
    pub holders: Vec<Holder>,
    /// How many leases held the seats at that instant, if not all of them are named: at most 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed_leases: Option<u64>,
    /// Since when the oldest of the leases of that instant was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub longest_since: Option<Timestamp>,
    /// What would have to change for another answer, in words.
    pub what_would_help: Vec<String>,
    /// The lease that was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// How that lease ended; null while it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<LeaseEnd>,
    /// How often others joined that lease since the server's start.
    #[serde(default, skip_serializing_if = "crate::checkout::is_never")]
    pub joined: u64,
    /// The ticket of the queued request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Whose decisions alone are shown, if the token may not see those of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

/// How a lease ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseEnd {
    /// When the lease ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `checked_in`: it was given back; `expired`: it was not renewed in time; `unclaimed`: it was
    /// granted to a ticket and not fetched, so it was no use; `idle`: nobody used the program, which runs on.
    pub cause: String,
}

/// A person who held seats at the instant of a decision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Holder {
    /// Lease id.
    pub lease: String,
    /// The person who held it.
    pub user: String,
    /// The computer that the seat was for.
    pub computer: String,
    /// Seats held.
    pub seats: u32,
    /// When the lease was granted.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// When the lease ended; null while it is held.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Whether the seats were only kept for the holder's next start at that instant.
    #[serde(default, skip_serializing_if = "is_not")]
    pub kept: bool,
}
