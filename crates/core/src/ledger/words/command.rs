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
    /// The account as people are shown it. Used only if the person is new; a known person keeps its
    /// name.
    pub name: Arc<str>,
    /// A random number, which becomes the surrogate if the person is new.
    pub candidate: u64,
}

/// A computer as a request names one. The ledger looks it up, or enters it under `candidate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputerRef {
    /// The id that its agent made, or a name.
    pub key: Arc<str>,
    /// A random number, which becomes the surrogate if the computer is new.
    pub candidate: u64,
}

/// Whose leases and tickets a command may see and change; all others are unknown to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Those of everybody.
    Anyone,
    /// Those of one person.
    Subject {
        /// The realm, as it is compared.
        authority: Arc<str>,
        /// The account, as it is compared.
        key: Arc<str>,
    },
    /// Those of one computer, by its key.
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

/// A request for seats of a product, or of several at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Product id.
    pub product: Arc<str>,
    /// Further products, each named once and none of them `product`: at most
    /// [`crate::ledger::BUNDLE_LIMIT`] in all. All are granted, or none.
    pub also: Vec<With>,
    /// The person whose use is counted.
    pub subject: SubjectRef,
    /// Where the seat is used.
    pub computer: ComputerRef,
    /// Seats, 1 or more.
    pub seats: u32,
    /// Seconds that the lease lives without renewal, 1 or more; none: [`DEFAULT_TTL_SECONDS`], or
    /// the product's maximum if that is less.
    pub ttl_seconds: Option<u32>,
    /// Whether to wait in the queue if no seat is free.
    pub wait: bool,
    /// Requests with a higher priority are served first, before the order of arrival counts.
    pub priority: i8,
    /// The program that will be started, as the requester names it: only for the record.
    pub program: Option<Arc<str>>,
}

/// One thing that an agent reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportItem {
    /// Asks for seats for a session. Without a free seat the session runs unseated, or is refused
    /// if `gate` is set.
    Checkout {
        /// The agent's number of the session.
        session: u64,
        /// Product id.
        product: Arc<str>,
        /// The person whose use is counted.
        subject: SubjectRef,
        /// Seats, 1 or more.
        seats: u32,
        /// Seconds that the lease lives without renewal, 1 or more.
        ttl_seconds: u32,
        /// The lease that the session holds, as its agent knows it: after a restore the ledger
        /// may not.
        shown: Option<Shown>,
        /// The agent holds the program before its first instruction until this is answered. If no
        /// seat is free, the program is refused and the session is not entered as unseated.
        gate: bool,
        /// A lease that is kept for its person ([`KEPT`]) or was granted to their ticket, and that
        /// no session has: the session takes it over instead of asking for a seat of its own.
        claim: Option<LeaseId>,
        /// The program that began it, by file name, if its agent says so.
        program: Option<Arc<str>>,
    },
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
    /// The session goes on without its seat: nobody uses its programs.
    Released {
        /// The agent's number of the session.
        session: u64,
    },
    /// A session has ended. Only recorded: it changes no seat.
    Finished {
        /// The agent's number of the session.
        session: u64,
        /// Product id.
        product: Arc<str>,
        /// The program that began it, by file name.
        program: Box<str>,
        /// The version of the program, if the agent knows it.
        version: Option<Box<str>>,
        /// The person whose use is counted.
        subject: SubjectRef,
        /// The account that it ran as, if that is another.
        real_subject: Option<SubjectRef>,
        /// When it began, by the wall clock of its computer.
        started_at: Wall,
        /// When it ended, by the wall clock of its computer.
        ended_at: Wall,
        /// How long it lasted, in milliseconds, on a clock that nobody can set.
        duration_ms: u64,
        /// For how many of these it had no seat.
        unseated_ms: u64,
        /// The lease that it held last.
        lease: Option<LeaseId>,
        /// The sender's incarnation in which it was first reported, if that is an earlier one.
        first_reported: Option<u64>,
    },
    /// What was seen of programs that belong to no product, since the last such item.
    Programs {
        /// One entry for each program.
        counts: Vec<ProgramUse>,
    },
    /// An item that could not be understood. It changes nothing, but its sequence number is used
    /// up.
    Nothing,
}

/// An agent's report. Its items are applied in order, each exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The computer whose agent reports.
    pub computer: ComputerRef,
    /// The computer's name, for people.
    pub name: Arc<str>,
    /// The computer's attributes as JSON, which the ledger does not read.
    pub document: Arc<str>,
    /// The agent's incarnation, which grows whenever the agent starts with empty state.
    pub incarnation: u64,
    /// The items with their sequence numbers, ascending.
    pub items: Vec<(u64, ReportItem)>,
}

