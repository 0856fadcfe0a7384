//! Repeats of a refusal within a minute are one, counted: a program that asks again and again
//! fills no disk. What is kept here is bounded; beyond the bound a repeat begins a new row.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::ids::*;
use super::records::Reason;

/// Repeats within this time are one.
pub const FOLD_SECONDS: u64 = 60;
/// Refusals that are kept for folding at the most.
pub const FOLDS_LIMIT: usize = 50_000;

/// What makes two refusals the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fold {
    pub(super) product: ProductNumber,
    pub(super) subject: SubjectId,
    pub(super) reason: Reason,
}

/// A refusal that may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) id: DecisionId,
    pub(super) first: Steady,
    pub(super) count: u64,
}

/// The refusals of the last minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Denials {
    recent: FxHashMap<Fold, Folded>,
    order: VecDeque<(Steady, Fold)>,
}

impl Denials {
    pub(super) fn get(&self, fold: &Fold) -> Option<Folded> {
        self.recent.get(fold).copied()
    }

    /// The refusal that this one repeats, if it is not too long ago.
    pub(super) fn repeated(&self, fold: &Fold, now: Steady) -> Option<Folded> {
        let folded = self.recent.get(fold)?;
        (now.since_ms(folded.first) < FOLD_SECONDS * 1_000).then_some(*folded)
    }

    pub(super) fn put(&mut self, fold: Fold, folded: Folded) -> Option<Folded> {
        if folded.count == 1 {
            self.order.push_back((folded.first, fold));
        }
        self.recent.insert(fold, folded)
    }

    pub(super) fn undo(&mut self, fold: Fold, before: Option<Folded>) {
        let Some(now) = self.recent.remove(&fold) else {
            return;
        };
        if now.count == 1 {
            self.order.pop_back();
        }
        if let Some(before) = before {
            self.recent.insert(fold, before);
        }
    }

    /// Forgets what is older than a minute, and the oldest beyond the bound.
    pub(super) fn prune(&mut self, now: Steady) {
        while let Some((first, fold)) = self.order.front().copied() {
            let old = now.since_ms(first) >= FOLD_SECONDS * 1_000;
            if !old && self.order.len() <= FOLDS_LIMIT {
                return;
            }
            self.order.pop_front();
            if self
                .recent
                .get(&fold)
                .is_some_and(|folded| folded.first == first)
            {
                self.recent.remove(&fold);
            }
        }
    }
}
