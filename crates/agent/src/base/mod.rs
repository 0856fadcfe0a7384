//! What every floor may use: the clock, locks, and what wakes a thread. Knows nothing of programs.

pub(crate) mod clock;
pub(crate) mod wake;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Nothing that holds one of the agent's locks leaves what it guards half changed: a panic
/// elsewhere is no reason to stop watching.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
