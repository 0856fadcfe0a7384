//! The commands that a ledger takes.

use std::sync::Arc;

use crate::ledger::words::details::Details;
use crate::ledger::words::entitlement::Model;
use crate::ledger::words::ids::*;
use crate::ledger::words::records::*;
use crate::ledger::words::validity::Bound;

/// A person as a request names one, in the form of [`crate::people`]. The ledger looks it up, or enters it under `candidate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRef {
    /// The realm, as it is compared.
    pub authority: Arc<str>,
    /// The account, as it is compared.
    pub key: Arc<str>,
    /// The account as it is shown, if the person is new: one that is known keeps its own.
    pub name: Arc<str>,
    /// A random number: the surrogate, if the person is new.
    pub candidate: u64,
}

/// A computer as a request names one. The ledger looks it up, or enters it under `candidate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputerRef {
    /// The id that its agent made, or a name.
    pub key: Arc<str>,
    /// A random number: the surrogate, if the computer is new.
    pub candidate: u64,
}

/// On whose leases and tickets a command may act; those of others do not exist for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// On all.
    Anyone,
    /// On those of one subject.
    Subject {
        /// The realm, as it is compared.
        authority: Arc<str>,
        /// The account, as it is compared.
        key: Arc<str>,
    },
    /// On those of one computer, by its key.
    Computer(Arc<str>),
}

/// Seats of a product that are asked for together with those of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct With {
    /// Product id.
    pub product: Arc<str>,
    /// Seats, 1 or more.
    pub seats: u32,
}

/// A checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Product id.
    pub product: Arc<str>,
    /// Further products, each named once and none of them `product`: at most
    /// [`crate::ledger::BUNDLE_LIMIT`] in all. All are granted, or none.
    pub also: Vec<With>,
    /// Who is counted.
    pub subject: SubjectRef,
    /// Where the seat is used.
    pub computer: ComputerRef,
    /// Seats, 1 or more.
    pub seats: u32,
    /// Seconds that the lease lives without renewal, 1 or more; none: [`DEFAULT_TTL_SECONDS`], or
    /// the product's maximum if that is less.
    pub ttl_seconds: Option<u32>,
    /// Whether to queue when no seat is free.
    pub wait: bool,
    /// Higher is served first.
    pub priority: i8,
    /// What is started, as its starter says: for the record.
    pub program: Option<Arc<str>>,
}

/// One thing that an agent reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportItem {
    /// Seats for a session; refuses nobody.
    Checkout {
        /// The agent's number of the session.
        session: u64,
        /// Product id.
        product: Arc<str>,
        /// Who is counted.
        subject: SubjectRef,
        /// Seats, 1 or more.
        seats: u32,
        /// Seconds that the lease lives without renewal, 1 or more.
        ttl_seconds: u32,
        /// The lease that the session holds, as its agent knows it: after a restore the ledger
        /// may not.
        shown: Option<Shown>,
        /// Its program is held before its first instruction until this is answered: if no
        /// seat is free it is refused, and the session is not entered as unseated.
        gate: bool,
        /// A lease that is kept for its person ([`KEPT`]) or was granted to their ticket, and that
        /// no session has: the session takes it over instead of asking for a seat of its own.
        claim: Option<LeaseId>,
        /// The program that began it, by file name, if its agent says so.
        program: Option<Arc<str>>,
    },
    /// The session goes on.
    Renew {
        /// The agent's number of the session.
        session: u64,
    },
    /// The session no longer needs its seat.
    Checkin {
        /// The agent's number of the session.
        session: u64,
    },
    /// The session goes on without its seat: nobody uses its programs.
    Released {
        /// The agent's number of the session.
        session: u64,
    },
    /// A session has ended; for the record.
    Finished {
        /// The agent's number of the session.
        session: u64,
        /// Product id.
        product: Arc<str>,
        /// The program that began it, by file name.
        program: Box<str>,
        /// Its version, if known.
        version: Option<Box<str>>,
        /// Who is counted.
        subject: SubjectRef,
        /// The account that it ran as, if that is another.
        real_subject: Option<SubjectRef>,
        /// When it began.
        started_at: Wall,
        /// When it ended.
        ended_at: Wall,
        /// How long it lasted, in milliseconds.
        duration_ms: u64,
        /// For how many of these it had no seat.
        unseated_ms: u64,
        /// The lease that it held last.
        lease: Option<LeaseId>,
        /// The sender's incarnation in which it was first reported, if that is an earlier one.
        first_reported: Option<u64>,
    },
    /// Programs of no product.
    Programs {
        /// What was seen of each.
        counts: Vec<ProgramUse>,
    },
    /// What could not be understood: it is passed over, and its number is used up.
    Nothing,
}

