//! The command that runs on the seat: it is started in the same foreground group, and watched for
//! its end and for being stopped.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, WaitOptions, WaitStatus};

use super::find;
use super::signals::{Caught, exit_code};
use crate::failure::Failure;
use crate::spawn;

/// A started command.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
}

/// The state of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// The command runs.
    Running,
    /// It was stopped, as by Ctrl-Z.
    Stopped,
    /// It has ended, with this exit code: its own, or 128+N for signal N.
    Ended(u8),
}

impl Child {
    /// Starts `file` with the words of the command line, with variables that are set in or removed
    /// from its environment, and with the signals that are to be blocked.
    pub(crate) fn start(
        file: &Path,
        words: &[OsString],
        environment: &[(&str, Option<&str>)],
        mask: SigSet,
    ) -> Result<Child, Failure> {
        let (name, args) = words
            .split_first()
            .ok_or_else(|| Failure::usage("there is no command"))?;
        let mut command = Command::new(file);
        command.arg0(name).args(args);
        for (variable, value) in environment {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        spawn::begin_with(&mut command, mask);
        match command.spawn() {
            Ok(child) => {
                let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                // A running process has a pid above 0.
                let pid =
                    pid.ok_or_else(|| Failure::failed("the system gave a pid that is none"))?;
                Ok(Child { pid })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(find::no_command(&name.to_string_lossy()))
            }
            Err(error) => Err(find::cannot_start(
                &name.to_string_lossy(),
                &error.to_string(),
            )),
        }
    }

    /// Its process id. The process exists, if only as a zombie, until [`Child::news`] says that it
    /// has ended.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Returns the command's state, without waiting.
    pub(crate) fn news(&self) -> News {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        match rustix::process::waitpid(Some(self.pid), options) {
            Ok(Some((_, status))) => read(status),
            Ok(None) => News::Running,
            // Nobody else waits for it, so it is there until it was waited for.
            Err(_) => News::Ended(crate::failure::exit::FAILED),
        }
    }

    /// Sends it a signal. It was not waited for yet, so the pid is its own.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = nix::unistd::Pid::from_raw(self.pid.as_raw_nonzero().get());
        // It may have ended this instant.
        let _ = nix::sys::signal::kill(pid, signal);
    }

    /// Handles a signal; returns the exit code if the command has ended.
    pub(super) fn attend(&self, caught: Caught) -> Option<u8> {
        match caught.signal {
            Signal::SIGCHLD => match self.news() {
                News::Ended(code) => return Some(code),
                // Whoever started this process sees a job that is stopped.
                News::Stopped => {
                    let _ = nix::sys::signal::raise(Signal::SIGSTOP);
                }
                News::Running => {}
            },
            signal if !caught.from_terminal => self.signal(signal),
            _ => {}
        }
        None
    }
}

fn read(status: WaitStatus) -> News {
    if let Some(code) = status.exit_status() {
        return News::Ended(u8::try_from(code & 0xff).unwrap_or(u8::MAX));
    }
    if let Some(signal) = status.terminating_signal() {
        return News::Ended(exit_code(signal));
    }
    News::Stopped
}