/// The terms of a new or changed entitlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementTerms {
    /// Product id.
    pub product: Arc<str>,
    /// How its seats are counted, and how many there are.
    pub model: Model,
    /// The first instant at which it is valid; none: it always was.
    pub from: Option<Bound>,
    /// The first instant at which it is no longer valid; none: it never ends.
    pub to: Option<Bound>,
    /// Its name, price and contract. None leaves them unchanged; a new entitlement then has none.
    pub details: Option<Details>,
}

/// What a ledger is told to do. Each command is applied completely or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take seats, or a place in the queue if there are none.
    Checkout(Checkout),
    /// Keep a lease for another ttl.
    Renew {
        /// The lease.
        lease: LeaseId,
        /// Whose leases or tickets the request may see.
        access: Access,
    },
    /// Give a lease back.
    Checkin {
        /// The lease.
        lease: LeaseId,
        /// Whose leases or tickets the request may see.
        access: Access,
    },
    /// Look at a ticket. That keeps its place in the queue, and fetches a seat that was granted to
    /// it.
    Poll {
        /// The ticket.
        ticket: TicketId,
        /// Whose leases or tickets the request may see.
        access: Access,
        /// For how many seconds the place is kept at least.
        keep_seconds: u32,
    },
    /// Leave the queue.
    Cancel {
        /// The ticket.
        ticket: TicketId,
        /// Whose leases or tickets the request may see.
        access: Access,
    },
    /// Apply an agent's report.
    Report(Box<Report>),
    /// Make or change a product.
    PutProduct {
        /// The product's new settings.
        spec: ProductSpec,
        /// Whether the command fails if a product of that id exists.
        new: bool,
    },
    /// Remove a product and its entitlements. Leases that are held go on until they end.
    RemoveProduct {
        /// Product id.
        product: Arc<str>,
    },
    /// Add an entitlement.
    AddEntitlement(EntitlementTerms),
    /// Change an entitlement.
    ChangeEntitlement {
        /// The entitlement.
        entitlement: EntitlementNumber,
        /// The new terms. The product cannot change.
        terms: EntitlementTerms,
    },
    /// Remove an entitlement.
    RemoveEntitlement {
        /// The entitlement.
        entitlement: EntitlementNumber,
    },
    /// Look up a person and a computer; enter them into the directory if they are new.
    Enter {
        /// The person; none: nobody is looked up.
        subject: Option<SubjectRef>,
        /// The computer; none: none is looked up.
        computer: Option<ComputerRef>,
    },
    /// Grant a canary seat and take it back: a complete checkout of a reserved product that no list
    /// or count shows.
    Canary,
    /// Grant nothing until [`Command::Continue`]: not to new requests, not to the queue, not to
    /// sessions that agents report.
    Pause,
    /// Grant again, first to requests that wait in the queue.
    Continue,
    /// Carry out the expiries and promotions that are due.
    Tick,
    /// The computer was rebooted: time passed that only the wall clock counted. Leases that would
    /// have ended meanwhile get one grace period.
    Rebooted,
    /// Begin a new life of the data file, after a restore. Ids begin with the new incarnation, and
    /// nothing is granted before `hold_until`.
    Reincarnate {
        /// The new incarnation: a random number that was not used before.
        incarnation: Incarnation,
        /// Until when leases from before the restore may still be in use; none: nothing is held
        /// back.
        hold_until: Option<Steady>,
    },
    /// Start or stop noting which people and computers are named: needed before
    /// [`Command::Forget`].
    WatchDirectory {
        /// Whether to start (true) or stop.
        on: bool,
    },
    /// Forget people and computers that no table refers to, as the tables were after the watch
    /// began. Those named since then stay; without a watch, all stay.
    Forget {
        /// Surrogates of people.
        subjects: Vec<SubjectId>,
        /// Surrogates of computers.
        computers: Vec<ComputerId>,
    },
    /// A command and its sender, who is recorded with what the command changes.
    As {
        /// Who sent it.
        by: By,
        /// The command itself.
        command: Box<Command>,
    },
    /// A command with an idempotency key: it is applied once, however often it is sent.
    Once {
        /// Hash of the sender, the route and the idempotency key.
        key: u128,
        /// Hash of the request's body.
        body: u64,
        /// The command itself.
        command: Box<Command>,
    },
}
