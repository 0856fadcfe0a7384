//! How many servers may be collected from in large transactions at once: what that takes in memory is
//! bounded so.

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many servers; of others each page is a transaction of its own.
const SERVERS: usize = 2;

/// Who may gather pages.
#[derive(Debug)]
pub(crate) struct Gathering(Semaphore);

impl Gathering {
    /// Nobody gathers.
    pub(crate) fn new() -> Gathering {
        Gathering(Semaphore::new(SERVERS))
    }

    /// The right to gather, until it is dropped; none: as many do as may.
    pub(crate) fn begin(&self) -> Option<SemaphorePermit<'_>> {
        self.0.try_acquire().ok()
    }
}
