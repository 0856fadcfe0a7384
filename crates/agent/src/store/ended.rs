//! Faults of the agent's own, for the server: panics, caught or not.

use std::path::Path;

use usher_api::{CaughtPanics, EndedByPanic};

use crate::base::clock::{self, timestamp};

/// How long after it the server is told.
const TOLD_MS: i64 = 7 * 86_400_000;

/// The end that is kept in the folder `data`.
pub(crate) fn before(data: &Path) -> Option<EndedByPanic> {
    let ended = usher_vital::ended::last(data, "agent")?;
    (clock::wall_ms() - ended.at_ms < TOLD_MS).then(|| EndedByPanic {
        at: timestamp(ended.at_ms),
        thread: ended.thread,
        what: ended.what,
    })
}

/// The panics that ended requests or items alone since this agent was started.
pub(crate) fn caught() -> Option<CaughtPanics> {
    let counted = usher_vital::counted();
    (counted.count > 0).then(|| CaughtPanics {
        count: counted.count,
        last_at: timestamp(counted.last_at_ms),
        last: counted.last,
    })
}
