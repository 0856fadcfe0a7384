//! The faults of this process, in the form of the API.

use usher_api::{CaughtPanics, EndedByPanic, Faults};
use usher_vital::ended::Ended;

use crate::base::time::timestamp;

/// What is known now; `ended` is the end of the process before, if a panic ended it.
pub(crate) fn told(ended: Option<&Ended>) -> Faults {
    let counted = usher_vital::counted();
    Faults {
        lost_log_lines: usher_vital::log::lost_lines(),
        caught: (counted.count > 0).then(|| CaughtPanics {
            count: counted.count,
            last_at: timestamp(counted.last_at_ms),
            last: counted.last,
        }),
        ended: ended.map(|ended| EndedByPanic {
            at: timestamp(ended.at_ms),
            thread: ended.thread.clone(),
            what: ended.what.clone(),
        }),
    }
}
