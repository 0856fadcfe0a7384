//! An ask whose names are looked up, and how it would be granted.

use std::sync::Arc;

use smallvec::SmallVec;

use super::denials::Asker;
use super::ids::*;
use super::records::*;

/// A checkout whose names are looked up.
pub(super) struct Asked {
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
}

impl Asked {
    pub(super) fn asker(&self) -> Asker {
        Asker {
            product: self.product,
            subject: self.subject,
            computer: self.computer,
        }
    }
}

/// How a checkout would be granted.
pub(super) struct Plan {
    pub draws: SmallVec<[Draw; 1]>,
    pub life_ms: u64,
    pub scene: Scene,
    pub shared: bool,
    /// The lease of another life whose seats these are.
    pub takes_over: Option<Shown>,
}

impl Plan {
    /// Held as long as what is held with it.
    pub(super) fn for_ms(self, life_ms: u64) -> Plan {
        Plan { life_ms, ..self }
    }
}

/// What an ask is for, product by product.
pub(super) type Parts = SmallVec<[Asked; 1]>;

/// How each part of an ask would be granted.
pub(super) type Plans = SmallVec<[Plan; 1]>;

/// Which part of an ask there is none to be had of, and why.
pub(super) type Lacking = (usize, Reason);
