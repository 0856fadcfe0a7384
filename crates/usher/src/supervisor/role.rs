//! One role: a child process that is to be there.

use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use rustix::io::FdFlags;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use usher_vital::log;

use super::backoff::{self, Backoff};
use super::child::{describe, exit_code, is_on_purpose, listen, ready_line};
use super::stop::StopSignals;
use crate::failure::{Failure, exit};

/// How often to say that a start takes its time.
const REMINDER: Duration = Duration::from_secs(30);

/// How long a role that is started again may take until it is ready.
const READY: Duration = Duration::from_secs(30 * 60);

/// What came of a first start.
#[derive(Debug)]
pub(super) enum First {
    /// It serves; its ready line.
    Ready(String),
    /// It ended instead, having said why; its exit code.
    Ended(u8),
    /// This process was told to stop meanwhile.
    Stopped,
}

/// A child process that is to be there.
pub(super) struct Role {
    name: &'static str,
    program: PathBuf,
    words: Vec<OsString>,
    /// What it is given to listen on; this process keeps it while the role is to be there.
    listener: Option<TcpListener>,
    /// Where that is, to listen there again after it was given up.
    address: Option<SocketAddr>,
    state: State,
    backoff: Backoff,
}

enum State {
    /// It ended as somebody asked it to: it stays down.
    Stopped,
    /// It died too often: it stays down until somebody asks for a start.
    GivenUp,
    Down {
        again_at: Instant,
    },
    Up {
        child: Box<Child>,
        /// Tells the ready line, once.
        told: Option<oneshot::Receiver<String>>,
        ready_since: Option<Instant>,
    },
}

