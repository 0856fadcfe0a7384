//! How far a backup or a restore is, on a terminal and if it takes long.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use usher_site::CopyStep;

use crate::output::bytes;

/// What ends sooner says nothing.
const QUIET: Duration = Duration::from_secs(2);
/// How often it is shown.
const EACH: Duration = Duration::from_millis(500);

pub(crate) struct Progress {
    is_terminal: bool,
    begun: Instant,
    shown: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress {
            is_terminal: io::stderr().is_terminal(),
            begun: Instant::now(),
            shown: None,
        }
    }

    /// Shows how far it is, if it is time for that.
    pub(crate) fn told(&mut self, step: CopyStep) {
        let is_due = match self.shown {
            None => self.begun.elapsed() >= QUIET,
            Some(shown) => shown.elapsed() >= EACH,
        };
        if self.is_terminal && is_due {
            self.shown = Some(Instant::now());
            drop(write!(io::stderr(), "\r\x1b[Kusher: {}", words(step)));
        }
    }
}

impl Drop for Progress {
    /// Ends the line that was being rewritten.
    fn drop(&mut self) {
        if self.shown.take().is_some() {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

fn words(step: CopyStep) -> String {
    match step.all_bytes {
        Some(all) => format!(
            "{} of about {} {}",
            bytes(step.bytes),
            bytes(all),
            step.done
        ),
        None => format!("{} {}", bytes(step.bytes), step.done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_how_much_there_is_if_that_is_known() {
        let mut step = CopyStep {
            done: "written",
            bytes: 3 << 20,
            all_bytes: Some(5 << 20),
        };
        assert_eq!(words(step), "3.0 MiB of about 5.0 MiB written");
        step.all_bytes = None;
        assert_eq!(words(step), "3.0 MiB written");
    }
}
