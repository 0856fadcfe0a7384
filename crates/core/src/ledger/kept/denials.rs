//! Recent denials: which earlier one a new denial repeats.
//!
//! Repeats of a denial within a minute are counted in one row, so that a program that asks again
//! and again does not fill the disk. A request for another number of seats makes another row, a few
//! times. A request within a quarter of an hour after a denial counts as a repeated request. The
//! number of denials that are kept here is bounded; beyond it a repeat begins a new row, or counts
//! as a first request.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;

/// Repeats within this time count as one refusal, in seconds.
pub const FOLD_SECONDS: u64 = 60;
/// How many refusals of one person, product and reason within that time are kept apart by their
/// seats; all further ones count as repeats of the last.
pub const VARIANTS_LIMIT: u8 = 8;
/// A request within this time after a refusal counts as a retry, in seconds.
pub const RETRY_SECONDS: u64 = 900;
/// The largest number of refusals that are kept, for either purpose.
pub const FOLDS_LIMIT: usize = 50_000;

/// The person, product and computer of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::ledger) struct Asker {
    pub(in crate::ledger) product: ProductNumber,
    pub(in crate::ledger) subject: SubjectId,
    pub(in crate::ledger) computer: ComputerId,
}

/// What makes two refusals one row: whoever asks from a thousand computers with names of their own
/// (containers) fills no disk either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::ledger) struct Fold {
    pub(in crate::ledger) product: ProductNumber,
    pub(in crate::ledger) subject: SubjectId,
    pub(in crate::ledger) reason: Reason,
}

impl Asker {
    pub(in crate::ledger) fn refused_for(self, reason: Reason) -> Fold {
        Fold {
            product: self.product,
            subject: self.subject,
            reason,
        }
    }
}

/// A refusal that later ones may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Folded {
    pub(in crate::ledger) id: DecisionId,
    pub(in crate::ledger) first: Steady,
    pub(in crate::ledger) count: u64,
    /// Seats that were asked for.
    pub(in crate::ledger) seats: u32,
    /// Its number within [`FOLD_SECONDS`].
    pub(in crate::ledger) variant: u8,
}

impl Folded {
    /// The first refusal of its kind.
    pub(in crate::ledger) fn first(id: DecisionId, first: Steady, seats: u32) -> Folded {
        Folded {
            id,
            first,
            count: 1,
            seats,
            variant: 1,
        }
    }
}

/// The last refusal of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Refused {
    pub(in crate::ledger) denial: EventNumber,
    pub(in crate::ledger) at: Steady,
}

/// The entry before a refusal was noted, for an undo.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Before {
    asker: Asker,
    fold: Fold,
    folded: Option<Folded>,
    refused: Option<Refused>,
}

/// The recent refusals.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Denials {
    recent: FxHashMap<Fold, Folded>,
    order: VecDeque<(Steady, Fold)>,
    refused: FxHashMap<Asker, Refused>,
    /// One entry an asker, with the instant of its refusal when it was last looked at.
    refused_order: VecDeque<(Steady, Asker)>,
}

impl PartialEq for Denials {
    /// Who is forgotten first at the bound depends on when it was looked at, so two ledgers that
    /// differ only in who repeats what are equal.
    fn eq(&self, other: &Denials) -> bool {
        self.recent == other.recent && self.order == other.order
    }
}

impl Eq for Denials {}

impl Denials {
    pub(in crate::ledger) fn get(&self, fold: &Fold) -> Option<Folded> {
        self.recent.get(fold).copied()
    }

    /// The refusal that this one, of so many seats, repeats, if it is not too long ago.
    pub(in crate::ledger) fn repeated(
        &self,
        fold: &Fold,
        seats: u32,
        now: Steady,
    ) -> Option<Folded> {
        let folded = self.of_late(fold, now)?;
        let is_same = folded.seats == seats || folded.variant >= VARIANTS_LIMIT;
        is_same.then_some(folded)
    }

    fn of_late(&self, fold: &Fold, now: Steady) -> Option<Folded> {
        let folded = self.recent.get(fold)?;
        (now.since_ms(folded.first) < FOLD_SECONDS * 1_000).then_some(*folded)
    }

    /// The refusal after which somebody asks again, if it is not too long ago.
    pub(in crate::ledger) fn retried(&self, asker: &Asker, now: Steady) -> Option<EventNumber> {
        let refused = self.refused.get(asker)?;
        (now.since_ms(refused.at) < RETRY_SECONDS * 1_000).then_some(refused.denial)
    }

    /// Notes a refusal at an instant: the first of its fold, or a repeat.
    pub(in crate::ledger) fn put(
        &mut self,
        asker: Asker,
        reason: Reason,
        mut folded: Folded,
        at: Steady,
    ) -> Before {
        let fold = asker.refused_for(reason);
        if folded.count == 1 {
            let last = self.of_late(&fold, at);
            folded.variant = last.map_or(1, |last| last.variant.saturating_add(1));
            self.order.push_back((folded.first, fold));
        }
        let refused = Refused {
            denial: folded.id.number,
            at,
        };
        let before = Before {
            asker,
            fold,
            folded: self.recent.insert(fold, folded),
            refused: self.refused.insert(asker, refused),
        };
        if before.refused.is_none() {
            self.refused_order.push_back((at, asker));
        }
        before
    }

    pub(in crate::ledger) fn undo(&mut self, before: Before) {
        let Before {
            asker,
            fold,
            folded,
            refused,
        } = before;
        if let Some(now) = self.recent.remove(&fold)
            && now.count == 1
        {
            self.order.pop_back();
        }
        if let Some(folded) = folded {
            self.recent.insert(fold, folded);
        }
        match refused {
            Some(refused) => drop(self.refused.insert(asker, refused)),
            None => {
                self.refused.remove(&asker);
                self.refused_order.pop_back();
            }
        }
    }

    /// Forgets what is too old to be repeated, and the oldest beyond the bound.
    pub(in crate::ledger) fn prune(&mut self, now: Steady) {
        while let Some((first, fold)) = self.order.front().copied() {
            let old = now.since_ms(first) >= FOLD_SECONDS * 1_000;
            if !old && self.order.len() <= FOLDS_LIMIT {
                break;
            }
            self.order.pop_front();
            let is_it = |folded: &Folded| folded.first == first;
            if self.recent.get(&fold).is_some_and(is_it) {
                self.recent.remove(&fold);
            }
        }
        while let Some((at, asker)) = self.refused_order.front().copied() {
            let old = now.since_ms(at) >= RETRY_SECONDS * 1_000;
            if !old && self.refused_order.len() <= FOLDS_LIMIT {
                break;
            }
            self.refused_order.pop_front();
            match self.refused.get(&asker) {
                Some(again) if again.at > at && old => {
                    self.refused_order.push_back((again.at, asker))
                }
                _ => drop(self.refused.remove(&asker)),
            }
        }
    }
}
