//! Programs whose lease is lost for good, of products that may not be used without one
//! (`on_lost_lease = "end"`): their user is asked first, then they are ended. The same machine
//! reminds the users of idle programs ([`crate::model::idle`]).
//!
//! Only a server's refusal counts, of another seat for a session that had one: while none can be
//! reached, everything runs on. What is only tracked, and a computer whose enforcement is off, end
//! nobody's program.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_api::OnIdle;
use usher_core::reminders::{Cause, Effect, Event, Reminders, Then};
use usher_core::sessions::{ProcessKey, Session, SessionId};

use crate::model::news::words_of;
use crate::model::view::View;

/// How long a program has to end before it is killed, in milliseconds.
const KILLED_AFTER_MS: u64 = 30_000;

/// The least time that counts as sleep, because the two clocks are not read at the same instant.
const SLEPT_MS: u64 = 1_000;

/// The requests to users, and the programs that were told to end.
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
    /// When the next text or kill is due, in milliseconds since boot.
    pub(crate) fn next_due_boot_ms(&self) -> Option<u64> {
        let kills = self.ending.values().map(|ending| ending.kill_boot_ms);
        kills.chain(self.reminders.next_due_boot_ms()).min()
    }

    /// Whether the computer has slept since this was last asked.
    fn has_slept(&mut self, slept_ms: u64) -> bool {
        let before = std::mem::replace(&mut self.slept_ms, slept_ms);
        slept_ms > before + SLEPT_MS
    }

    /// What the user of an idle session was told will happen to it; none: nothing.
    pub(crate) fn asked_of_idle(&self, session: SessionId) -> Option<Then> {
        self.reminders.asked_of_idle(session)
    }

    /// How long a session has that a server has refused a seat; none: it is not ended for that. Only
    /// one that had a seat has lost it for good.
    pub(crate) fn grace_of_refused(session: &Session, view: View<'_>) -> Option<u64> {
        let grace_ms = view.rulebook.grace_without_lease(&session.product);
        let had_one = session.lease.is_some() && session.cover.is_none() && !session.held;
        grace_ms.filter(|_| had_one && !session.seated)
    }

    /// Takes in what happened to a session on a computer that has slept so long since boot. Answers
    /// what is to be said or done.
    pub(crate) fn apply(&mut self, boot_ms: u64, slept_ms: u64, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.has_slept(slept_ms) {
            self.reminders.apply(boot_ms, Event::Woke, &mut effects);
        }
        self.reminders.apply(boot_ms, event, &mut effects);
        effects
    }

    /// Other rules hold: what they do not want ended, is not. Answers the sessions that keep
    /// running without a lease.
    pub(crate) fn spare(&mut self, view: View<'_>) -> Vec<SessionId> {
        let rulebook = view.rulebook;
        self.ending.retain(|_, ending| match ending.cause {
            Cause::LostLease => rulebook.grace_without_lease(&ending.product).is_some(),
            Cause::Idle => rulebook
                .product(&ending.product)
                .is_some_and(|product| product.on_idle == OnIdle::End && rulebook.may_end(product)),
        });
        let spared = |of: &&Session| rulebook.grace_without_lease(&of.product).is_none();
        let sessions = view.sessions.open().filter(spared);
        sessions.map(|session| session.id).collect()
    }

    /// The programs of a session are told to end, as its grace is over. Whoever does not is killed
    /// later.
    pub(crate) fn is_ending(
        &mut self,
        session: SessionId,
        product: Arc<str>,
        cause: Cause,
        processes: Vec<ProcessKey>,
        boot_ms: u64,
    ) {
        let ending = Ending {
            product,
            cause,
            processes,
            kill_boot_ms: boot_ms + KILLED_AFTER_MS,
        };
        self.ending.insert(session, ending);
    }

    /// What was told to end, has not, and is to be killed with what it has started meanwhile.
    pub(crate) fn take_due(&mut self, boot_ms: u64) -> Vec<(SessionId, Vec<ProcessKey>)> {
        let due = self
            .ending
            .extract_if(.., |_, ending| ending.kill_boot_ms <= boot_ms);
        due.map(|(session, ending)| (session, ending.processes))
            .collect()
    }

    /// Notes that a session has ended. Processes that it left running are killed all the same.
    pub(crate) fn gone(&mut self, session: SessionId, boot_ms: u64) {
        let event = Event::Gone { session };
        self.reminders.apply(boot_ms, event, &mut Vec::new());
    }
}

/// The text for the user of a program whose seat is lost.
pub(crate) fn asked(product: &str, left_ms: u64) -> String {
    let left = words_of(left_ms / 1_000);
    format!(
        "usher: the seat of {product} is lost and no other is free: save your work, it is ended in \
         {left}"
    )
}

/// The text for the user of a program that will not be ended after all.
pub(crate) fn spared(product: &str) -> String {
    format!("usher: {product} may go on and is not ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_has_slept_when_its_clocks_have_parted_and_only_once() {
        let mut lost = Lost::default();
        assert!(!lost.has_slept(0));
        assert!(!lost.has_slept(2), "they are not read at once");
        assert!(lost.has_slept(8 * 3_600_000 - 62_000));
        assert!(!lost.has_slept(8 * 3_600_000 - 62_000));
    }

    #[test]
    fn what_was_told_to_end_is_killed_once_and_not_before_its_time() {
        let mut lost = Lost::default();
        let (session, process) = (SessionId(1), ProcessKey { pid: 7, start: 9 });
        lost.is_ending(session, "cad".into(), Cause::Idle, vec![process], 1_000);
        assert_eq!(lost.next_due_boot_ms(), Some(1_000 + KILLED_AFTER_MS));
        assert_eq!(lost.take_due(KILLED_AFTER_MS), []);
        let killed = lost.take_due(1_000 + KILLED_AFTER_MS);
        assert_eq!(killed, [(session, vec![process])]);
        assert_eq!(lost.take_due(u64::MAX), []);
        assert_eq!(lost.next_due_boot_ms(), None);
    }
}
