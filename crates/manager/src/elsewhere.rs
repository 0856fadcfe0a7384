//! What other licence servers hold now, as it was last read of the site database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use usher_site::SourceNow;

use crate::clock::steady;

/// What a source says of an instant so long ago is not known of now.
pub(crate) const FRESH_MS: i64 = 15 * 60_000;
/// What was read is not shown for longer, if the site database cannot be read.
const KNOWN_FOR: Duration = Duration::from_secs(300);

/// The sources, and when they were read.
type Read = (Duration, Arc<Vec<SourceNow>>);

/// The sources as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    read: Mutex<Option<Read>>,
}

impl Elsewhere {
    /// Notes what was read now.
    pub(crate) fn put(&self, sources: Arc<Vec<SourceNow>>) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((steady(), sources));
    }

    /// The sources; none: nothing was read lately.
    pub(crate) fn get(&self) -> Option<Arc<Vec<SourceNow>>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, sources) = read.as_ref()?;
        (steady().saturating_sub(*at) < KNOWN_FOR).then(|| sources.clone())
    }
}
