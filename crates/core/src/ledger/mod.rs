//! The ledger: seats, who holds them and who waits, as one deterministic machine.
//!
//! [`Ledger::apply`] decides: it is told the time and a [`Command`], changes the ledger and
//! answers. Each change is an [`Event`]; those of the commands since the last seal are a
//! [`Batch`]. The shell makes a batch durable and then releases the answers; if it definitely
//! failed, [`Ledger::undo`] takes the whole batch back. A ledger is rebuilt by [`Ledger::absorb`]
//! from recorded events, which decides nothing.
//!
//! It promises I1 (no grant makes the seats in use exceed those that were lent) and I4 (who waits
//! is served by priority, then arrival, as soon as a seat is free that it may use).

mod agents;
mod apply;
mod asks;
mod batch;
mod canary;
mod catalogue;
mod forget;
mod judge;
mod kept;
mod lean;
mod pause;
mod queue;
mod restore;
mod state;
mod time;
mod views;
mod words;

pub use agents::adopt::ADOPTIONS_LIMIT;
pub use asks::asker::{CROWD_LIMIT, OTHERS};
pub use asks::bundle::BUNDLE_LIMIT;
pub use kept::denials::{FOLD_SECONDS, FOLDS_LIMIT, RETRY_SECONDS, VARIANTS_LIMIT};
pub use kept::directory::{Computers, Subjects};
pub use kept::lent::{DRIFT_MARGIN_MS, Lent};
pub use kept::memory::{KEPT_SECONDS, KEYS_LIMIT};
pub use kept::pool::{Listing, Pool};
pub use lean::{Lean, LeanAsk, LeanReply};
pub use queue::review::DEFAULT_IMPOSSIBLE_SECONDS;
pub use restore::{Repeated, Snapshot};
pub use time::{
    CLAIM_SECONDS, DEFAULT_TTL_SECONDS, EXPIRIES_PER_COMMAND, FORGET_SECONDS, GRACE_SECONDS,
    KEEP_SECONDS,
};
pub use words::command::*;
pub use words::details::Details;
pub use words::entitlement::{Entitlement, Model};
pub use words::event::{Batch, EndCause, Event};
pub use words::ids::*;
pub use words::reasons::{Reason, Refused};
pub use words::records::*;
pub use words::reply::*;
pub use words::ticket::*;
pub use words::validity::{Bound, Validity, takes_over};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use forget::Named;
use kept::denials::Denials;
use kept::details::Described;
use kept::leases::Leases;
use kept::memory::Memory;
use kept::pools::Pools;
use kept::seatings::{Seating, Seatings};
use state::undo::Undo;

/// How far the items of an agent are applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// The agent's incarnation.
    pub incarnation: u64,
    /// The highest sequence number that is applied.
    pub sequence: u64,
}

/// Products, entitlements, leases and queues in memory, as the events of the journal made them.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    incarnation: Incarnation,
    hold_until: Option<Steady>,
    paused: bool,
    /// The number of the event by which this life began; 0 in the first.
    life_began: u64,
    adopted: BTreeSet<LeaseId>,
    next_number: u64,
    catalogue_version: u64,
    pools: Pools,
    product_by_id: FxHashMap<Arc<str>, ProductNumber>,
    entitlements: BTreeMap<EntitlementNumber, Entitlement>,
    described: Described,
    leases: Leases,
    lease_deadlines: BTreeSet<(Steady, EventNumber)>,
    /// Leases that the sessions of one subject share.
    shared: FxHashMap<(ProductNumber, SubjectId), EventNumber>,
    sessions: Seatings,
    unseated_deadlines: BTreeSet<(Steady, SessionKey)>,
    tickets: FxHashMap<EventNumber, Ticket>,
    ticket_due: BTreeSet<(Steady, EventNumber)>,
    subjects: Subjects,
    computers: Computers,
    marks: FxHashMap<ComputerId, Mark>,
    denials: Denials,
    memory: Memory,
    named: Option<Named>,
    // The batch that is being built.
    now: Now,
    first_number: u64,
    events: Vec<Event>,
    undos: Vec<Undo>,
}

impl PartialEq for Ledger {
    /// Whether two ledgers are in the same state, whatever batch each is building.
    fn eq(&self, other: &Ledger) -> bool {
        self.incarnation == other.incarnation
            && self.hold_until == other.hold_until
            && self.paused == other.paused
            && self.life_began == other.life_began
            && self.adopted == other.adopted
            && self.next_number == other.next_number
            && self.catalogue_version == other.catalogue_version
            && self.pools == other.pools
            && self.product_by_id == other.product_by_id
            && self.entitlements == other.entitlements
            && self.described == other.described
            && self.leases == other.leases
            && self.lease_deadlines == other.lease_deadlines
            && self.shared == other.shared
            && self.sessions == other.sessions
            && self.unseated_deadlines == other.unseated_deadlines
            && self.tickets == other.tickets
            && self.ticket_due == other.ticket_due
            && self.subjects == other.subjects
            && self.computers == other.computers
            && self.marks == other.marks
            && self.denials == other.denials
            && self.memory == other.memory
    }
}

impl Ledger {
    /// An empty ledger whose ids begin with `incarnation`.
    pub fn new(incarnation: Incarnation) -> Ledger {
        Ledger {
            incarnation,
            next_number: 1,
            first_number: 1,
            ..Ledger::default()
        }
    }
}
