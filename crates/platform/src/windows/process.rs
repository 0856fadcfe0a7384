//! Processes by their handles.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::Path;
use std::process::{Child, Command};

use windows_sys::Win32::System::ProcessStatus::{GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, PROCESS_TERMINATE, TerminateProcess,
};

use super::raw;
use crate::terms::{OpenFiles, Word, unsupported};

/// What a process that was ended by force has ended with, as Task Manager does.
const ENDED: u32 = 1;

pub(crate) fn resident_bytes() -> Option<u64> {
    let mut memory = PROCESS_MEMORY_COUNTERS::default();
    let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    // SAFETY: the handle of this process need not be closed, and `memory` has room for `size`
    // bytes.
    let answer = unsafe { GetProcessMemoryInfo(GetCurrentProcess(), &mut memory, size) };
    (answer != 0).then_some(memory.WorkingSetSize as u64)
}

/// Windows' heap gives free memory back by itself.
pub(crate) fn give_memory_back() {}

/// Windows counts no open files.
pub(crate) fn raise_open_files() -> (OpenFiles, Option<io::Error>) {
    (OpenFiles::Unlimited, None)
}

/// A new file takes over who may read the folder that it is made in: in a private folder it is
/// private ([`crate::files::make_private_folder`]).
pub(crate) fn keep_what_is_made_private() {}

/// What may be read may be run.
pub(crate) fn may_run(path: &Path) -> bool {
    std::fs::File::open(path).is_ok()
}

#[derive(Debug)]
pub(crate) struct Handle(OwnedHandle);

impl Handle {
    pub(crate) fn of(pid: u32) -> io::Result<Handle> {
        raw::process(pid, PROCESS_TERMINATE).map(Handle)
    }

    pub(crate) fn tell(&self, word: Word) -> io::Result<()> {
        match word {
            Word::End => Err(unsupported("asking another process to end")),
            // SAFETY: the process is open, with the right to end it.
            Word::Kill => raw::done(unsafe { TerminateProcess(self.0.as_raw_handle(), ENDED) }),
        }
    }
}

/// What a command has started is its own affair here.
pub(crate) fn in_own_group(_command: &mut Command) {}

pub(crate) fn has_ended(child: &mut Child) -> io::Result<bool> {
    child.try_wait().map(|status| status.is_some())
}

/// The command alone.
#[derive(Debug)]
pub(crate) struct Group(Handle);

impl Group {
    pub(crate) fn of(leader: u32) -> io::Result<Group> {
        Handle::of(leader).map(Group)
    }

    pub(crate) fn tell(&self, word: Word) -> io::Result<()> {
        self.0.tell(word)
    }

    pub(crate) fn is_there(&self) -> bool {
        false
    }
}
