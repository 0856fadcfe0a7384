//! Processes by pidfd, their groups by number, limits by setrlimit, memory by `/proc/self/statm`.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

use rustix::fs::{Access, Mode, access};
use rustix::process::{
    Pid, PidfdFlags, Resource, Signal, WaitId, WaitIdOptions, getpid, getppid, getrlimit,
    kill_process_group, pidfd_open, pidfd_send_signal, set_parent_process_death_signal, setrlimit,
    test_kill_process_group, umask, waitid,
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
        Ok(pidfd_send_signal(&self.0, signal_of(word))?)
    }
}

fn signal_of(word: Word) -> Signal {
    match word {
        Word::End => Signal::TERM,
        Word::Kill => Signal::KILL,
    }
}

pub(crate) fn in_own_group(command: &mut Command) {
    let own = getpid();
    let ends_with_us = move || {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // Else it ended before that was said, and nobody says it again.
        match getppid() == Some(own) {
            true => Ok(()),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    };
    command.process_group(0);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: these are one prctl and
    // one getppid, and the making of an error from a number or a kind neither allocates nor locks.
    unsafe { command.pre_exec(ends_with_us) };
}

pub(crate) fn has_ended(child: &mut Child) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = waitid(WaitId::Pid(Pid::from_child(child)), options)?;
    Ok(status.is_some())
}

#[derive(Debug)]
pub(crate) struct Group(Pid);

impl Group {
    pub(crate) fn of(leader: u32) -> io::Result<Group> {
        let pid = i32::try_from(leader).ok().and_then(Pid::from_raw);
        // The group of number 1 would be all processes.
        let pid = pid.filter(|pid| *pid != Pid::INIT);
        Ok(Group(pid.ok_or(io::ErrorKind::InvalidInput)?))
    }

    pub(crate) fn tell(&self, word: Word) -> io::Result<()> {
        Ok(kill_process_group(self.0, signal_of(word))?)
    }

    pub(crate) fn is_there(&self) -> bool {
        test_kill_process_group(self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, waitpid};

    use crate::process::{Group, Handle, Held, Word, has_ended, in_own_group};

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

    /// A shell in a group of its own with a child there, and the number of that.
    fn shell_with_child() -> (std::process::Child, u32) {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]);
        in_own_group(&mut command);
        let mut shell = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(shell.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        (shell, line.trim().parse().unwrap())
    }

    /// A process that was adopted may stay as a zombie for a moment.
    fn has_gone(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        state.is_empty() || state.starts_with('Z')
    }

    fn wait_until_gone(pid: u32) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !has_gone(pid) {
            assert!(std::time::Instant::now() < deadline, "{pid} is there still");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_group_is_told_as_a_whole_and_is_there_until_its_last_process_has_ended() {
        // Adopts what the shell leaves behind: who else would does not have to wait for it soon.
        set_child_subreaper(Some(getpid())).unwrap();
        let (mut shell, child) = shell_with_child();
        let group = Group::of(shell.id()).unwrap();
        Handle::of(shell.id()).unwrap().tell(Word::Kill).unwrap();
        while !has_ended(&mut shell).unwrap() {
            std::thread::yield_now();
        }
        // It is told again and again until it is waited for.
        assert!(has_ended(&mut shell).unwrap());
        assert_eq!(shell.wait().unwrap().signal(), Some(9));
        assert!(group.is_there() && !has_gone(child));
        group.tell(Word::End).unwrap();
        let adopted = Pid::from_raw(i32::try_from(child).unwrap());
        waitpid(adopted, WaitOptions::empty()).unwrap();
        assert!(!group.is_there());
        assert!(group.tell(Word::Kill).is_err());
        assert!(Group::of(0).is_err() && Group::of(1).is_err());
    }

    #[test]
    fn a_group_that_is_held_is_killed_with_its_holder_and_not_if_it_was_let_go() {
        let (mut shell, child) = shell_with_child();
        drop(Held::of(Some(shell.id())));
        assert_eq!(shell.wait().unwrap().signal(), Some(9));
        wait_until_gone(child);
        let (mut shell, child) = shell_with_child();
        Held::of(Some(shell.id())).let_go();
        assert!(!has_ended(&mut shell).unwrap() && !has_gone(child));
        drop(Held::of(Some(shell.id())));
        shell.wait().unwrap();
    }

    #[test]
    fn a_command_in_a_group_of_its_own_ends_with_who_has_started_it() {
        let starter = std::thread::spawn(|| {
            let mut command = Command::new("sleep");
            in_own_group(command.arg("600"));
            command.spawn().unwrap()
        });
        // The kernel means the thread: its end is that of the starter.
        let mut child = starter.join().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(15));
    }
}
