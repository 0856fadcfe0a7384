//! The result of the last search for rules that no longer match.

use std::time::Instant;

use tokio::sync::Mutex;
use usher_store::ChangedProgram;

/// The result of the last search for rules that no longer match.
#[derive(Debug, Default)]
pub(crate) struct QuietRules {
    /// The time and the result of the last search. Locked during a search, so that there is one at
    /// a time.
    pub(crate) kept: Mutex<Option<(Instant, Vec<ChangedProgram>)>>,
}
