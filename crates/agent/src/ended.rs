//! The end of the agent before, if a panic ended it: what the server is told of it.

use std::path::Path;

use usher_api::EndedByPanic;

use crate::agent::timestamp;
use crate::clock;

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
