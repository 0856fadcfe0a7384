//! Programs whose lease is lost for good, of products that may not be used without one
//! (`on_lost_lease = "end"`): their user is asked first, then they are ended. The same machine
//! reminds the users of idle programs ([`crate::idle`]).
//!
//! Only a server's refusal counts, of another seat for a session that had one: while none can be
//! reached, everything runs on. What is only tracked, and a computer whose enforcement is off, end
//! nobody's program.

mod ending;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::process::Signal;
use usher_api::{OnIdle, OnLostLease, Reason};
use usher_core::reminders::{Cause, Effect, Event, Reminders, Then};
use usher_core::sessions::{ProcessKey, SessionId};

use crate::agent::Agent;
use crate::clock;
use crate::notices::words_of;
use crate::system::{procfs, terminal};

/// How long a program that was told to end has before it is killed.
const KILLED_AFTER_MS: u64 = 30_000;

/// Less is no sleep: the two clocks are not read at once.
const SLEPT_MS: u64 = 1_000;

/// What was asked of users, and which programs are on their way out.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    reminders: Reminders,
    ending: BTreeMap<SessionId, Ending>,
    /// How long the computer has slept since boot, as it was last known, in milliseconds.
    slept_ms: u64,
}

/// Programs that were told to end.
#[derive(Debug)]
struct Ending {
    product: Arc<str>,
    cause: Cause,
    processes: Vec<ProcessKey>,
    kill_boot_ms: u64,
}

impl Lost {
    /// When [`Agent::remind_due`] has something to do.
    pub(crate) fn next_due_boot_ms(&self) -> Option<u64> {
        let kills = self.ending.values().map(|ending| ending.kill_boot_ms);
        kills.chain(self.reminders.next_due_boot_ms()).min()
    }

    /// Whether the computer has slept since this was last asked.
    fn has_slept(&mut self, boot_ms: u64, awake_ms: u64) -> bool {
        let slept_ms = boot_ms.saturating_sub(awake_ms);
        let before = std::mem::replace(&mut self.slept_ms, slept_ms);
        slept_ms > before + SLEPT_MS
    }

    /// What the user of an idle session was told that is done with it; none: nothing.
    pub(crate) fn asked_of_idle(&self, session: SessionId) -> Option<Then> {
        self.reminders.asked_of_idle(session)
    }

    /// A session has ended. What it left running is killed all the same.
    pub(crate) fn gone(&mut self, session: SessionId) {
        let event = Event::Gone { session };
        self.reminders
            .apply(clock::boot_ms(), event, &mut Vec::new());
    }
}

