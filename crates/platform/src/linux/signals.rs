//! Signals that ask a process to end.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::terms::{Signal, Told};

#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Stream,
    interrupt: Stream,
    quit: Option<Stream>,
    hang_up: Option<Stream>,
}

impl Stop {
    pub(crate) fn take(told: Told) -> io::Result<Stop> {
        let by_terminal = told == Told::AlsoByTerminal;
        let hang_up = SignalKind::hangup();
        let is_taken = by_terminal && !is_ignored(hang_up.as_raw_value().unsigned_abs());
        Ok(Stop {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: by_terminal
                .then(|| signal(SignalKind::quit()))
                .transpose()?,
            hang_up: is_taken.then(|| signal(hang_up)).transpose()?,
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            () = next_of(self.quit.as_mut()) => SignalKind::quit(),
            () = next_of(self.hang_up.as_mut()) => SignalKind::hangup(),
        };
        Signal(kind.as_raw_value())
    }
}

async fn next_of(stream: Option<&mut Stream>) {
    match stream {
        Some(stream) => {
            stream.recv().await;
        }
        None => std::future::pending().await,
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
    use rustix::process::{Signal as Kind, getpid, kill_process};

    use super::*;

    #[test]
    fn an_ignored_hang_up_is_seen() {
        assert!(ignored_in("Name:\tx\nSigIgn:\t0000000000001001\n", 1));
        assert!(!ignored_in("Name:\tx\nSigIgn:\t0000000000001000\n", 1));
    }

    /// The process of this test is its own: others get none of its signals.
    #[tokio::test]
    async fn each_signal_is_told_by_its_number_and_again_if_it_is_put_back() {
        let mut stop = crate::signals::Stop::take(Told::AlsoByTerminal).unwrap();
        for (kind, number) in [(Kind::TERM, 15), (Kind::INT, 2), (Kind::QUIT, 3)] {
            kill_process(getpid(), kind).unwrap();
            assert_eq!(stop.next().await, Signal(number));
            stop.put_back();
            assert_eq!(stop.next().await, Signal(number));
        }
    }
}
