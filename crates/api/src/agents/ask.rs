//! What an agent reports and asks for in an exchange with its server.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{UnreachedStarts, Watching};

/// The largest number of items in one request.
pub const SYNC_ITEMS_LIMIT: usize = 1_000;

/// `POST /v1/agents/sync`: an agent's reports and requests.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest<'a> {
    /// The computer and its attributes.
    #[serde(borrow, deserialize_with = "crate::object::one")]
    pub computer: ComputerFacts<'a>,
    /// The agent's incarnation. It grows whenever the agent starts with empty state (for example
    /// Unix milliseconds of that start); sequence numbers then begin again at 1.
    pub incarnation: u64,
    /// The version of the policy that the agent has; the answer contains a newer one.
    #[serde(default)]
    pub policy_version: u64,
    /// What happened, oldest first, with ascending sequence numbers; at most 1,000.
    #[serde(default, borrow)]
    pub items: Vec<SyncItem<'a>>,
}

/// A computer and how its agent watches it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputerFacts<'a> {
    /// The id that its agent made.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its host name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// A keyed hash of the machine id, so that a cloned disk can be noticed.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Cow<'a, str>>,
    /// The agent's version.
    #[serde(default, borrow)]
    pub agent_version: Cow<'a, str>,
    /// How it sees programs.
    #[serde(default)]
    pub watching: Watching,
    /// Starts that it allowed when it last could reach no server, if that was recently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<UnreachedStarts>,
    /// Why no start is refused on the computer, if enforcement is off.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub enforcement_off: Option<Cow<'a, str>>,
    /// How many sessions run on the computer without a seat because the agent gave it back
    /// (`on_idle`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub released: u32,
    /// The last time that a panic ended the agent, if that was recently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<crate::EndedByPanic>,
    /// Panics that ended only one request or item of the agent, since its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caught: Option<crate::CaughtPanics>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// One thing that happened on the computer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncItem<'a> {
    /// Its number within the incarnation, from 1.
    pub sequence: u64,
    /// The item itself.
    #[serde(flatten, borrow)]
    pub action: SyncAction<'a>,
}

/// What an item asks for or reports. `session` is the agent's own number of a session; with the
/// computer's id it identifies a use of a product before, while and after it has a lease.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SyncAction<'a> {
    /// Seats for a session. Without a free seat the session is *unseated*, or refused if it
    /// asks with `gate`. May be asked again for an unseated session.
    Checkout(#[serde(borrow)] SessionCheckout<'a>),
    /// The session goes on: its lease, or its entry as unseated, lives for another ttl.
    Renew {
        /// The agent's number of the session.
        session: u64,
        /// For how many seconds nobody has touched its programs, as their terminals and displays
        /// tell; null if that is not known, as of products that say nothing of idle programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        untouched_seconds: Option<u64>,
    },
    /// The session no longer needs its seat.
    Checkin {
        /// The agent's number of the session.
        session: u64,
    },
    /// The session goes on without its seat, because nobody uses its programs (`on_idle`).
    Released {
        /// The agent's number of the session.
        session: u64,
    },
    /// A session has ended; for the record.
    Finished(#[serde(borrow)] FinishedSession<'a>),
    /// Programs of no product since the last such item.
    Programs {
        /// Programs, their starts and for how long they ran; at most 1,000.
        #[serde(borrow)]
        counts: Vec<ProgramStarts<'a>>,
    },
}

/// Seats for a session that an agent sees.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionCheckout<'a> {
    /// The agent's number of the session.
    pub session: u64,
    /// Product id.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// The person who is counted.
    #[serde(borrow)]
    pub subject: Subject<'a>,
    /// How many seats; usually 1.
    #[serde(default = "one")]
    pub seats: u32,
    /// Seconds that the lease lives without renewal.
    pub ttl_seconds: u32,
    /// The lease that the session holds and that the server seems not to know: a server that was
    /// restored from a snapshot older than the grant takes it over. Sent only to a server that has
    /// told its `incarnation`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub held: Option<ShownLease<'a>>,
    /// The program is held before its first instruction until this is answered, and runs only
    /// with a seat: if none is free the answer is `denied`, the refusal is kept like that of
    /// any checkout, and the session is not entered as unseated. Counts for products in mode
    /// `enforce` only. Only for a server that has told its `incarnation`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gate: bool,
    /// A lease of this person for this computer and product that is kept for a start
    /// (`program.name` `(kept)`), or was granted to a ticket: the session takes it over instead of
    /// asking for a seat of its own. If that is no longer possible, it asks for one. Only for a
    /// server that has told its `incarnation`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Cow<'a, str>>,
    /// The program that began it, by file name: shown while the session runs. Only for a server
    /// that has told its `incarnation`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub program: Option<Cow<'a, str>>,
}

/// A lease that an agent holds, as it knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownLease<'a> {
    /// Lease id.
    #[serde(borrow)]
    pub lease: Cow<'a, str>,
    /// When it was granted.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Seconds that it still lives without renewal, 1 or more.
    pub remaining_seconds: u32,
}

fn one() -> u32 {
    1
}

/// A person: an account in a realm. Two computers may give one person two ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject<'a> {
    /// The realm: a directory's name, which compares accounts without case, or `computer:ID` for
    /// a computer's own accounts, which are compared exactly.
    #[serde(borrow)]
    pub authority: Cow<'a, str>,
    /// The number of the account on the computer, such as a uid. It does not identify the person.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// The account.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// A session that has ended.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FinishedSession<'a> {
    /// The agent's number of the session.
    pub session: u64,
    /// Product id.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// The program that began it, by file name.
    #[serde(borrow)]
    pub program: Cow<'a, str>,
    /// Its version, if a package tells it.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// Who is counted: the login uid if it is set, else the real uid.
    #[serde(borrow)]
    pub subject: Subject<'a>,
    /// The account that it ran as, if that is another.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub real_subject: Option<Subject<'a>>,
    /// When it began, by the computer's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended, by the computer's clock.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it lasted on a clock that nobody sets, in whole seconds.
    pub duration_seconds: u64,
    /// The same in milliseconds; sums of use are made from it. If it is missing, the whole seconds
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// For how many of these milliseconds it had no seat; without it, all if `lease` is null, and
    /// none otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseated_ms: Option<u64>,
    /// The lease that it held last; null if it ran unseated.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Cow<'a, str>>,
    /// The sender's incarnation in which it was first reported, if that is an earlier one. A
    /// session is recorded once for a computer, an incarnation and its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
}

/// What was seen of one program that belongs to no product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramStarts<'a> {
    /// The file name, without its folder.
    #[serde(borrow)]
    pub program: Cow<'a, str>,
    /// How many starts were seen since the last report.
    pub starts: u64,
    /// Seconds in which at least one instance of it ran on this computer.
    #[serde(default, skip_serializing_if = "is_none_run")]
    pub run_seconds: u64,
    /// The package that installed its file.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Cow<'a, str>>,
    /// The name under which desktops show it: that of the entry that starts it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub desktop_name: Option<Cow<'a, str>>,
}

fn is_none_run(seconds: &u64) -> bool {
    *seconds == 0
}
