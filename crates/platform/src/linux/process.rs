//! Processes by pidfd, limits by setrlimit, memory by `/proc/self/statm`.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Access, Mode, access};
use rustix::process::{
    Pid, PidfdFlags, Resource, Signal, getrlimit, pidfd_open, pidfd_send_signal, setrlimit, umask,
};

use crate::terms::{OpenFiles, Word};

pub(crate) fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

pub(crate) fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: may be called at any time from any thread.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

pub(crate) fn raise_open_files() -> (OpenFiles, Option<io::Error>) {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let trouble = setrlimit(Resource::Nofile, limit).err().map(Into::into);
    let files = match getrlimit(Resource::Nofile).current {
        Some(files) => OpenFiles::AtMost(files),
        None => OpenFiles::Unlimited,
    };
    (files, trouble)
}

pub(crate) fn keep_what_is_made_private() {
    umask(Mode::from_raw_mode(0o077));
}

pub(crate) fn may_run(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}

#[derive(Debug)]
pub(crate) struct Handle(OwnedFd);

impl Handle {
    pub(crate) fn of(pid: u32) -> io::Result<Handle> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Handle(pidfd_open(pid, PidfdFlags::empty())?))
    }

    pub(crate) fn tell(&self, word: Word) -> io::Result<()> {
        let signal = match word {
            Word::End => Signal::TERM,
            Word::Kill => Signal::KILL,
        };
        Ok(pidfd_send_signal(&self.0, signal)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use crate::process::{Handle, Word};

    #[test]
    fn a_process_is_told_by_its_handle_until_it_has_ended() {
        for (word, signal) in [(Word::End, 15), (Word::Kill, 9)] {
            let mut child = Command::new("sleep").arg("60").spawn().unwrap();
            let handle = Handle::of(child.id()).unwrap();
            handle.tell(word).unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(signal));
            assert!(handle.tell(word).is_err());
        }
        assert!(Handle::of(0).is_err());
    }
}