impl Agent {
    /// A server has refused a session a seat: where it had one, that is lost for good.
    pub(crate) fn was_refused(&mut self, id: SessionId, reason: Reason) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        let ends_in_ms = self.grace_without_lease(&session.product);
        let had_one = session.lease.is_some() && session.cover.is_none() && !session.held;
        let grace_ms = ends_in_ms.filter(|_| had_one && !session.seated);
        self.is_unseated(id, reason, grace_ms);
        if let Some(grace_ms) = grace_ms {
            let session = id;
            self.remind(clock::boot_ms(), Event::Lost { session, grace_ms });
        }
    }

    /// A session has a seat.
    pub(crate) fn has_seat(&mut self, session: SessionId) {
        self.remind(clock::boot_ms(), Event::Seated { session });
        self.is_seated_again(session);
    }

    /// Other rules hold: what they do not want ended, is not.
    pub(crate) fn spare_by_rules(&mut self) {
        let spared = |product: &str| self.grace_without_lease(product).is_none();
        let sessions = self.sessions.open();
        let sessions: Vec<SessionId> = sessions
            .filter(|session| spared(&session.product))
            .map(|session| session.id)
            .collect();
        let mut ending = std::mem::take(&mut self.lost.ending);
        ending.retain(|_, ending| self.still_ends(ending));
        self.lost.ending = ending;
        for session in sessions {
            self.remind(clock::boot_ms(), Event::Spared { session });
        }
        self.spare_idle_by_rules();
    }

    fn still_ends(&self, ending: &Ending) -> bool {
        match ending.cause {
            Cause::LostLease => self.grace_without_lease(&ending.product).is_some(),
            Cause::Idle => self
                .product(&ending.product)
                .is_some_and(|product| product.on_idle == OnIdle::End && self.may_end(product)),
        }
    }

    /// Does what is due.
    pub(crate) fn remind_due(&mut self, boot_ms: u64) {
        self.remind(boot_ms, Event::Tick);
        let due = self.lost.ending.iter();
        let due: Vec<SessionId> = due
            .filter(|(_, ending)| ending.kill_boot_ms <= boot_ms)
            .map(|(session, _)| *session)
            .collect();
        for session in due {
            let Some(mut ending) = self.lost.ending.remove(&session) else {
                continue;
            };
            // And what they have started meanwhile.
            ending.processes.extend(self.processes_to_end(session));
            ending::signal_all(&ending.processes, Signal::KILL);
        }
    }

    /// How long a program of a product has that has lost its lease; none: for ever.
    fn grace_without_lease(&self, product: &str) -> Option<u64> {
        let product = self.product(product)?;
        let ends = product.on_lost_lease == OnLostLease::End && self.may_end(product);
        ends.then(|| u64::from(product.grace_seconds) * 1_000)
    }

    pub(crate) fn remind(&mut self, boot_ms: u64, event: Event) {
        let mut effects = Vec::new();
        if self.lost.has_slept(clock::boot_ms(), clock::awake_ms()) {
            self.lost
                .reminders
                .apply(boot_ms, Event::Woke, &mut effects);
        }
        self.lost.reminders.apply(boot_ms, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Ask {
                    session,
                    cause: Cause::LostLease,
                    until_boot_ms,
                    ..
                } => {
                    let left = words_of(until_boot_ms.saturating_sub(boot_ms) / 1_000);
                    self.tell_of(session, |product| {
                        format!(
                            "usher: the seat of {product} is lost and no other is free: save your \
                             work, it is ended in {left}"
                        )
                    });
                }
                Effect::TakeBack {
                    session,
                    cause: Cause::LostLease,
                } => self.tell_of(session, |product| {
                    format!("usher: {product} may go on and is not ended")
                }),
                Effect::End { session, cause } => {
                    if cause == Cause::Idle {
                        self.remind_idle(effect, boot_ms);
                    }
                    self.end_programs(session, cause, boot_ms);
                }
                idle => self.remind_idle(idle, boot_ms),
            }
        }
    }

    fn end_programs(&mut self, session: SessionId, cause: Cause, boot_ms: u64) {
        let Some(product) = self.sessions.get(session).map(|of| of.product.clone()) else {
            return;
        };
        let processes = self.processes_to_end(session);
        tracing::warn!(
            session = session.0,
            product = &*product,
            processes = processes.len(),
            ?cause,
            "its grace is over: it is ended"
        );
        ending::signal_all(&processes, Signal::TERM);
        let ending = Ending {
            product,
            cause,
            processes,
            kill_boot_ms: boot_ms + KILLED_AFTER_MS,
        };
        self.lost.ending.insert(session, ending);
    }

    fn tell_of(&self, id: SessionId, text: impl Fn(&str) -> String) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        tracing::info!(
            session = id.0,
            product = &*session.product,
            "its user is told"
        );
        self.tell_user(id, &text(&session.product));
    }

    /// Tells the user of a session something: on the terminals of its programs.
    pub(crate) fn tell_user(&self, session: SessionId, text: &str) {
        let members = self.sessions.members();
        let pids = members
            .filter(|(of, _)| *of == session)
            .filter(|(_, key)| procfs::still_runs(*key))
            .map(|(_, key)| key.pid);
        terminal::tell_all(pids, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_has_slept_when_its_clocks_have_parted_and_only_once() {
        let mut lost = Lost::default();
        assert!(!lost.has_slept(60_000, 60_000));
        assert!(!lost.has_slept(61_002, 61_000), "they are not read at once");
        assert!(lost.has_slept(8 * 3_600_000, 62_000));
        assert!(!lost.has_slept(8 * 3_600_000 + 5_000, 67_000));
    }
}
