//! Being told to stop.

use std::io;

use crate::system::signals as system;

pub use crate::terms::{Signal, Told};

/// The signals that tell this process to stop, from now on: they do not end it any more.
#[derive(Debug)]
pub struct Stop {
    signals: system::Stop,
    /// The one that came last.
    last: Option<Signal>,
    /// It is still to be acted upon.
    is_pending: bool,
}

impl Stop {
    /// Takes them over. To be called within a runtime.
    ///
    /// # Errors
    /// The system says no.
    pub fn take(told: Told) -> io::Result<Stop> {
        let signals = system::Stop::take(told)?;
        Ok(Stop {
            signals,
            last: None,
            is_pending: false,
        })
    }

    /// The last signal came while something else was being done: the next call of
    /// [`next`](Self::next) returns it again.
    pub fn put_back(&mut self) {
        self.is_pending = true;
    }

    /// The next of them. May be dropped and called again.
    pub async fn next(&mut self) -> Signal {
        if let (true, Some(signal)) = (std::mem::take(&mut self.is_pending), self.last) {
            return signal;
        }
        let signal = self.signals.next().await;
        self.last = Some(signal);
        signal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_tells_the_signal_as_shells_do() {
        assert_eq!(Signal(15).exit_code(), 143);
        assert_eq!(Signal(i32::MAX).exit_code(), 255);
    }
}