/// An agent's report: items in order, each applied once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Who reports.
    pub computer: ComputerRef,
    /// The computer's name, for people.
    pub name: Arc<str>,
    /// What else its agent tells of it: opaque here.
    pub document: Arc<str>,
    /// Grows when the agent's own state began again.
    pub incarnation: u64,
    /// The items with their sequence numbers, ascending.
    pub items: Vec<(u64, ReportItem)>,
}

/// An entitlement as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementTerms {
    /// Product id.
    pub product: Arc<str>,
    /// By what its seats are counted, and how many they are.
    pub model: Model,
    /// With what validity begins.
    pub from: Option<Bound>,
    /// With what validity ends.
    pub to: Option<Bound>,
    /// What else is said of it; none: as before, and nothing of a new one.
    pub details: Option<Details>,
}

/// What a ledger is told. Each is carried out at once and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take seats, or a place in the queue.
    Checkout(Checkout),
    /// Keep a lease for another ttl.
    Renew {
        /// The lease.
        lease: LeaseId,
        /// Who asks.
        access: Access,
    },
    /// Give a lease back.
    Checkin {
        /// The lease.
        lease: LeaseId,
        /// Who asks.
        access: Access,
    },
    /// Ask after a ticket: keeps its place until then, and fetches a granted seat.
    Poll {
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        access: Access,
        /// The place is kept at least this long.
        keep_seconds: u32,
    },
    /// Leave the queue.
    Cancel {
        /// The ticket.
        ticket: TicketId,
        /// Who asks.
        access: Access,
    },
    /// An agent's report.
    Report(Box<Report>),
    /// Make or change a product.
    PutProduct {
        /// As it is to be.
        spec: ProductSpec,
        /// Whether it must be new.
        new: bool,
    },
    /// Remove a product and its entitlements; leases run on.
    RemoveProduct {
        /// Product id.
        product: Arc<str>,
    },
    /// Own seats.
    AddEntitlement(EntitlementTerms),
    /// Change what is owned.
    ChangeEntitlement {
        /// The entitlement.
        entitlement: EntitlementNumber,
        /// As it is to be; its product cannot change.
        terms: EntitlementTerms,
    },
    /// Own it no more.
    RemoveEntitlement {
        /// The entitlement.
        entitlement: EntitlementNumber,
    },
    /// Look a person and a computer up; enter them if they are new.
    Enter {
        /// The person; none: nobody is looked up.
        subject: Option<SubjectRef>,
        /// The computer; none: none is looked up.
        computer: Option<ComputerRef>,
    },
    /// Seat a canary and take it back: the whole way of a checkout, on a reserved product that is
    /// in no list and no count.
    Canary,
    /// Grant nothing until told to go on: neither to who asks, nor to who waits, nor to what an
    /// agent reports.
    Pause,
    /// Grant again, first to those who have waited.
    Continue,
    /// Carry out the expiries and promotions that are due.
    Tick,
    /// The computer was booted again: time passed that only the wall clock has counted. Leases
    /// that would have ended get a grace, once.
    Rebooted,
    /// A new life of this data file, after a restore: ids begin with this, and nothing is granted
    /// until the instant given, if one is.
    Reincarnate {
        /// Random, not used before.
        incarnation: Incarnation,
        /// Leases of before the restore may be in use until then.
        hold_until: Option<Steady>,
    },
    /// Note who is named from now on, or no longer: before [`Command::Forget`].
    WatchDirectory {
        /// Whether to.
        on: bool,
    },
    /// Forget people and computers that nothing refers to in the tables, as they were after the
    /// watch had begun. Who was named since stays; without a watch everybody does.
    Forget {
        /// People.
        subjects: Vec<SubjectId>,
        /// Computers.
        computers: Vec<ComputerId>,
    },
    /// A command, and who sent it: what it changes is kept with that.
    As {
        /// Who sent it.
        by: By,
        /// What is to be done.
        command: Box<Command>,
    },
    /// A command that is carried out once under a key, however often it is sent.
    Once {
        /// Hash of principal, route and key.
        key: u128,
        /// Hash of the request's body.
        body: u64,
        /// What is to be done.
        command: Box<Command>,
    },
}
