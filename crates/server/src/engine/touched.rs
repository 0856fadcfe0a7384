//! For how long nobody had touched sessions when their agents last said so.
//!
//! It is a hint for people, held in memory alone: agents say it again with each renewal, so that it is
//! known again soon after a restart.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

/// How many sessions are remembered; those of which nothing was said for long make room, and if there
/// are none, no other is taken in.
const SESSIONS_LIMIT: usize = 100_000;
/// For how long what an agent said counts, in milliseconds.
const COUNTS_MS: i64 = 15 * 60_000;

#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// By the key of the computer and its agent's number of the session.
    said: Mutex<FxHashMap<(Box<str>, u64), Said>>,
    is_any: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    untouched_seconds: u64,
    /// When; Unix milliseconds, wall clock.
    at_ms: i64,
}

impl Touched {
    /// An agent said it; none: it does not know.
    pub(crate) fn note(
        &self,
        computer: &str,
        session: u64,
        untouched_seconds: Option<u64>,
        now_ms: i64,
    ) {
        // Most agents never say anything.
        if untouched_seconds.is_none() && !self.is_any.load(Ordering::Relaxed) {
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (computer.into(), session);
        let Some(untouched_seconds) = untouched_seconds else {
            said.remove(&key);
            return;
        };
        if said.len() >= SESSIONS_LIMIT && !said.contains_key(&key) {
            said.retain(|_, of| counts(*of, now_ms));
            if said.len() >= SESSIONS_LIMIT {
                return;
            }
        }
        let of = Said {
            untouched_seconds,
            at_ms: now_ms,
        };
        said.insert(key, of);
        self.is_any.store(true, Ordering::Relaxed);
    }

    /// For how many seconds nobody had touched a session; none: it is not known.
    pub(crate) fn of(&self, computer: &str, session: u64, now_ms: i64) -> Option<u64> {
        if !self.is_any.load(Ordering::Relaxed) {
            return None;
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let of = said.get(&(computer.into(), session)).copied()?;
        counts(of, now_ms).then_some(of.untouched_seconds)
    }
}

fn counts(of: Said, now_ms: i64) -> bool {
    now_ms.saturating_sub(of.at_ms) <= COUNTS_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_said_counts_until_it_does_not_know_or_is_silent() {
        let touched = Touched::default();
        touched.note("c1", 1, None, 0);
        assert_eq!(touched.of("c1", 1, 0), None);
        touched.note("c1", 1, Some(40), 0);
        assert_eq!(touched.of("c1", 1, COUNTS_MS), Some(40));
        assert_eq!(touched.of("c1", 1, COUNTS_MS + 1), None);
        assert_eq!(touched.of("c2", 1, 0), None);
        touched.note("c1", 1, Some(50), 10);
        assert_eq!(touched.of("c1", 1, 10), Some(50));
        touched.note("c1", 1, None, 20);
        assert_eq!(touched.of("c1", 1, 20), None);
    }

    #[test]
    fn no_more_sessions_are_remembered_than_there_is_room_for() {
        let touched = Touched::default();
        for session in 0..=SESSIONS_LIMIT as u64 {
            touched.note("c1", session, Some(1), 0);
        }
        let last = SESSIONS_LIMIT as u64;
        assert_eq!(touched.said.lock().unwrap().len(), SESSIONS_LIMIT);
        assert_eq!(touched.of("c1", last, 0), None);
        touched.note("c1", last, Some(1), COUNTS_MS + 1);
        assert_eq!(touched.said.lock().unwrap().len(), 1);
        assert_eq!(touched.of("c1", last, COUNTS_MS + 1), Some(1));
    }
}
