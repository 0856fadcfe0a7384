//! What all parts use: the clock, locks, and wake-ups of threads. Knows nothing of programs.

pub(crate) mod clock;
pub(crate) mod wake;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks even after a panic elsewhere: no holder of the agent's locks leaves its value half
/// changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
