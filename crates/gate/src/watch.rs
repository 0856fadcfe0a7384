//! The partner's own look at the gate: if the guard cannot end a gate that is late, the partner
//! does. Slower than the guard, who is to be the first; as slow as the gate, who misses its guard.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::gate::{GUARD_LOOK_EVERY, GUARD_LOOKS};
use crate::partner::{Gate, as_pid};
use crate::patience::Patience;

/// Asks a gate for signs of life, and ends it when none comes. For the thread that answers it.
#[derive(Debug)]
pub struct GateWatch {
    /// None: it has ended before it was watched.
    process: Option<OwnedFd>,
    patience: Patience,
}

impl GateWatch {
    /// Watches `gate`.
    pub fn over(gate: &Gate) -> Self {
        let pid = as_pid(gate.pid());
        let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Self {
            process,
            patience: Patience::new(GUARD_LOOK_EVERY, GUARD_LOOKS, Instant::now()),
        }
    }

    /// When to look next, if nothing is heard until then.
    pub fn next_look(&self) -> Instant {
        self.patience.next_look()
    }

    /// The gate has said something, whatever it is.
    pub fn heard(&mut self) {
        self.patience.heard(Instant::now());
    }

    /// Looks, if it is time to, after all that the gate has said was heard: asks it for its
    /// figures, or ends it. Then [`Word::Ended`](crate::Word::Ended) follows.
    pub fn look(&mut self, gate: &Gate) {
        let now = Instant::now();
        if now < self.patience.next_look() {
            return;
        }
        if !self.patience.is_at_its_end(now) {
            // A gate that takes no more messages gives no sign of life either.
            let _ = gate.ask_figures();
            return;
        }
        if let Some(process) = &self.process {
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }
}
