//! This process's own limits and memory, and other processes by their handles or as groups.

use std::io;
use std::process::{Child, Command};

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

/// Has a command start in a group of its own: what ends the group ends what the command has started, too,
/// and a terminal's Ctrl-C is for this process alone. The command is told to end if the thread that starts
/// it ends, so that is to be the one that waits for it. On Windows neither is so yet.
pub fn in_own_group(command: &mut Command) {
    system::in_own_group(command);
}

/// Whether a child has ended. It is not waited for: its number stays its own.
///
/// # Errors
/// The system does not say, as after it was waited for.
pub fn has_ended(child: &mut Child) -> io::Result<bool> {
    system::has_ended(child)
}

/// The processes of a command that was started [`in_own_group`]. The group has its number for as long as
/// one of its processes is there, the first one until it is waited for.
#[derive(Debug)]
pub struct Group(system::Group);

impl Group {
    /// The group of the command whose process has that number.
    ///
    /// # Errors
    /// It cannot be the number of a command.
    pub fn of(leader: u32) -> io::Result<Group> {
        system::Group::of(leader).map(Group)
    }

    /// Tells all of them.
    ///
    /// # Errors
    /// None is there, none may be told, or the system has no such word.
    pub fn tell(&self, word: Word) -> io::Result<()> {
        self.0.tell(word)
    }

    /// Whether one is there that can be told.
    pub fn is_there(&self) -> bool {
        self.0.is_there()
    }
}

/// A group that is killed when this is dropped.
#[derive(Debug)]
pub struct Held(Option<Group>);

impl Held {
    /// Of a command that was started [`in_own_group`] and has that number; none: it has ended.
    pub fn of(leader: Option<u32>) -> Held {
        Held(leader.and_then(|leader| Group::of(leader).ok()))
    }

    /// Tells all of them, if they can be told.
    pub fn tell(&self, word: Word) {
        if let Some(group) = &self.0 {
            // They may have ended this instant.
            let _ = group.tell(word);
        }
    }

    /// It goes on.
    pub fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.tell(Word::Kill);
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