impl Role {
    /// A role that this very program plays, told by `words`.
    pub(super) fn new(name: &'static str, words: Vec<OsString>) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| {
            Failure::failed(format!("cannot tell which program this is: {error}"))
        })?;
        let state = State::Down {
            again_at: Instant::now(),
        };
        Ok(Role {
            name,
            program,
            words,
            listener: None,
            address: None,
            state,
            backoff: Backoff::new(),
        })
    }

    /// One that is given what it listens on.
    pub(super) fn with_listener(
        name: &'static str,
        words: Vec<OsString>,
        listener: TcpListener,
    ) -> Result<Self, Failure> {
        let mut role = Role::new(name, words)?;
        role.address = listener.local_addr().ok();
        role.listener = Some(listener);
        Ok(role)
    }

    /// The program that plays it.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Its process, while there is one.
    pub(super) fn pid(&self) -> Option<u32> {
        match &self.state {
            State::Up { child, .. } => child.id(),
            State::Stopped | State::GivenUp | State::Down { .. } => None,
        }
    }

    /// Whether it died too often, and is not started again.
    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.state, State::GivenUp)
    }

    /// What people call it.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// What it is told when it is started the next time.
    pub(super) fn set_words(&mut self, words: Vec<OsString>) {
        self.words = words;
    }

    fn start(&mut self) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.words)
            .args(["--supervisor", &std::process::id().to_string()])
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Ctrl-C is for this process, which stops them in their order.
            .process_group(0);
        if let Some(listener) = &self.listener {
            let number = listener.as_raw_fd().to_string();
            command.args(["--inherited-listener", &number]);
        }
        let failed =
            |error: io::Error| Failure::failed(format!("cannot start the {}: {error}", self.name));
        // This process is one thread: nobody else is started meanwhile.
        self.hand_down(FdFlags::empty()).map_err(failed)?;
        let spawned = command.spawn();
        self.hand_down(FdFlags::CLOEXEC).map_err(failed)?;
        let mut child = spawned.map_err(failed)?;
        let (tell, told) = oneshot::channel();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(listen(stdout, tell));
        }
        self.state = State::Up {
            child: Box::new(child),
            told: Some(told),
            ready_since: None,
        };
        Ok(())
    }

    /// Whether children get the listener.
    fn hand_down(&self, flags: FdFlags) -> io::Result<()> {
        match &self.listener {
            Some(listener) => Ok(rustix::io::fcntl_setfd(listener, flags)?),
            None => Ok(()),
        }
    }

    /// Starts it, and waits until it is ready. One that ends instead is not tried again: what is
    /// wrong from the start, such as a port that is taken, does not mend by itself.
    pub(super) async fn first_start(&mut self, stop: &mut StopSignals) -> Result<First, Failure> {
        self.start()?;
        loop {
            let State::Up {
                child,
                told,
                ready_since,
            } = &mut self.state
            else {
                return Ok(First::Stopped);
            };
            tokio::select! {
                biased;
                Some(line) = ready_line(told) => {
                    *ready_since = Some(Instant::now());
                    return Ok(First::Ready(line));
                }
                status = child.wait() => {
                    let code = status.map_or(exit::FAILED, exit_code);
                    self.state = State::Down { again_at: Instant::now() };
                    log::line(&format!("usher: the {} could not be started", self.name));
                    return Ok(First::Ended(code));
                }
                () = stop.next() => return Ok(First::Stopped),
                () = sleep(REMINDER) => log::line(&format!(
                    "usher: the {} is still getting ready", self.name
                )),
            }
        }
    }

    /// Waits for the next thing that happens to it, and sees to it: an end, or the time to start it
    /// again. May be dropped and called again.
    pub(super) async fn tend(&mut self) {
        match &mut self.state {
            State::Up {
                child,
                told,
                ready_since,
            } => {
                let status = tokio::select! {
                    biased;
                    status = child.wait() => status,
                    line = ready_line(told) => {
                        *ready_since = line.map(|_| Instant::now());
                        return;
                    }
                };
                if status.as_ref().is_ok_and(is_on_purpose) {
                    self.state = State::Stopped;
                    // Whoever comes is to be refused, not to wait for nothing.
                    self.listener = None;
                    log::line(&format!(
                        "usher: the {} was stopped on purpose, and stays so until `usher up` is \
                         started again",
                        self.name
                    ));
                    return;
                }
                let ready_for = ready_since.map_or(Duration::ZERO, |since| since.elapsed());
                let how = status.map_or_else(|error| error.to_string(), describe);
                self.died(ready_for, &format!("ended ({how})"));
            }
            State::Stopped | State::GivenUp => std::future::pending().await,
            State::Down { again_at } => {
                sleep_until(*again_at).await;
                if let Err(failure) = self.start() {
                    log::line(&failure.to_string());
                    self.died(Duration::ZERO, "could not be started");
                }
            }
        }
    }

    /// It is down, and what becomes of it is said: it is started again, or was too often.
    fn died(&mut self, ready_for: Duration, how: &str) {
        let now = Instant::now();
        let name = self.name;
        match self.backoff.after(ready_for, now) {
            Some(pause) => {
                self.state = State::Down {
                    again_at: now + pause,
                };
                let seconds = pause.as_secs_f64();
                log::line(&format!(
                    "usher: the {name} {how}; it is started again in {seconds:.1} s"
                ));
            }
            None => {
                self.state = State::GivenUp;
                // Whoever comes is to be refused, not to wait for nothing.
                self.listener = None;
                log::line(&format!(
                    "usher: the {name} {how}, {} times within {} minutes: it is not started again. \
                     What it said last is above; when that is mended, restart `usher up`",
                    backoff::DEATHS_LIMIT,
                    backoff::WINDOW.as_secs() / 60
                ));
            }
        }
    }

    /// Stops it and starts it again, from the program as it lies there now; done when it is ready.
    /// Where it does not come up it is tried again as after any death, and the error says what
    /// happened.
    pub(super) async fn restart(
        &mut self,
        grace: Duration,
        stop: &mut StopSignals,
    ) -> Result<(), String> {
        match self.state {
            State::Stopped => return Err(format!("the {} was stopped on purpose", self.name)),
            // Another program may lie there now: an upgrade may have been taken back.
            State::GivenUp => self.listen_again()?,
            State::Down { .. } | State::Up { .. } => {}
        }
        self.end(grace, stop).await;
        self.backoff.forget();
        self.state = State::Down {
            again_at: Instant::now() + backoff::FIRST,
        };
        self.start().map_err(|failure| failure.to_string())?;
        let State::Up {
            child,
            told,
            ready_since,
        } = &mut self.state
        else {
            return Err(format!("the {} is not there", self.name));
        };
        let ended = tokio::select! {
            biased;
            Some(_) = ready_line(told) => {
                *ready_since = Some(Instant::now());
                return Ok(());
            }
            status = child.wait() => status.map_or_else(|error| error.to_string(), describe),
            // It is stopped with the others.
            () = stop.next() => {
                stop.put_back();
                return Err("`usher up` was told to stop".to_owned());
            }
            () = sleep(READY) => {
                return Err(format!("it was not ready after {} s", READY.as_secs()));
            }
        };
        // Whoever asked decides what comes next, as an upgrade that is taken back; the address stays
        // open for that. Only if nobody does is it tried again.
        let pause = backoff::LONGEST;
        self.state = State::Down {
            again_at: Instant::now() + pause,
        };
        log::line(&format!(
            "usher: the {} ended at its start ({ended}); unless it is restarted before, it is started \
             again in {} s",
            self.name,
            pause.as_secs()
        ));
        Err(format!("it ended at its start ({ended})"))
    }

    fn listen_again(&mut self) -> Result<(), String> {
        if let (None, Some(address)) = (&self.listener, self.address) {
            let listener = usher_server::bind(address).map_err(|error| error.to_string())?;
            self.listener = Some(listener);
        }
        Ok(())
    }

    /// Stops it: asks, waits, and kills it if it does not end in time, or at another signal.
    /// True if it ended by itself.
    pub(super) async fn stop(mut self, grace: Duration, stop: &mut StopSignals) -> bool {
        // Whoever comes now is refused by the system, not left waiting.
        self.listener = None;
        self.end(grace, stop).await
    }

    async fn end(&mut self, grace: Duration, stop: &mut StopSignals) -> bool {
        let State::Up { child, .. } = &mut self.state else {
            return true;
        };
        // Without an id it was waited for already.
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM);
        }
        let ended = tokio::select! {
            ended = timeout(grace, child.wait()) => ended.is_ok(),
            () = stop.next() => {
                stop.put_back();
                false
            }
        };
        if !ended {
            drop(child.kill().await);
        }
        ended
    }
}
