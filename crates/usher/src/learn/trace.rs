//! Seeing every exec of a process tree by ptrace.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Start, Watched};
use crate::failure::Failure;
use crate::run::find;
use crate::run::signals::{Signals, exit_code};
use crate::spawn::begin_traced;

/// The type of the entry in a process's auxiliary vector that holds the address of the name by
/// which it was started: for a script that of the script (getauxval(3)).
const AT_EXECFN: u64 = 31;

/// Nothing where this may not trace: then nothing was started.
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
    Ok(Some(tracer.watched))
}

/// A traced thread.
#[derive(Debug, Default, Clone, Copy)]
struct Traced {
    /// The start that it is part of.
    start: Option<usize>,
    /// Whether the stop with which the kernel begins a traced thread was seen.
    begun: bool,
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

    /// The command stands at its exec, and waits to be let on.
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
            | Options::PTRACE_O_TRACECLONE;
        ptrace::setoptions(self.root, options).map_err(failed)?;
        self.executed(self.root);
        resume(self.root, None);
        Ok(())
    }

    /// Deals with everything that has happened; whether anything is left to wait for.
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
        if let Some(before) = self.traced.get(&pid).and_then(|of| of.start)
            && self.is_last_of(pid, before)
        {
            self.watched.end(Some(before), now);
        }
        let Some((path, script)) = identify(pid) else {
            return;
        };
        let index = self.watched.push(Start {
            path,
            script,
            begun: now,
            ended: None,
        });
        self.traced.insert(
            pid,
            Traced {
                start: index,
                begun: true,
            },
        );
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

/// What a process has just begun to execute, and the script that it was started for.
fn identify(pid: Pid) -> Option<(PathBuf, Option<PathBuf>)> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let path = std::fs::read_link(proc.join("exe")).ok()?;
    let script = started_as(&proc).and_then(|name| {
        let name = std::fs::read_link(proc.join("cwd")).ok()?.join(name);
        let file = std::fs::canonicalize(name).ok()?;
        (file != path).then_some(file)
    });
    Some((path, script))
}

/// The name by which a process was started.
fn started_as(proc: &Path) -> Option<PathBuf> {
    let vector = std::fs::read(proc.join("auxv")).ok()?;
    let word = |bytes: &[u8]| bytes.try_into().map(usize::from_ne_bytes).ok();
    let size = size_of::<usize>();
    let address = vector
        .chunks_exact(2 * size)
        .find(|entry| word(&entry[..size]) == usize::try_from(AT_EXECFN).ok())
        .and_then(|entry| word(&entry[size..]))?;
    let memory = std::fs::File::open(proc.join("mem")).ok()?;
    let mut bytes = vec![0; libc::PATH_MAX as usize];
    let length = memory.read_at(&mut bytes, address as u64).ok()?;
    let end = bytes[..length].iter().position(|byte| *byte == 0)?;
    Some(PathBuf::from(OsStr::from_bytes(&bytes[..end])))
}
