//! `POST /v1/agents/sync`: an agent's whole exchange in one request.
//!
//! Each item carries a sequence number that grows by one within the sender's incarnation. The
//! server keeps one high-water mark per sender, for ever: an item at or under the mark is not
//! applied again but answered from the state as it is, so a lost answer costs nothing and an item
//! may come months late.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{KnownProduct, Lease, Product, Reason, UnreachedStarts, Watching};

/// Items a request at the most.
pub const SYNC_ITEMS_LIMIT: usize = 1_000;

/// `POST /v1/agents/sync`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest<'a> {
    /// The computer, by the id that its agent made, with its attributes.
    #[serde(borrow, deserialize_with = "crate::object::one")]
    pub computer: ComputerFacts<'a>,
    /// Grows whenever the agent's own state began again (such as Unix milliseconds of its
    /// creation); sequence numbers begin again at 1 with it.
    pub incarnation: u64,
    /// The version of the policy that the agent has; a newer one comes with the answer.
    #[serde(default)]
    pub policy_version: u64,
    /// What happened, oldest first, sequences ascending; at most 1,000.
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
    /// What it allowed when it last could reach no server, if that is not long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<UnreachedStarts>,
    /// Why no start is refused there, if enforcement is off.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub enforcement_off: Option<Cow<'a, str>>,
    /// How many sessions run there without a seat because nobody used them and it was given back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub released: u32,
    /// The last end of the agent by a panic, if that is not long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<crate::EndedByPanic>,
    /// Panics that ended requests or items of the agent alone, since it was started.
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
    /// What it is.
    #[serde(flatten, borrow)]
    pub action: SyncAction<'a>,
}

/// What an item asks or tells. `session` is the agent's own number for a session: with the
/// computer it names a use of a product before, while and after it has a lease.
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
    /// Who is counted.
    #[serde(borrow)]
    pub subject: Subject<'a>,
    /// Seats, 1 as a rule.
    #[serde(default = "one")]
    pub seats: u32,
    /// Seconds that the lease lives without renewal.
    pub ttl_seconds: u32,
    /// The lease that the session holds and the server seems not to know: if the server was
    /// restored from a snapshot of before the grant, it takes it over. Only for a server that has
    /// told its `incarnation`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub held: Option<ShownLease<'a>>,
    /// The program is held before its first instruction until this is answered, and runs only
    /// with a seat: if none is free the answer is `denied`, the refusal is kept like that of
    /// any checkout, and the session is not entered as unseated. Counts for products in mode
    /// `enforce` only. Only for a server that has told its `incarnation`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gate: bool,
    /// A lease that is kept for this person (`program.name` `(kept)`), or that a ticket of theirs
    /// was granted, for this computer and product: the session takes it over instead of asking for
    /// a seat of its own. Where that is not so any more, it asks as without. Only for a server that
    /// has told its `incarnation`.
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
    /// What the computer knows the account by, such as a uid: it says nothing of who it is.
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
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How long it lasted on a clock that nobody sets, in whole seconds.
    pub duration_seconds: u64,
    /// The same in milliseconds, by which uses are summed; without it, the whole seconds.
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

/// What was seen of one program of no product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramStarts<'a> {
    /// File name, without its folder.
    #[serde(borrow)]
    pub program: Cow<'a, str>,
    /// How many starts were seen since the last report.
    pub starts: u64,
    /// Seconds in which at least one of it ran on this computer.
    #[serde(default, skip_serializing_if = "is_none_run")]
    pub run_seconds: u64,
    /// The package that its file came with.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Cow<'a, str>>,
    /// What desktops show it as: the name of the entry that starts it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub desktop_name: Option<Cow<'a, str>>,
}

fn is_none_run(seconds: &u64) -> bool {
    *seconds == 0
}

