//! What the ledger keeps: products, entitlements, allotments, leases, tickets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::validity::Bound;

/// What the ledger needs to know about a product. The rest (program rules, mode and the like) is in
/// `document`, which the ledger stores and does not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSpec {
    /// The product's id, for people.
    pub id: Arc<str>,
    /// Whether seats are granted at all.
    pub enabled: bool,
    /// The longest ttl that a checkout may ask for, in seconds.
    pub max_ttl_seconds: u32,
    /// How many requests may wait at one time; further ones are refused.
    pub queue_limit: u32,
    /// Whether the sessions of one subject on several computers share one lease.
    pub shared_by_subject: bool,
    /// Seconds, 1 or more, after which a waiting request is refused if it asks for more seats than
    /// there are, in use or not.
    pub impossible_seconds: u32,
    /// The whole product as JSON, which the ledger does not read.
    pub document: Arc<str>,
}

/// Seats that this ledger may grant. All seats come from allotments: a server of its own lends
/// itself the seats of an entitlement, without a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allotment {
    /// Its number within the ledger.
    pub number: AllotmentNumber,
    /// The product.
    pub product: ProductNumber,
    /// The entitlement that the seats belong to.
    pub entitlement: EntitlementNumber,
    /// Seats, overdraft included.
    pub seats: u32,
    /// The first instant at which it is valid; none: it always was.
    pub from: Option<Bound>,
    /// The first instant at which it is no longer valid; none: it never ends.
    pub to: Option<Bound>,
    /// When a loan ends, on the ledger's clock; none: the seats are this server's own.
    pub deadline: Option<Steady>,
}

/// How many seats of a lease come from one allotment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The allotment.
    pub allotment: AllotmentNumber,
    /// How many seats come from it.
    pub seats: u32,
}

/// An agent's session, as the agent numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// The computer on which it runs.
    pub computer: ComputerId,
    /// The number that the agent gave it.
    pub session: u64,
    /// The agent's incarnation; each incarnation numbers its sessions from 1. 0 if it was not
    /// recorded.
    pub incarnation: u64,
}

/// The leases or tickets of one request for several products: one for each product, with
/// consecutive numbers. They are granted together or not at all, and renewed, ended and passed over
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The number of the first one, for the product that the request names first. Its id stands for
    /// the bundle.
    pub first: EventNumber,
    /// How many there are, 2 to [`crate::ledger::BUNDLE_LIMIT`].
    pub count: u8,
}

impl Bundle {
    /// All numbers of the bundle that `number` belongs to; `number` alone if it belongs to none.
    pub fn all_of(
        bundle: Option<Bundle>,
        number: EventNumber,
    ) -> impl Iterator<Item = EventNumber> {
        let alone = bundle.is_none().then_some(number);
        alone
            .into_iter()
            .chain(bundle.into_iter().flat_map(Bundle::numbers))
    }

    /// The numbers of its leases or tickets.
    pub fn numbers(self) -> impl Iterator<Item = EventNumber> {
        let first = self.first.0;
        (first..first.saturating_add(u64::from(self.count))).map(EventNumber)
    }
}

/// A further product of the same request, and how many seats of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// The product.
    pub product: ProductNumber,
    /// Seats, 1 or more.
    pub seats: u32,
}

/// The program name that marks a seat that is kept for a later start.
pub const KEPT: &str = "(kept)";

/// A seat, or several, held by someone until a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its id; its number is that of the event that granted it.
    pub id: LeaseId,
    /// The product.
    pub product: ProductNumber,
    /// The person whose use is counted.
    pub subject: SubjectId,
    /// The computer on which it is used.
    pub computer: ComputerId,
    /// Seats held.
    pub seats: u32,
    /// Its ttl: seconds that it lives without renewal.
    pub ttl_seconds: u32,
    /// When it ends without renewal, on the ledger's clock.
    pub deadline: Steady,
    /// When it was granted.
    pub granted_at: Wall,
    /// The same instant on the ledger's clock, for durations.
    pub granted: Steady,
    /// The allotments that its seats come from; usually one.
    pub draws: SmallVec<[Draw; 1]>,
    /// The agent's session that asked for it; none: it was checked out by name.
    pub session: Option<SessionKey>,
    /// The ticket that waited for it; none: it was granted at once.
    pub ticket: Option<TicketId>,
    /// The sessions that hold it, in order, if several sessions of the person share it; else empty.
    pub holders: Box<[SessionKey]>,
    /// Whether it has already had its one grace period after a reboot.
    pub graced: bool,
    /// The program that it is for, if the request named one.
    pub program: Option<Arc<str>>,
    /// The leases that it is held with, if the request was for several products.
    pub bundle: Option<Bundle>,
}

