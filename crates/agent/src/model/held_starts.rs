//! Starts that wait for a seat: the requests to the server for them, and their answers.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use usher_api::Mode;
use usher_core::sessions::{AskId, Effect, Event, ProcessKey, SessionId, Sessions, Who};

use crate::gate::{Start, Waiting};
use crate::model::news::Denial;
use crate::model::view::View;

/// How long a held start waits for a seat: while the server answers, and after it last did not.
const SEAT_WITHIN_MS: u64 = 2_000;
const SEAT_WITHIN_AWAY_MS: u64 = 250;
/// After this time the gate has let go every start that it asked about.
const FORGOTTEN_AFTER_MS: u64 = 10_000;
/// How many starts may wait at one time: as many as the gate holds.
const WAITING_LIMIT: usize = usher_gate::HELD_AT_MOST;

/// How many processes of sessions are checked in one go whether they still exist.
const LOOKED_AT_ONCE: usize = 512;

/// All waiting starts.
#[derive(Debug, Default)]
pub(crate) struct HeldStarts {
    asked: u64,
    waiting: FxHashMap<AskId, HeldStart>,
    /// Sessions for which a seat was asked for, and until when to wait for it.
    due: FxHashMap<SessionId, u64>,
    /// Why sessions were refused, in words for their users.
    denials: FxHashMap<SessionId, Denial>,
    /// The pid up to which processes were checked.
    looked_at_up_to: u32,
}

/// The outcome of a start that waited.
#[derive(Debug)]
pub(crate) enum Answered {
    /// The program runs.
    Run(Waiting),
    /// The program is refused.
    Refused(Refused),
}

/// A start that is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) waiting: Waiting,
    /// The lines that its user reads.
    pub(crate) lines: String,
    pub(crate) who: Who,
    pub(crate) product: Arc<str>,
    /// The server's refusal; none: no server answered.
    pub(crate) denial: Option<Denial>,
}

#[derive(Debug)]
struct HeldStart {
    waiting: Waiting,
    who: Who,
    product: Arc<str>,
    since_boot_ms: u64,
}

impl HeldStarts {
    /// When the next start has waited long enough, in milliseconds since boot.
    pub(crate) fn next_due_boot_ms(&self) -> Option<u64> {
        self.due.values().copied().min()
    }

    /// Sessions for which a seat was waited for long enough, or, with `all`, is in vain.
    fn in_vain(&self, all: bool, boot_ms: u64) -> Vec<SessionId> {
        let due = self.due.iter();
        let due = due.filter(|(_, until)| all || **until <= boot_ms);
        let mut sessions: Vec<SessionId> = due.map(|(id, _)| *id).collect();
        sessions.sort_unstable();
        sessions
    }

    /// Notes that nobody waits for a session's seat any more.
    pub(crate) fn answered(&mut self, session: SessionId) {
        self.due.remove(&session);
        self.denials.remove(&session);
    }

    /// Notes that a seat could not even be asked for, so that nobody waits for the answer.
    fn hurry(&mut self, session: SessionId) {
        if let Some(until) = self.due.get_mut(&session) {
            *until = 0;
        }
    }

    /// Notes that the server has refused a session.
    pub(crate) fn denied(&mut self, session: SessionId, denial: Denial) {
        self.answered(session);
        self.denials.insert(session, denial);
    }

    /// Takes what concerns those who wait: what becomes of their starts, and the rest, which is for the
    /// disk.
    pub(crate) fn take(
        &mut self,
        effects: Vec<Effect>,
        is_connected: bool,
        boot_ms: u64,
    ) -> (Vec<Answered>, Vec<Effect>) {
        let within_ms = match is_connected {
            true => SEAT_WITHIN_MS,
            false => SEAT_WITHIN_AWAY_MS,
        };
        let mut answered = Vec::new();
        let mut rest = Vec::with_capacity(effects.len());
        for effect in effects {
            match &effect {
                Effect::Allow(ask) => answered.extend(self.allowed(*ask)),
                Effect::Refuse { ask, session } => answered.extend(self.refused(*ask, *session)),
                Effect::WantLease { session, gate } => {
                    if *gate {
                        self.due.insert(*session, boot_ms + within_ms);
                    }
                    rest.push(effect);
                }
                Effect::Dropped(session) | Effect::ReleaseLease(session) => {
                    self.answered(*session);
                    rest.push(effect);
                }
                _ => rest.push(effect),
            }
        }
        (answered, rest)
    }

    /// A start is held until it is known whether there is a seat for it: what the sessions are to be
    /// told of it. None: too many wait, and the gate lets its own deadline decide.
    pub(crate) fn admit(&mut self, start: Start, boot_ms: u64) -> Option<Event> {
        let Start {
            waiting,
            process,
            unanswered,
        } = start;
        let product = process.uses.as_ref()?.product.clone();
        if self.waiting.len() >= WAITING_LIMIT {
            return None;
        }
        self.asked += 1;
        let ask = AskId(self.asked);
        let asked = HeldStart {
            waiting,
            who: process.who,
            product,
            since_boot_ms: boot_ms,
        };
        self.waiting.insert(ask, asked);
        Some(Event::Asked {
            ask,
            process,
            unanswered,
        })
    }

