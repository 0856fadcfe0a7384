//! What the ledger keeps: products, entitlements, allotments, leases, tickets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::validity::Bound;

/// What the ledger must know of a product to decide; the rest of it (program rules, mode) is
/// carried as `document` and never looked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSpec {
    /// The product's id, for people.
    pub id: Arc<str>,
    /// Whether seats are handed out at all.
    pub enabled: bool,
    /// The longest ttl that a checkout may ask for, in seconds.
    pub max_ttl_seconds: u32,
    /// How many may wait at once.
    pub queue_limit: u32,
    /// Whether the sessions of one subject on several computers share one lease.
    pub shared_by_subject: bool,
    /// Seconds after which a waiting request is refused for which there are not enough seats at
    /// all, in use or not; 1 or more.
    pub impossible_seconds: u32,
    /// The product as it is shown, opaque here.
    pub document: Arc<str>,
}

/// Seats that this ledger may grant from: the only way for seats to come in. A lone server lends
/// an entitlement's seats to itself, without a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allotment {
    /// Its number within the ledger.
    pub number: AllotmentNumber,
    /// Of which product.
    pub product: ProductNumber,
    /// Of which entitlement.
    pub entitlement: EntitlementNumber,
    /// Seats, overdraft included.
    pub seats: u32,
    /// With what validity begins; none: always was.
    pub from: Option<Bound>,
    /// With what validity ends; none: never.
    pub to: Option<Bound>,
    /// When a loan ends; none: it is this server's own.
    pub deadline: Option<Steady>,
}

/// Seats of one lease out of one allotment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// From which allotment.
    pub allotment: AllotmentNumber,
    /// How many seats it takes from there.
    pub seats: u32,
}

/// An agent's session, as the agent numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// Where it runs.
    pub computer: ComputerId,
    /// The agent's number.
    pub session: u64,
    /// The agent's incarnation: numbers may come again with another. 0 if it was not kept.
    pub incarnation: u64,
}

/// The leases or tickets of an ask for several products: one for each, with numbers that follow
/// one another. They are granted together or not at all, and renewed, ended and passed over
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The first, of the product that was named first: who asked knows the bundle by its id.
    pub first: EventNumber,
    /// How many they are, 2 to [`crate::ledger::BUNDLE_LIMIT`].
    pub count: u8,
}

impl Bundle {
    /// The numbers of all that are one with `number`, itself among them: those of its bundle, or it
    /// alone.
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

/// Another product of the same ask, and the seats asked for of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// The product.
    pub product: ProductNumber,
    /// Seats, 1 or more.
    pub seats: u32,
}

/// What is said as the program of a seat that is kept for a start to come.
pub const KEPT: &str = "(kept)";

/// A seat, or several, held by someone until a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its id; its number is that of the event that granted it.
    pub id: LeaseId,
    /// Of which product.
    pub product: ProductNumber,
    /// Who is counted.
    pub subject: SubjectId,
    /// Where it is used.
    pub computer: ComputerId,
    /// Seats held.
    pub seats: u32,
    /// Seconds that it lives without renewal.
    pub ttl_seconds: u32,
    /// When it ends without renewal.
    pub deadline: Steady,
    /// When it was granted.
    pub granted_at: Wall,
    /// The same instant for durations.
    pub granted: Steady,
    /// The allotments that its seats come from; one, as a rule.
    pub draws: SmallVec<[Draw; 1]>,
    /// The agent's session that asked, if one did.
    pub session: Option<SessionKey>,
    /// The ticket that waited for it, if one did.
    pub ticket: Option<TicketId>,
    /// The sessions that hold it, in order, if a subject's sessions share it; else empty.
    pub holders: Box<[SessionKey]>,
    /// Whether a reboot has already given it its one grace.
    pub graced: bool,
    /// The program that it is for, if that was said.
    pub program: Option<Arc<str>>,
    /// The leases that it is held with, if several products were asked for at once.
    pub bundle: Option<Bundle>,
}

/// How seats were asked for: what is kept of it beside the decision, for what is worked out of
/// it later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Whether it would wait if no seat is free.
    pub waits: bool,
    /// The refusal that it comes after: of the same person, computer and product, at most
    /// [`crate::ledger::RETRY_SECONDS`] ago.
    pub repeats: Option<EventNumber>,
    /// What else was asked for at once; empty if it was one product.
    pub also: Box<[Other]>,
}

/// Who has changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Its id: of a token or of a person's surrogate, never a name. Empty for the system.
    pub id: Arc<str>,
    /// The request, as it is told to who sent it.
    pub request: u64,
}

/// What kind of actor has changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActorKind {
    /// Somebody who signed in.
    Person,
    /// Whoever holds a token.
    Token,
    /// A computer's agent.
    Agent,
    /// Usher itself.
    System,
}

/// The counts of a product at the instant of a decision, before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// Seats that might be in use, overdraft included.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
    /// Requests that waited.
    pub queued: u32,
}

/// A refused checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The id of the decision, which `usher why` takes.
    pub id: DecisionId,
    /// Of which product.
    pub product: ProductNumber,
    /// Who asked.
    pub subject: SubjectId,
    /// The computer that asked.
    pub computer: ComputerId,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused.
    pub reason: Reason,
    /// The counts at that instant.
    pub scene: Scene,
}

/// A program that runs without a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseated {
    /// Of which product.
    pub product: ProductNumber,
    /// Who runs it.
    pub subject: SubjectId,
    /// Which session.
    pub session: SessionKey,
    /// Seconds that the entry lives without renewal.
    pub ttl_seconds: u32,
    /// When it is forgotten without renewal.
    pub deadline: Steady,
    /// Why it has no seat.
    pub reason: Reason,
}

/// What a computer saw of a program of no product since it last told of it. Without any person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramUse {
    /// File name.
    pub program: Box<str>,
    /// How often it was started.
    pub starts: u64,
    /// Seconds in which at least one of it ran, as far as looks now and then tell.
    pub run_seconds: u64,
    /// The package that its file came with, if that is known.
    pub package: Option<Box<str>>,
    /// What desktops show it as, if that is known.
    pub desktop_name: Option<Box<str>>,
}

/// A session that has ended, as its agent told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedSession {
    /// Which session, in the incarnation in which it was first reported.
    pub session: SessionKey,
    /// Of which product.
    pub product: ProductNumber,
    /// The program that began it, by file name.
    pub program: Box<str>,
    /// Its version, if known.
    pub version: Option<Box<str>>,
    /// Who is counted.
    pub subject: SubjectId,
    /// The account that it ran as, if that is another.
    pub real_subject: Option<SubjectId>,
    /// When it began.
    pub started_at: Wall,
    /// When it ended.
    pub ended_at: Wall,
    /// How long it lasted, in milliseconds, on a clock that nobody sets.
    pub duration_ms: u64,
    /// For how many of these milliseconds it had no seat.
    pub unseated_ms: u64,
    /// The lease that it held last.
    pub lease: Option<LeaseId>,
}

/// A person in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The surrogate that every other record holds.
    pub id: SubjectId,
    /// The realm, as it is compared.
    pub authority: Arc<str>,
    /// The account, as it is compared.
    pub key: Arc<str>,
    /// The account as it was written first.
    pub name: Arc<str>,
}

/// A computer in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computer {
    /// The surrogate that every other record holds.
    pub id: ComputerId,
    /// The id that its agent made, or the name that a request gave.
    pub key: Arc<str>,
    /// Its name, for people.
    pub name: Arc<str>,
    /// What its agent told: opaque here.
    pub document: Arc<str>,
}

/// A lease that its holder shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The id that it had.
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