/// How seats were asked for: recorded with the decision, for later reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Whether the request would wait if no seat is free.
    pub waits: bool,
    /// The earlier refusal that it repeats: of the same person, computer and product, at most
    /// [`crate::ledger::RETRY_SECONDS`] ago.
    pub repeats: Option<EventNumber>,
    /// The further products of the request; empty if it was for one product.
    pub also: Box<[Other]>,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The kind of actor.
    pub kind: ActorKind,
    /// The id of a token or the surrogate of a person, never a name; empty for the system.
    pub id: Arc<str>,
    /// The number of the request, from which the id in its answer is made.
    pub request: u64,
}

/// The kinds of actors that make changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActorKind {
    /// A person who signed in.
    Person,
    /// The bearer of a token.
    Token,
    /// The agent of a computer.
    Agent,
    /// Usher itself.
    System,
}

/// The counts of a product just before a decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// Seats that may be in use, overdraft included.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
    /// Requests in the queue.
    pub queued: u32,
}

/// A refused checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The id of the decision, which `usher why` takes.
    pub id: DecisionId,
    /// The product.
    pub product: ProductNumber,
    /// The person who asked.
    pub subject: SubjectId,
    /// The computer that asked.
    pub computer: ComputerId,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused.
    pub reason: Reason,
    /// The counts just before the refusal.
    pub scene: Scene,
}

/// A session that runs without a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseated {
    /// The product.
    pub product: ProductNumber,
    /// The person who runs it.
    pub subject: SubjectId,
    /// The session.
    pub session: SessionKey,
    /// Seconds that the entry lives without renewal.
    pub ttl_seconds: u32,
    /// When the entry ends without renewal, on the ledger's clock.
    pub deadline: Steady,
    /// Why it has no seat.
    pub reason: Reason,
}

/// What an agent saw of one program that belongs to no product, since its last report. It names no
/// person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramUse {
    /// The file name, without its folder.
    pub program: Box<str>,
    /// How often it was started.
    pub starts: u64,
    /// Seconds in which at least one instance ran, an estimate from samples.
    pub run_seconds: u64,
    /// The package that its file came with, if that is known.
    pub package: Option<Box<str>>,
    /// The name under which desktops show it, if that is known.
    pub desktop_name: Option<Box<str>>,
}

/// A session that has ended, as its agent reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedSession {
    /// The session, in the incarnation in which it was first reported.
    pub session: SessionKey,
    /// The product.
    pub product: ProductNumber,
    /// The program that began it, by file name.
    pub program: Box<str>,
    /// The version of the program, if the agent knows it.
    pub version: Option<Box<str>>,
    /// The person whose use is counted.
    pub subject: SubjectId,
    /// The account that it ran as, if that is not the person who is counted.
    pub real_subject: Option<SubjectId>,
    /// When it began, by the wall clock of its computer.
    pub started_at: Wall,
    /// When it ended, by the wall clock of its computer.
    pub ended_at: Wall,
    /// How long it lasted, in milliseconds, on a clock that nobody can set.
    pub duration_ms: u64,
    /// For how many of these milliseconds it had no seat.
    pub unseated_ms: u64,
    /// The lease that it held last.
    pub lease: Option<LeaseId>,
}

/// A person in the ledger's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The surrogate that every other record holds.
    pub id: SubjectId,
    /// The realm, as it is compared.
    pub authority: Arc<str>,
    /// The account, as it is compared.
    pub key: Arc<str>,
    /// The account as it was first written; shown to people.
    pub name: Arc<str>,
}

/// A computer in the ledger's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computer {
    /// The surrogate that every other record holds.
    pub id: ComputerId,
    /// The id that its agent made, or the name that a request gave.
    pub key: Arc<str>,
    /// Its name, for people.
    pub name: Arc<str>,
    /// The attributes that its agent reported, as JSON, which the ledger does not read.
    pub document: Arc<str>,
}

/// A lease as its holder knows it, shown to a ledger that may have lost it in a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The id of the lease.
    pub lease: LeaseId,
    /// When it was granted, by the holder's clock.
    pub granted_at: Wall,
    /// Seconds that it still lives without renewal, 1 or more.
    pub remaining_seconds: u32,
}

impl Shown {
    /// When it was granted, on both clocks; never later than now.
    pub(in crate::ledger) fn granted(&self, now: Now) -> Now {
        let ago_ms = now.wall.0.saturating_sub(self.granted_at.0).max(0);
        Now {
            steady: Steady(now.steady.0.saturating_sub(ago_ms.unsigned_abs())),
            wall: Wall(now.wall.0.saturating_sub(ago_ms)),
        }
    }
}