    /// The next processes of which it is looked whether they have gone in silence: those that are
    /// followed for their starts, or are in sessions, a part of them at a time.
    pub(crate) fn next_to_look_at(&mut self, sessions: &Sessions) -> Vec<ProcessKey> {
        let members = sessions.members().chain(sessions.starts());
        let mut all: Vec<ProcessKey> = members.map(|(_, key)| key).collect();
        all.sort_unstable_by_key(|key| key.pid);
        let from = self.looked_at_up_to;
        let next = all.partition_point(|key| key.pid <= from);
        let part = &all[next..all.len().min(next + LOOKED_AT_ONCE)];
        self.looked_at_up_to = match part.len() < LOOKED_AT_ONCE {
            true => 0,
            false => part.last().map_or(0, |key| key.pid),
        };
        part.to_vec()
    }

    /// Answers by the policy, at once, those whose seat could not even be asked for.
    pub(crate) fn wait_in_vain(&mut self, effects: &[Effect], sessions: &Sessions) {
        for effect in effects {
            if let Effect::WantLease { session, gate } = effect
                && *gate
                && sessions.is_asking(*session)
            {
                self.hurry(*session);
            }
        }
    }

    /// Lets go the starts of products that are no longer enforced.
    pub(crate) fn let_go_ungated(&mut self, view: View<'_>) -> Vec<Event> {
        let is_enforced = |session: SessionId| {
            let session = view.sessions.get(session);
            let product = session.and_then(|of| view.rulebook.product(&of.product));
            product.is_some_and(|product| product.mode == Mode::Enforce)
        };
        let mut let_go = self.in_vain(true, 0);
        let_go.retain(|session| !is_enforced(*session));
        for session in &let_go {
            self.answered(*session);
        }
        let ungated = |session| Event::Ungated { session };
        let_go.into_iter().map(ungated).collect()
    }

    /// Answers by the policy those that have waited long enough for a seat; with `all`, because no
    /// server can be reached, all of them.
    pub(crate) fn let_go(&mut self, all: bool, boot_ms: u64) -> Vec<Event> {
        let in_vain = self.in_vain(all, boot_ms);
        for session in &in_vain {
            self.answered(*session);
        }
        let unreachable = |session| Event::Unreachable { session };
        in_vain.into_iter().map(unreachable).collect()
    }

    /// Forgets a process that has ended meanwhile.
    pub(crate) fn forget_old(&mut self, boot_ms: u64) {
        self.waiting
            .retain(|_, asked| boot_ms.saturating_sub(asked.since_boot_ms) < FORGOTTEN_AFTER_MS);
    }

    fn allowed(&mut self, ask: AskId) -> Option<Answered> {
        let asked = self.waiting.remove(&ask)?;
        Some(Answered::Run(asked.waiting))
    }

    fn refused(&mut self, ask: AskId, session: Option<SessionId>) -> Option<Answered> {
        let asked = self.waiting.remove(&ask)?;
        let denial = session.and_then(|session| self.denials.get(&session));
        Some(Answered::Refused(Refused {
            lines: reason_for(&asked.product, denial),
            waiting: asked.waiting,
            who: asked.who,
            product: asked.product,
            denial: denial.cloned(),
        }))
    }
}

/// The lines for a user whose start is refused.
fn reason_for(product: &str, denial: Option<&Denial>) -> String {
    let Some(denial) = denial else {
        return format!(
            "usher: {product} was not started: no metering server answers, and without one it may \
             not run: try again later"
        );
    };
    let wait = match denial.can_wait() {
        true => format!("\n       be told when a seat is free: usher notify --when-free {product}"),
        false => String::new(),
    };
    format!(
        "usher: {product} was not started: {}{wait}\n       how the seats are held, and more: usher why {}",
        denial.detail, denial.decision
    )
}

#[cfg(test)]
mod tests {
    use usher_api::Reason;

    use super::*;

    #[test]
    fn who_is_refused_reads_why_and_what_to_do_a_line_each() {
        let denial = |reason| Denial {
            reason,
            detail: "the only seat of solver is in use: start it again later".to_owned(),
            decision: "D5dc2d1db-13".to_owned(),
        };
        assert_eq!(
            reason_for("solver", Some(&denial(Reason::NoSeat))),
            "usher: solver was not started: the only seat of solver is in use: start it again \
             later\n       be told when a seat is free: usher notify --when-free solver\n       \
             how the seats are held, and more: usher why D5dc2d1db-13"
        );
        let disabled = reason_for("solver", Some(&denial(Reason::ProductDisabled)));
        assert!(!disabled.contains("when a seat is free"), "{disabled}");
        assert!(reason_for("solver", None).contains("no metering server answers"));
    }
}
