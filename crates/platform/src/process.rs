//! This process's own limits and memory, and other processes by their handles.

use std::io;

use crate::system::process as system;

pub use crate::terms::{OpenFiles, Word};

/// Memory of this process that lies in RAM, in bytes; none if the system does not say.
pub fn resident_bytes() -> Option<u64> {
    system::resident_bytes()
}

/// Gives memory that is free within the process back to the system, if the allocator can.
pub fn give_memory_back() {
    system::give_memory_back();
}

/// Raises the number of files and sockets that this process may have open to what it may be, and
/// says what it is then; an error beside it if it could not be raised.
pub fn raise_open_files() -> (OpenFiles, Option<io::Error>) {
    system::raise_open_files()
}

/// From now on, what this process makes is for its owner alone unless it says otherwise. To be
/// called while this process has one thread.
pub fn keep_what_is_made_private() {
    system::keep_what_is_made_private();
}

/// Whether the file at `path` may be run by this process's account.
pub fn may_run(path: &std::path::Path) -> bool {
    system::may_run(path)
}

/// A process, by a handle: it stays that process, also after its number is another's.
#[derive(Debug)]
pub struct Handle(system::Handle);

impl Handle {
    /// The process that has the number `pid` now.
    ///
    /// # Errors
    /// There is no such process, or it may not be opened.
    pub fn of(pid: u32) -> io::Result<Handle> {
        system::Handle::of(pid).map(Handle)
    }

    /// Tells it.
    ///
    /// # Errors
    /// It has ended, may not be told, or the system has no such word.
    pub fn tell(&self, word: Word) -> io::Result<()> {
        self.0.tell(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_may_open_files() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        let (files, trouble) = raise_open_files();
        assert_ne!(files, OpenFiles::AtMost(0));
        assert!(trouble.is_none(), "{trouble:?}");
        give_memory_back();
    }
}
