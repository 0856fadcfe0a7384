//! The ledger: seats, who holds them and who waits, as one deterministic machine.
//!
//! [`Ledger::apply`] decides: it is told the time and a [`Command`], changes the ledger and
//! answers. Each change is an [`Event`]; those of the commands since the last seal are a
//! [`Batch`]. The shell makes a batch durable and then releases the answers; where it definitely
//! failed, [`Ledger::undo`] takes the whole batch back. A ledger is rebuilt by [`Ledger::absorb`]
//! from recorded events, which decides nothing.
//!
//! It promises I1 (no grant makes the seats in use exceed those that were lent) and I4 (who waits
//! is served by priority, then arrival, as soon as a seat is free that it may use).

mod adopt;
mod asked;
mod asker;
mod bundle;
mod canary;
mod catalogue;
mod claim;
mod command;
mod decide;
mod denials;
mod details;
mod directory;
mod event;
mod forget;
mod ids;
mod memory;
mod pause;
mod pool;
mod records;
mod reply;
mod report;
mod restore;
mod review;
mod seatings;
mod serve;
mod state;
mod tickets;
mod time;
mod validity;

pub use adopt::ADOPTIONS_LIMIT;
pub use asker::{CROWD_LIMIT, OTHERS};
pub use bundle::BUNDLE_LIMIT;
pub use claim::KEPT;
pub use command::*;
pub use denials::{FOLD_SECONDS, FOLDS_LIMIT, RETRY_SECONDS, VARIANTS_LIMIT};
pub use details::Details;
pub use directory::{Computers, Subjects};
pub use event::{Batch, EndCause, Event};
pub use ids::*;
pub use memory::{KEPT_SECONDS, KEYS_LIMIT};
pub use pool::{DRIFT_MARGIN_MS, Lent, Listing, Pool};
pub use records::*;
pub use reply::*;
pub use restore::{Repeated, Snapshot};
pub use review::DEFAULT_IMPOSSIBLE_SECONDS;
pub use time::{
    CLAIM_SECONDS, DEFAULT_TTL_SECONDS, EXPIRIES_PER_COMMAND, FORGET_SECONDS, GRACE_SECONDS,
    KEEP_SECONDS,
};
pub use validity::{Bound, Validity, takes_over};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use denials::Denials;
use details::Described;
use event::Undo;
use forget::Named;
use memory::Memory;
use pool::{Reviewed, ThereIs};
use seatings::{Seating, Seatings};

/// How far a sender's items are applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// The sender's incarnation.
    pub incarnation: u64,
    /// The highest sequence applied.
    pub sequence: u64,
}

