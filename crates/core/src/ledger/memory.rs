//! What was answered under which key, so that a repeated command gets its first answer again.
//! Kept for a day and for the newest half a million keys; what is older is done anew.

use std::collections::{HashMap, VecDeque};

use super::command::Reply;
use super::ids::Steady;

/// Answers are kept this long.
pub const KEPT_SECONDS: u64 = 86_400;
/// Answers that are kept at the most.
pub const KEYS_LIMIT: usize = 500_000;

/// An answer and the body that it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remembered {
    /// Hash of the body.
    pub(super) body: u64,
    /// The answer.
    pub(super) reply: Box<Reply>,
    /// When it was given.
    pub(super) at: Steady,
}

/// The answers under their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Who asks chooses the key, so it is hashed under a key of this process.
    answers: HashMap<u128, Remembered>,
    order: VecDeque<(Steady, u128)>,
}

impl Memory {
    pub(super) fn get(&self, key: u128) -> Option<&Remembered> {
        self.answers.get(&key)
    }

    pub(super) fn put(&mut self, key: u128, remembered: Remembered) {
        self.order.push_back((remembered.at, key));
        self.answers.insert(key, remembered);
    }

    pub(super) fn undo(&mut self, key: u128) {
        self.answers.remove(&key);
        self.order.pop_back();
    }

    pub(super) fn prune(&mut self, now: Steady) {
        while let Some((at, key)) = self.order.front().copied() {
            if now.since_ms(at) < KEPT_SECONDS * 1_000 && self.order.len() <= KEYS_LIMIT {
                return;
            }
            self.order.pop_front();
            // A key that was forgotten may be in use again.
            if self
                .answers
                .get(&key)
                .is_some_and(|remembered| remembered.at == at)
            {
                self.answers.remove(&key);
            }
        }
    }
}
