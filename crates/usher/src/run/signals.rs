//! Signals as events, with who sent them.
//!
//! They are read from a signalfd, because that tells a signal of the terminal, which reaches the
//! whole foreground group anyway, from one that was sent to this process alone and must be passed
//! on. A thread of its own reads them: it sleeps until there is one.

use std::io;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use tokio::sync::mpsc;

use crate::failure::Failure;

/// Set by the kernel for signals of its own, such as those of a terminal.
const SI_KERNEL: i32 = 0x80;

const WATCHED: [Signal; 9] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
    Signal::SIGCONT,
    Signal::SIGCHLD,
];

/// One signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caught {
    /// The signal.
    pub(crate) signal: Signal,
    /// Whether the kernel sent it, to the whole foreground group.
    pub(crate) from_terminal: bool,
}

impl Caught {
    /// Whether it asks this process to end.
    pub(crate) fn ends(self) -> bool {
        matches!(
            self.signal,
            Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT
        )
    }
}

/// How many signals are read ahead; the kernel keeps the rest.
const AHEAD: usize = 16;

/// The signals of this process, from now on.
pub(crate) struct Signals {
    caught: mpsc::Receiver<Caught>,
    before: SigSet,
}

impl Signals {
    /// Takes the signals over. To be called while this process has one thread.
    pub(crate) fn take() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("cannot watch signals: {error}"));
        let mut mask = SigSet::empty();
        for signal in WATCHED {
            mask.add(signal);
        }
        let before = mask
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map_err(|error| failed(error.into()))?;
        let source = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC)
            .map_err(|error| failed(error.into()))?;
        let (tell, caught) = mpsc::channel(AHEAD);
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || read(&source, &tell))
            .map_err(failed)?;
        Ok(Signals { caught, before })
    }

    /// The signals that were blocked before: what a child is to begin with.
    pub(crate) fn mask_before(&self) -> SigSet {
        self.before
    }

    /// The next one. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Caught {
        match self.caught.recv().await {
            Some(caught) => caught,
            // The reader never ends before this process does.
            None => std::future::pending().await,
        }
    }

    /// The next one that asks this process to end.
    pub(crate) async fn ending(&mut self) -> usher_platform::signals::Signal {
        loop {
            let caught = self.next().await;
            if caught.ends() {
                return usher_platform::signals::Signal(caught.signal as i32);
            }
        }
    }
}

fn read(source: &SignalFd, tell: &mpsc::Sender<Caught>) {
    loop {
        let Ok(Some(info)) = source.read_signal() else {
            continue;
        };
        let number = i32::try_from(info.ssi_signo).unwrap_or(0);
        let Ok(signal) = Signal::try_from(number) else {
            continue;
        };
        let caught = Caught {
            signal,
            from_terminal: info.ssi_code == SI_KERNEL,
        };
        if tell.blocking_send(caught).is_err() {
            return;
        }
    }
}

/// The exit code of a process that a signal has ended.
pub(crate) fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}