/// 200 of `POST /v1/agents/sync`. All of it is on disk.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncAnswer {
    /// The server's id: when it changes, sessions are to be asked for again.
    pub server: String,
    /// Which life of the server's data answers: another after a restore. What was acknowledged
    /// in a former life may be gone; `before` says how much is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// How far the sender's items were on disk before this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<SyncMark>,
    /// The highest sequence that is on disk: nothing up to it need be sent again.
    pub acknowledged: u64,
    /// What became of each item, in order.
    pub results: Vec<SyncResult>,
    /// The whole policy, if it is newer than the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The key that the server signs its policies with: 64 hexadecimal digits (Ed25519).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_key: Option<String>,
    /// The signature of `policy`, as it stands in this answer: 128 hexadecimal digits, over the
    /// line `usher policy 1` and the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_signature: Option<String>,
}

/// What a server signs for a policy of the text `policy`: nothing else that it may ever sign
/// begins so.
pub fn policy_message(policy: &str) -> Vec<u8> {
    [b"usher policy 1\n", policy.as_bytes()].concat()
}

/// How far a sender's items are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncMark {
    /// The sender's incarnation; 0 if it never reported.
    pub incarnation: u64,
    /// The highest sequence of it.
    pub sequence: u64,
}

/// What became of an item.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncResult {
    /// The item's sequence.
    pub sequence: u64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: SyncOutcome,
}

/// What became of an item. An item that was applied before is answered from the state as it is,
/// and decides nothing: a refused session that has no seat is `denied` for as long as its refusal
/// may repeat, a minute, and `unknown_session` then. Only an item with a new number asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SyncOutcome {
    /// The session has a lease.
    Granted {
        /// Lease id.
        lease: String,
        /// Seconds from this answer on that it lives without renewal.
        ttl_seconds: u32,
    },
    /// The session runs without a seat.
    Unseated {
        /// Why there was no seat.
        reason: Reason,
        /// Nothing was decided: nobody is granted anything for now (the server is paused, or was
        /// restored). The session has lost nothing for good, and is to be asked for again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undecided: bool,
    },
    /// The lease or unseated entry lives on.
    Renewed {
        /// Seconds from this answer on that it lives without renewal.
        ttl_seconds: u32,
    },
    /// It is recorded.
    Done,
    /// The server has no such session (any more): ask again.
    UnknownSession,
    /// The server has no such product.
    UnknownProduct,
    /// The session asked with `gate` and has no seat: its program must not run. A session that
    /// was unseated before stays so.
    Denied {
        /// Why the start was refused.
        reason: Reason,
        /// The id of the decision, which `usher why` takes.
        decision_id: String,
        /// The same in words, and what to do.
        detail: String,
    },
    /// The session asked with `gate`, and the server grants nothing for now (it is paused, or was
    /// restored): nothing was decided. An agent goes by the product's `on_unreachable`.
    Undecided,
    /// The item cannot be understood; it is not to be sent again.
    Rejected {
        /// What is wrong with the item, in a sentence.
        detail: String,
    },
}

/// What agents go by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Grows with each change.
    pub version: u64,
    /// All products. What a later version says of them is passed over.
    #[serde(deserialize_with = "as_far_as_known")]
    pub products: Vec<Product>,
}

fn as_far_as_known<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Product>, D::Error> {
    let known = Vec::<KnownProduct>::deserialize(from)?;
    Ok(known.into_iter().map(|known| known.product).collect())
}

/// The header of `GET /v1/agents/leases/{id}` that shows the lease's proof.
pub const LEASE_PROOF_HEADER: &str = "usher-lease-proof";

/// 200 of `GET /v1/agents/leases/{id}`: what a lease is of, and whether who asks may join it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldLease {
    /// Product id.
    pub product: String,
    /// Seats held.
    pub seats: u32,
    /// Whether the proof that was shown is right: then whoever showed it may join.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proven: bool,
    /// Who holds it, and so may join it without a proof; told only if it is of the computer that
    /// asks, or if who asks sees everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LeaseHolder>,
    /// What was granted in one ask with it: who may join the one may join these, by the same proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<HeldAlso>,
}

/// A lease that was granted in one ask with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldAlso {
    /// Lease id.
    pub lease: String,
    /// Product id.
    pub product: String,
}

/// The person who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseHolder {
    /// The realm of the account.
    pub authority: String,
    /// The account.
    pub name: String,
}

