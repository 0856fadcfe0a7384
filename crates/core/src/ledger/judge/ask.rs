//! A request whose names are looked up, and the result of judging it.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::ledger::kept::denials::Asker;
use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::*;

/// The kind of an ask: it decides whom the ask may overtake, and whether a hold applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Way {
    /// A new request; it comes after waiting requests of the same or a higher priority.
    New,
    /// The request of a waiting ticket; it is served when it is first in its queue.
    Waiting(TicketId),
    /// A lease from before a restore that its holder shows; during the hold, free seats are
    /// reserved for these.
    Shown(Shown),
    /// The canary, which has a pool of its own.
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
    /// The further products of the request.
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
    /// How long they may be held without renewal, in milliseconds; the same for all parts of an
    /// ask.
    pub life_ms: u64,
    /// The counts of the product before the decision.
    pub scene: Scene,
    /// Whether other sessions of the person may share the lease.
    pub shared: bool,
}

/// What an ask is for, product by product.
pub(in crate::ledger) type Parts = SmallVec<[AskPart; 1]>;

/// How each part of an ask is granted.
pub(in crate::ledger) type Plans = SmallVec<[Plan; 1]>;

/// Which part of an ask failed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Lacking {
    /// The index of the part.
    pub part: usize,
    /// The reason that the failed constraint gives.
    pub reason: Reason,
}

/// The result of judging an ask: all of its parts are granted, or none.
pub(in crate::ledger) type Verdict = Result<Plans, Lacking>;
