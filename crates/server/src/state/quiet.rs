//! The result of the last search for rules that no longer match.

use std::time::Instant;

use tokio::sync::Mutex;
use usher_store::ChangedProgram;

/// Rules that no longer match, as they were last looked for.
#[derive(Debug, Default)]
pub(crate) struct QuietRules {
    /// When they were looked for, and what was found. Locked while they are: one search at a time.
    pub(crate) kept: Mutex<Option<(Instant, Vec<ChangedProgram>)>>,
}