/// `POST /v1/covers` on an agent's local socket: a lease covers what a process starts. Only a
/// lease that the server says is held, and of that product, covers anything, and only for its own
/// person or who shows its proof.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverRequest<'a> {
    /// The lease that covers it.
    #[serde(borrow)]
    pub lease: Cow<'a, str>,
    /// The product of the lease.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// The process whose tree is covered; it must belong to who asks.
    pub pid: u32,
    /// The lease's proof, if it is not the lease of who asks.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Cow<'a, str>>,
    /// Whether that process keeps the lease: then its end is the lease's, however it ends.
    #[serde(default)]
    pub keeps: bool,
}

/// `POST /v1/identify` on an agent's local socket: which product would this be?
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifyRequest<'a> {
    /// Absolute path of the executable.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
}

/// 200 of `POST /v1/identify`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IdentifyAnswer {
    /// The product; null if no rule matches.
    pub product: Option<String>,
    /// The rule that matched.
    pub rule: Option<String>,
}

/// `GET /v1/agent` on an agent's local socket.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgentStatus {
    /// The id that it made for this computer.
    pub computer: String,
    /// How it sees programs.
    pub watching: Watching,
    /// What it can miss, in words.
    pub can_miss: Vec<String>,
    /// The metering server.
    pub server: String,
    /// Whether the last exchange with it succeeded.
    pub connected: bool,
    /// Why the last exchange failed, with the cure; null if it succeeded, and from an agent of a
    /// version that does not tell.
    #[serde(default)]
    pub not_connected: Option<String>,
    /// Items on disk that the server does not have yet.
    pub outbox: u64,
    /// Sessions that run now.
    pub sessions: u64,
    /// Leases of sessions that run now.
    pub leases: Vec<Lease>,
    /// Sessions that run without a seat because nobody used them and it was given back.
    #[serde(default)]
    pub released: Vec<ReleasedSession>,
    /// Whether programs are refused on this computer; null from an agent that refuses none.
    #[serde(default)]
    pub enforcement: Option<EnforcementStatus>,
    /// The file systems that its gate holds starts on, and those that it could not; null if no
    /// gate runs.
    #[serde(default)]
    pub marks: Option<Vec<MountMark>>,
    /// How its gate is; null from an agent of a version that does not tell.
    #[serde(default)]
    pub gate: Option<GateStatus>,
    /// Whose accounts it takes for people of a directory; null from an agent of a version that
    /// does not tell.
    #[serde(default)]
    pub people: Option<PeopleStatus>,
}

/// Which directories the accounts of a computer are of. Accounts of any other are the computer's
/// own: whoever has one there is another person on another computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeopleStatus {
    /// The computer's name services besides its own files, in the order in which they are asked.
    pub services: Vec<String>,
    /// Realms of name services, and of domains in names.
    pub realms: Vec<ServiceRealm>,
}

/// The realm of a name service's accounts, or of a domain that stands in names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceRealm {
    /// The service or domain.
    pub name: String,
    /// The realm.
    pub realm: String,
}

/// How an agent's gate is, which holds the starts of enforced products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GateStatus {
    /// There is something to hold: a product is enforced, and enforcement is on.
    pub wanted: bool,
    /// It serves.
    pub serving: bool,
    /// Why it does not, although it is wanted; null: it does, or is about to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// File systems on which it holds starts.
    pub file_systems: u32,
    /// Its guard stands outside the agent's control group. Where it does not, who freezes that
    /// group holds up every start on the computer until it is thawed.
    pub guard_stands_apart: bool,
}

/// A session whose seat was given back because nobody used it (`on_idle`); its programs run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedSession {
    /// Product id.
    pub product: String,
    /// Whose it is, for people.
    pub user: String,
    /// Since when it has no seat.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// A mount that an agent's gate holds starts on, or could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MountMark {
    /// Where it is mounted.
    pub path: String,
    /// Its type, as `ext4`.
    pub fs_type: String,
    /// Why starts from it are not held; null: they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// Whether programs are refused on a computer if no seat is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnforcementStatus {
    /// Products in mode `enforce` are enforced.
    pub on: bool,
    /// Why they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_off: Option<String>,
}

/// `PUT /v1/enforcement` on an agent's local socket, by the computer's administrator.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnforcementRequest {
    /// Products in mode `enforce` are to be enforced on this computer.
    pub on: bool,
}
