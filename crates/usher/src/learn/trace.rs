//! Seeing every exec of a process tree by ptrace.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Start, Watched, hosted, work};
use crate::failure::Failure;
use crate::run::find;
use crate::run::signals::{Signals, exit_code};
use crate::spawn::begin_traced;

/// `None` if this process may not trace; then nothing was started.
pub(super) async fn watch(
    file: &Path,
    words: &[OsString],
    signals: &mut Signals,
) -> Result<Option<Watched>, Failure> {
    let (name, args) = words
        .split_first()
        .ok_or_else(|| Failure::usage("there is no command"))?;
    let mut command = Command::new(file);
    command.arg0(name).args(args);
    begin_traced(&mut command, signals.mask_before());
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(find::no_command(&name.to_string_lossy()));
        }
        Err(error) => {
            return Err(find::cannot_start(
                &name.to_string_lossy(),
                &error.to_string(),
            ));
        }
    };
    let root = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let mut tracer = Tracer::new(root);
    tracer.begin()?;
    let mut told_to_stop = false;
    while tracer.drain() {
        let caught = signals.next().await;
        if caught.signal == Signal::SIGCHLD {
            continue;
        }
        if caught.ends() {
            if told_to_stop {
                // What still runs runs on, untraced, when this process has ended.
                break;
            }
            told_to_stop = true;
        }
        if !caught.from_terminal {
            let _ = nix::sys::signal::kill(root, caught.signal);
        }
    }
    tracer.watched.length = tracer.begun.elapsed();
    for thread in tracer.traced.keys().copied().collect::<Vec<Pid>>() {
        tracer.count(thread);
    }
    Ok(Some(tracer.watched))
}

/// A traced thread.
#[derive(Debug, Default, Clone, Copy)]
struct Traced {
    /// The start that it is part of.
    start: Option<usize>,
    /// Whether the first stop of the thread was seen, which the kernel causes.
    begun: bool,
    /// How much of its processor time is counted already.
    worked: Duration,
}

struct Tracer {
    root: Pid,
    begun: Instant,
    traced: HashMap<Pid, Traced>,
    watched: Watched,
}

impl Tracer {
    fn new(root: Pid) -> Self {
        Tracer {
            root,
            begun: Instant::now(),
            traced: HashMap::new(),
            watched: Watched::default(),
        }
    }

    /// The command has stopped at its exec, and waits to be continued.
    fn begin(&mut self) -> Result<(), Failure> {
        let failed = |error: Errno| Failure::failed(format!("cannot trace the command: {error}"));
        match waitpid(self.root, Some(WaitPidFlag::__WALL)).map_err(failed)? {
            WaitStatus::Stopped(..) => {}
            other => {
                self.see(other);
                return Ok(());
            }
        }
        let options = Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXIT;
        ptrace::setoptions(self.root, options).map_err(failed)?;
        self.executed(self.root);
        resume(self.root, None);
        Ok(())
    }

    /// Handles all events; returns whether there is anything left to wait for.
    fn drain(&mut self) -> bool {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::WNOHANG;
        loop {
            match waitpid(None::<Pid>, Some(flags)) {
                Ok(WaitStatus::StillAlive) => return true,
                Ok(status) => self.see(status),
                Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn see(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => {
                self.executed(pid);
                resume(pid, None);
            }
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXIT) => {
                self.count(pid);
                resume(pid, None);
            }
            WaitStatus::PtraceEvent(pid, _, _) => {
                if let Ok(new) = ptrace::getevent(pid) {
                    let new = Pid::from_raw(i32::try_from(new).unwrap_or(0));
                    let start = self.traced.get(&pid).and_then(|of| of.start);
                    // It may have shown itself before its parent's event did.
                    self.traced.entry(new).or_default().start = start;
                }
                resume(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => {
                let thread = self.traced.entry(pid).or_default();
                let is_beginning = signal == Signal::SIGSTOP && !thread.begun;
                thread.begun |= is_beginning;
                // One that job control has stopped had its signal already.
                let is_stopped = ptrace::getsiginfo(pid) == Err(Errno::EINVAL);
                resume(pid, (!is_beginning && !is_stopped).then_some(signal));
            }
            WaitStatus::Exited(pid, code) => {
                self.ended(pid, u8::try_from(code & 0xff).unwrap_or(1))
            }
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, exit_code(signal as i32)),
            WaitStatus::Continued(_) | WaitStatus::StillAlive | WaitStatus::PtraceSyscall(_) => {}
        }
    }

    fn executed(&mut self, pid: Pid) {
        let now = self.begun.elapsed();
        self.count(pid);
        if let Some(before) = self.traced.get(&pid).and_then(|of| of.start)
            && self.is_last_of(pid, before)
        {
            self.watched.end(Some(before), now);
        }
        let proc = PathBuf::from(format!("/proc/{pid}"));
        let Ok(path) = std::fs::read_link(proc.join("exe")) else {
            return;
        };
        let hosted = hosted::of(&proc, &path);
        let start = self.watched.push(Start {
            path,
            hosted,
            begun: now,
            ended: None,
            worked: Duration::ZERO,
        });
        let thread = self.traced.entry(pid).or_default();
        thread.start = start;
        thread.begun = true;
    }

    /// Counts the processor time of a thread, up to now, for what it executes.
    fn count(&mut self, pid: Pid) {
        let Some(thread) = self.traced.get_mut(&pid) else {
            return;
        };
        let worked = work::of_thread(pid.as_raw()).unwrap_or(thread.worked);
        let more = worked.saturating_sub(thread.worked);
        thread.worked = worked;
        self.watched.work(thread.start, more);
    }

    /// Whether no other process of the same start is left.
    fn is_last_of(&self, pid: Pid, start: usize) -> bool {
        !self
            .traced
            .iter()
            .any(|(other, of)| *other != pid && of.start == Some(start))
    }

    fn ended(&mut self, pid: Pid, code: u8) {
        if pid == self.root {
            self.watched.code = code;
        }
        if let Some(start) = self.traced.remove(&pid).and_then(|of| of.start)
            && self.is_last_of(pid, start)
        {
            self.watched.end(Some(start), self.begun.elapsed());
        }
    }
}

fn resume(pid: Pid, signal: Option<Signal>) {
    // One that was killed this instant is reported by the next wait.
    let _ = ptrace::cont(pid, signal);
}
