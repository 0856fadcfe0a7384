//! Starts that wait for a seat: the requests to the server for them, and their answers.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use usher_api::Mode;
use usher_core::sessions::{AskId, Effect, Event, ProcessKey, SessionId, Sessions, Who};

use crate::gate::{Start, Waiting};
use crate::model::news::Denial;
use crate::model::view::View;

/// How long a seat is waited for while the server answers, and while it last did not.
const SEAT_WITHIN_MS: u64 = 2_000;
const SEAT_WITHIN_AWAY_MS: u64 = 250;
/// By then the gate has let every start go that was asked about.
const FORGOTTEN_AFTER_MS: u64 = 10_000;
/// Starts that wait at once, at most as many as the gate holds.
const WAITING_LIMIT: usize = usher_gate::HELD_AT_MOST;

/// Processes of sessions that are looked at in one go, whether they are there still.
const LOOKED_AT_ONCE: usize = 512;

/// All that wait.
#[derive(Debug, Default)]
pub(crate) struct HeldStarts {
    asked: u64,
    waiting: FxHashMap<AskId, HeldStart>,
    /// Sessions that a seat was asked for, and until when it is waited for.
    due: FxHashMap<SessionId, u64>,
    /// Why sessions were refused, and what to do, for their users.
    denials: FxHashMap<SessionId, Denial>,
    /// Up to which pid processes were looked at, whether they are there still.
    looked_at_up_to: u32,
}

/// What becomes of a start that waited.
#[derive(Debug)]
pub(crate) enum Answered {
    /// It runs.
    Run(Waiting),
    /// It does not.
    Refused(Refused),
}

/// A start that is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) waiting: Waiting,
    /// What its user reads where it was started.
    pub(crate) lines: String,
    pub(crate) who: Who,
    pub(crate) product: Arc<str>,
    /// None: no server answered.
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
    /// When somebody has waited long enough.
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

    /// Nobody waits for a session's seat any more: the server has answered, or will not in time.
    pub(crate) fn answered(&mut self, session: SessionId) {
        self.due.remove(&session);
        self.denials.remove(&session);
    }

    /// What was to be asked for a session cannot be: nobody waits for the answer.
    fn hurry(&mut self, session: SessionId) {
        if let Some(until) = self.due.get_mut(&session) {
            *until = 0;
        }
    }

    /// The server has refused a session.
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

    /// Who waits for what could not even be asked goes by the policy at once.
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

    /// Programs of products that are enforced no more wait for nothing.
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

    /// Lets those go by the policy who have waited long enough for a seat; with `all`, since no
    /// server can be reached, all that wait for one.
    pub(crate) fn let_go(&mut self, all: bool, boot_ms: u64) -> Vec<Event> {
        let in_vain = self.in_vain(all, boot_ms);
        for session in &in_vain {
            self.answered(*session);
        }
        let unreachable = |session| Event::Unreachable { session };
        in_vain.into_iter().map(unreachable).collect()
    }

    /// Of a process that has ended meanwhile nothing more is heard.
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

/// What the user of a program reads who may not start it.
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
