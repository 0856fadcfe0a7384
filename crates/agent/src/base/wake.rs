//! Wakes a thread that waits for the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

/// A counter of the kernel's that a thread polls beside its other descriptors: readable from
/// [`Wake::wake`] on until [`Wake::drain`].
#[derive(Debug)]
pub(crate) struct Wake(OwnedFd);

impl Wake {
    pub(crate) fn new() -> io::Result<Wake> {
        let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Wake(counter))
    }

    /// The same counter, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Wake> {
        self.0.try_clone().map(Wake)
    }

    pub(crate) fn wake(&self) {
        // A full counter is as good a signal as one more.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(crate) fn drain(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.0, &mut count);
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
