//! The agent's own faults, as the server is told of them: panics, caught or not.

use std::path::Path;

use usher_api::{CaughtPanics, EndedByPanic};

use crate::base::clock::{self, timestamp};

/// For how long after an end the server is told of it.
const TOLD_MS: i64 = 7 * 86_400_000;

/// How the agent's last run ended, as kept in the folder `data`.
pub(crate) fn before(data: &Path) -> Option<EndedByPanic> {
    let ended = usher_vital::ended::last(data, "agent")?;
    (clock::wall_ms() - ended.at_ms < TOLD_MS).then(|| EndedByPanic {
        at: timestamp(ended.at_ms),
        thread: ended.thread,
        what: ended.what,
    })
}

/// The panics since this agent was started that were caught: each ended only one request or item.
pub(crate) fn caught() -> Option<CaughtPanics> {
    let counted = usher_vital::counted();
    (counted.count > 0).then(|| CaughtPanics {
        count: counted.count,
        last_at: timestamp(counted.last_at_ms),
        last: counted.last,
    })
}
