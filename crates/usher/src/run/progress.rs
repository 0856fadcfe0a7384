//! The place in the queue, on stderr: a line that is rewritten on a terminal, else a line for each
//! change.

use std::io::{self, IsTerminal, Write};

use crate::output::tame;
use crate::time;

/// Shorter waits are not shown in seconds.
const SOON_SECONDS: u64 = 10;

/// Shows a place in the queue.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: bool,
    shown: Option<String>,
}

impl Progress {
    /// Writes to standard error.
    pub(crate) fn new() -> Self {
        Progress {
            terminal: io::stderr().is_terminal(),
            shown: None,
        }
    }

    /// Shows the place, if it has changed.
    pub(crate) fn show(&mut self, product: &str, position: Option<u32>, expected: Option<u64>) {
        let text = sentence(product, position, expected);
        if self.shown.as_ref() == Some(&text) {
            return;
        }
        match self.terminal {
            true => drop(write!(io::stderr(), "\r\x1b[K{text}")),
            false => drop(writeln!(io::stderr(), "{text}")),
        }
        self.shown = Some(text);
    }

    /// Ends the line that was being rewritten.
    pub(crate) fn clear(&mut self) {
        if self.terminal && self.shown.is_some() {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
        self.shown = None;
    }
}

/// The expected wait in words, rounded: it is not known to the second.
pub(crate) fn expected_wait(seconds: Option<u64>) -> String {
    match seconds {
        Some(0..SOON_SECONDS) => format!("under {}", time::span(SOON_SECONDS)),
        Some(seconds) => time::span(seconds),
        None => "not known".to_owned(),
    }
}

fn sentence(product: &str, position: Option<u32>, expected: Option<u64>) -> String {
    let place = position
        .map(|place| format!(", place {place} in the queue"))
        .unwrap_or_default();
    let wait = format!("expected wait {}", expected_wait(expected));
    format!(
        "usher: waiting for a seat of {}{place}, {wait}",
        tame(product)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_and_the_expected_wait_are_said() {
        assert_eq!(
            sentence("gimp", Some(2), Some(90)),
            "usher: waiting for a seat of gimp, place 2 in the queue, expected wait 1 min 30 s"
        );
        assert_eq!(
            sentence("gimp", Some(1), Some(0)),
            "usher: waiting for a seat of gimp, place 1 in the queue, expected wait under 10 s"
        );
        assert_eq!(
            sentence("gimp", None, None),
            "usher: waiting for a seat of gimp, expected wait not known"
        );
    }
}
