//! Routes of an agent's local socket: notices to the people on its computer, "tell me when it is
//! free", and the reports of session helpers.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::TicketState;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A program was not started.
    Refused,
    /// A seat that was waited for is kept for the next start.
    Free,
    /// A seat that was kept was not used in time, or is lost: others may have it.
    Missed,
    /// The user got a seat in another way, and no longer waits for one.
    Seated,
    /// Nobody has used a program for a long time; the notice says what happens unless somebody
    /// does.
    Idle,
    /// Somebody uses a program again; it keeps its seat, or has got one again.
    InUse,
    /// The seat of a program that nobody used was given back; it runs on.
    Released,
    /// Somebody uses a program again whose seat was given back, and no seat is free.
    Unseated,
    /// The agent ended a program.
    Ended,
    /// A kind that a later version added.
    #[serde(other)]
    Other,
}

/// A notice for a user of a computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// Its id: with `after` it, the same agent lists only later notices.
    pub id: String,
    /// The kind of the notice.
    pub kind: NoticeKind,
    /// Product id.
    pub product: String,
    /// The product's name for people.
    pub product_name: String,
    /// What happened, in a few words.
    pub title: String,
    /// Why, and what to do.
    pub text: String,
    /// The id of the decision, which `usher why` takes; null if no server decided.
    pub decision_id: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whether a seat can be waited for by `POST /v1/notices/{id}/tell-me`.
    pub can_wait: bool,
    /// The ticket, if the account already waits for a seat.
    pub ticket: Option<String>,
}

/// 200 of `GET /v1/notices?wait_seconds=n&after=ID`: those of the account that asks, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Notices {
    /// The notices; none if none came during the wait.
    pub items: Vec<Notice>,
}

/// 200 of `POST /v1/notices/{id}/tell-me` and `POST /v1/products/{id}/tell-me`: who asked is told
/// by a notice when a seat is kept for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TellMeAnswer {
    /// Product id.
    pub product: String,
    /// `waiting`, or `granted`: a seat is kept already, or held.
    pub state: TicketState,
    /// The place in the queue; null if it is not known yet, or if a seat is kept.
    pub ticket: Option<String>,
    /// For how many seconds a seat is kept for the next start once it is free.
    pub claim_seconds: u32,
    /// For how many seconds from this answer on the seat is kept, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_seconds: Option<u32>,
    /// A lease that the user already holds on this computer and that a further start shares. Then
    /// the user waits for no seat, and none is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// `POST /v1/displays` on an agent's local socket: the helper of a graphical session reports how
/// long nobody has touched it. It counts for programs of the account that reports only.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisplaysReport<'a> {
    /// The session's displays by name, 1 to 4: of X11 as `:0`, of Wayland the path of the socket.
    #[serde(borrow)]
    pub displays: Vec<Cow<'a, str>>,
    /// How long there was no input at any of them, in milliseconds.
    pub idle_ms: u64,
}

/// 200 of `POST /v1/displays`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DisplaysAnswer {
    /// How soon the helper should report again, in seconds. Without a report for a little over
    /// twice that time, the displays count as in use.
    pub again_seconds: u32,
}
