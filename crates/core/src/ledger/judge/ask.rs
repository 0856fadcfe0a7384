//! A request whose names are looked up, and the result of judging it.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::ledger::kept::denials::Asker;
use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::*;

/// How an ask comes: whom it may overtake, and whether a hold concerns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Way {
    /// It is new, and comes behind those who wait with as high a priority.
    New,
    /// This ticket waits for it, and has its turn when it is first in its queue.
    Waiting(TicketId),
    /// Its holder shows a lease of before a restore: while the hold lasts, free seats belong to
    /// those who show one.
    Shown(Shown),
    /// The canary, whose pool is its own.
    Canary,
}

/// A part of an ask: seats of one product.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct AskPart {
    pub product: ProductNumber,
    pub subject: SubjectId,
    pub computer: ComputerId,
    pub session: Option<SessionKey>,
    pub seats: u32,
    pub ttl_seconds: u32,
    pub waits: bool,
    pub priority: i8,
    pub program: Option<Arc<str>>,
    /// What else was asked for at once.
    pub also: Box<[Other]>,
    pub way: Way,
}

impl AskPart {
    pub(in crate::ledger) fn asker(&self) -> Asker {
        Asker {
            product: self.product,
            subject: self.subject,
            computer: self.computer,
        }
    }
}

/// How a part of an ask is granted.
#[derive(Debug)]
pub(in crate::ledger) struct Plan {
    /// The allotments that its seats come from.
    pub draws: SmallVec<[Draw; 1]>,
    /// How long they may be held without renewal: all parts of an ask equally long.
    pub life_ms: u64,
    /// The counts before.
    pub scene: Scene,
    /// Whether other sessions of the person may share the lease.
    pub shared: bool,
}

/// What an ask is for, product by product.
pub(in crate::ledger) type Parts = SmallVec<[AskPart; 1]>;

/// How each part of an ask is granted.
pub(in crate::ledger) type Plans = SmallVec<[Plan; 1]>;

/// Which part of an ask there is none to be had of, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Lacking {
    /// Its place among the parts.
    pub part: usize,
    /// Which constraint it failed.
    pub reason: Reason,
}

/// What judging an ask comes to: all of its parts are granted, or none.
pub(in crate::ledger) type Verdict = Result<Plans, Lacking>;
