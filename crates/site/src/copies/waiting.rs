//! What SQLite takes long for is done on a thread of its own, so that it can be told how far it is.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::copied::{CopyError, CopyStep, CopyTold};
use crate::error::SiteError;

/// How often it is looked how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// Does the work, and tells how far it is until it is done.
pub(super) fn while_told<T: Send>(
    told: CopyTold<'_>,
    how_far: impl Fn() -> CopyStep,
    work: impl FnOnce() -> T + Send,
) -> Result<T, CopyError> {
    let (done, is_done) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            // Who waits for it is there.
            let _ = done.send(work());
        });
        loop {
            match is_done.recv_timeout(LOOK) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Timeout) => told(how_far()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(SiteError::failed("copy what is", &"its thread ended").into());
                }
            }
        }
    })
}
