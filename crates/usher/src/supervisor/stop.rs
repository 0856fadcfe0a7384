//! The signals that tell `usher up` to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// SIGTERM, SIGINT, SIGQUIT, and SIGHUP unless whoever started this process ignores it (nohup).
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Option<Signal>,
    /// One came, and is still to be acted upon.
    pending: bool,
}

impl StopSignals {
    pub(crate) fn take() -> Result<Self, Failure> {
        let take = |kind| {
            signal(kind).map_err(|error| Failure::failed(format!("cannot watch signals: {error}")))
        };
        let hang_up = if is_ignored(1) {
            None
        } else {
            Some(take(SignalKind::hangup())?)
        };
        Ok(StopSignals {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
            quit: take(SignalKind::quit())?,
            hang_up,
            pending: false,
        })
    }

    /// One came while something else was being done: the next who asks gets it.
    pub(crate) fn put_back(&mut self) {
        self.pending = true;
    }

    /// The next of them.
    pub(crate) async fn next(&mut self) {
        if std::mem::take(&mut self.pending) {
            return;
        }
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
            _ = hang_up => {}
        }
    }
}

fn is_ignored(number: u32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status, number))
}

fn ignored_in(status: &str, number: u32) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hang_up_is_seen() {
        assert!(ignored_in("Name:\tx\nSigIgn:\t0000000000001001\n", 1));
        assert!(!ignored_in("Name:\tx\nSigIgn:\t0000000000001000\n", 1));
    }
}