/// See the module.
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
    pools: BTreeMap<ProductNumber, Pool>,
    product_by_id: FxHashMap<Arc<str>, ProductNumber>,
    entitlements: BTreeMap<EntitlementNumber, Entitlement>,
    described: Described,
    leases: FxHashMap<EventNumber, Lease>,
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

    /// Carries out one command. What it changes becomes part of the batch that is being built.
    pub fn apply(&mut self, now: Now, command: Command) -> Reply {
        self.now = now;
        // After a reboot a grace comes before any expiry; and before a new life has begun, a seat
        // that comes free must not pass on.
        if !matches!(command, Command::Rebooted | Command::Reincarnate { .. }) {
            self.expire_due();
        }
        match command {
            Command::Checkout(checkout) => self.checkout(checkout),
            Command::Renew { lease, access } => self.renew(lease, &access),
            Command::Checkin { lease, access } => self.checkin(lease, &access),
            Command::Poll {
                ticket,
                access,
                keep_seconds,
            } => self.poll(ticket, &access, keep_seconds),
            Command::Cancel { ticket, access } => self.cancel(ticket, &access),
            Command::Report(report) => self.report(*report),
            Command::PutProduct { spec, new } => self.put_product(spec, new),
            Command::RemoveProduct { product } => self.remove_product(&product),
            Command::AddEntitlement(terms) => self.add_entitlement(&terms),
            Command::ChangeEntitlement { entitlement, terms } => {
                self.change_entitlement(entitlement, &terms)
            }
            Command::RemoveEntitlement { entitlement } => self.remove_entitlement(entitlement),
            Command::Enter { subject, computer } => Reply::Entered {
                subject: subject.map(|asked| self.subject(asked)),
                computer: computer.map(|asked| self.computer(asked)),
            },
            Command::Canary => self.canary(),
            Command::Pause => self.pause(),
            Command::Continue => self.go_on(),
            Command::WatchDirectory { on } => self.watch_directory(on),
            Command::Forget {
                subjects,
                computers,
            } => self.forget(&subjects, &computers),
            Command::Tick => self.promote_all(),
            Command::Rebooted => self.rebooted(),
            Command::Reincarnate {
                incarnation,
                hold_until,
            } => {
                self.emit(Event::Reincarnated {
                    incarnation,
                    hold_until,
                });
                Reply::Done
            }
            Command::Once { key, body, command } => self.once(key, body, *command),
            Command::As { by, command } => {
                let from = self.next_number;
                let reply = self.apply(now, *command);
                let since = usize::try_from(from - self.first_number).unwrap_or(usize::MAX);
                let changed = self.events.iter().skip(since).any(Event::is_change);
                if changed {
                    self.emit(Event::Changed {
                        by,
                        from: EventNumber(from),
                    });
                }
                reply
            }
        }
    }

    fn once(&mut self, key: u128, body: u64, command: Command) -> Reply {
        if let Some(remembered) = self.memory.get(key) {
            return match remembered.body == body {
                true => Reply::Replayed(Box::new(self.with_names((*remembered.reply).clone()))),
                false => Reply::KeyConflict,
            };
        }
        let reply = self.apply(self.now, command);
        // "Nothing yet" is no answer to keep: the same key may succeed when the hold or pause is
        // over. Nor is a name that whoever asks has made up.
        if !matches!(
            reply,
            Reply::Held { .. }
                | Reply::Paused
                | Reply::Replayed(_)
                | Reply::KeyConflict
                | Reply::UnknownOther(_)
                | Reply::NameTaken(_)
        ) {
            let kept = Box::new(reply.clone().without_names());
            self.emit(Event::Remembered {
                key,
                body,
                reply: kept,
            });
        }
        reply
    }

    /// A kept reply with the names, and what is said of entitlements, as they are today.
    fn with_names(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Renewed { lease, also, .. } => self.renewed_reply(lease, also),
            Reply::Ticket { view, .. } => self.ticket_reply(*view),
            Reply::Entitlement(view) => Reply::Entitlement(EntitlementView {
                details: self.described.get(view.entitlement.number),
                ..view
            }),
            other => other,
        }
    }

    /// Ends the batch that was being built. Its events are facts once they are durable.
    pub fn seal(&mut self) -> Batch {
        let batch = Batch {
            first: self.first_number,
            at: self.now,
            events: Arc::from(std::mem::take(&mut self.events)),
        };
        self.undos.clear();
        self.first_number = self.next_number;
        self.denials.prune(self.now.steady);
        self.memory.prune(self.now.steady);
        batch
    }

    /// The events of the batch that is being built.
    pub fn pending(&self) -> &[Event] {
        &self.events
    }

    /// The number of the first event of the batch that is being built.
    pub fn pending_first(&self) -> u64 {
        self.first_number
    }

    /// Takes back the batch that was being built: it is as if its commands had never come.
    pub fn undo(&mut self) {
        while let Some(undo) = self.undos.pop() {
            self.take_back(undo);
        }
        self.events.clear();
        self.next_number = self.first_number;
        for pool in self.pools.values_mut() {
            pool.reviewed = Reviewed::default();
        }
    }

    /// Takes in a recorded event as it was: recovery decides nothing.
    pub fn absorb(&mut self, at: Now, number: EventNumber, event: &Event) {
        self.now = at;
        self.change(number, event);
        self.next_number = number.0 + 1;
        self.first_number = self.next_number;
    }

    fn emit(&mut self, event: Event) {
        let number = EventNumber(self.next_number);
        self.next_number += 1;
        let undo = self.change(number, &event);
        self.undos.push(undo);
        self.events.push(event);
    }

    fn next_lease_id(&self) -> LeaseId {
        LeaseId {
            incarnation: self.incarnation,
            number: EventNumber(self.next_number),
        }
    }

    fn next_ticket_id(&self) -> TicketId {
        TicketId {
            incarnation: self.incarnation,
            number: EventNumber(self.next_number),
        }
    }

    fn next_decision_id(&self) -> DecisionId {
        DecisionId {
            incarnation: self.incarnation,
            number: EventNumber(self.next_number),
        }
    }

    /// Ids of this life begin with it.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The number that the next event will have.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// The number of the last event that changed a product; 0 before the first. It grows with
    /// each change and is never used twice.
    pub fn catalogue_version(&self) -> u64 {
        self.catalogue_version
    }

    /// The product of that id, unless it was removed.
    pub fn product(&self, id: &str) -> Option<(ProductNumber, &Pool)> {
        let number = *self.product_by_id.get(id)?;
        let pool = self.pools.get(&number)?;
        (!pool.listing.removed).then_some((number, pool))
    }

    /// The pool of that number, removed or not.
    pub fn pool(&self, number: ProductNumber) -> Option<&Pool> {
        self.pools.get(&number)
    }

    /// All pools by number, those of removed products too.
    pub fn pools(&self) -> impl Iterator<Item = (ProductNumber, &Pool)> {
        self.pools.iter().map(|(number, pool)| (*number, pool))
    }

    /// All entitlements by number.
    pub fn entitlements(&self) -> impl Iterator<Item = &Entitlement> {
        self.entitlements.values()
    }

    /// The entitlement of that number as it stands.
    pub fn entitlement(&self, number: EntitlementNumber) -> Option<EntitlementView> {
        let entitlement = self.entitlements.get(&number)?;
        let pool = self.pools.get(&entitlement.product)?;
        let lent = pool
            .lent
            .iter()
            .find(|l| l.allotment.number == entitlement.allotment);
        Some(EntitlementView {
            entitlement: entitlement.clone(),
            product: pool.listing.spec.id.clone(),
            in_use: lent.map_or(0, |l| l.in_use),
            details: self.described.get(number),
        })
    }

    /// The lease of that number, while it is held.
    pub fn lease(&self, number: EventNumber) -> Option<&Lease> {
        self.leases.get(&number)
    }

    /// Leases that are held.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// The ticket of that number, while it is kept.
    pub fn ticket(&self, number: EventNumber) -> Option<&Ticket> {
        self.tickets.get(&number)
    }

    /// Who waits for a product, in the order in which they will be served; those who are passed
    /// over stand in their places.
    pub fn waiting(&self, product: ProductNumber) -> impl Iterator<Item = &Ticket> {
        let pool = self.pools.get(&product).into_iter();
        let places = pool.flat_map(Pool::places);
        places.filter_map(|(_, number)| self.tickets.get(&number))
    }

    /// The people that it has heard of.
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// The computers that it has heard of.
    pub fn computers(&self) -> &Computers {
        &self.computers
    }

    /// How far a sender's items are applied.
    pub fn mark(&self, computer: ComputerId) -> Mark {
        self.marks.get(&computer).copied().unwrap_or_default()
    }

    /// Nothing is granted until then, after a restore.
    pub fn hold_until(&self) -> Option<Steady> {
        self.hold_until
    }

    /// The longest ttl that any product allows, in seconds.
    pub fn longest_ttl_seconds(&self) -> u32 {
        self.pools
            .values()
            .map(|p| p.listing.spec.max_ttl_seconds)
            .max()
            .unwrap_or(0)
    }
}
