//! Programs that are held before their first instruction, and the sessions that wait for them.
//!
//! A start goes from asking to allowed to running, or is refused.

use std::sync::Arc;

use super::starts::Held;
use super::state::{Sessions, Start, StartState, UseKey};
use super::{
    AskId, Counting, Effect, Process, ProcessKey, Session, SessionId, Stamp, Unanswered, Use, Who,
};
use crate::identify::ProgramRole;

impl Sessions {
    /// Whether programs wait for the answer to what was asked for a session.
    pub fn is_asking(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|open| open.asking)
    }

    /// The processes that are to go on with sessions, for [`Sessions::restore`] of those that are
    /// held, in no order.
    pub fn starts(&self) -> impl Iterator<Item = (SessionId, ProcessKey)> {
        let starts = self.starts.values().flatten();
        starts.map(|start| (start.session, start.key))
    }

    /// Whether a process is held for an answer, or was let go and has not run yet. Whatever it runs
    /// then, and its end, has to be told: nothing else does away with what was asked for it.
    pub fn is_held(&self, pid: u32) -> bool {
        self.starts.contains_key(&pid)
    }

    /// When a [`super::Event::Tick`] would change something, in milliseconds since boot.
    pub fn next_due_boot_ms(&self) -> Option<u64> {
        let starts = self.starts.values().flatten();
        let due = starts.map(|start| start.since.boot_ms.saturating_add(self.limits.start_ms));
        due.min()
    }

    pub(super) fn asked(
        &mut self,
        now: Stamp,
        ask: AskId,
        process: Process,
        unanswered: Unanswered,
        effects: &mut Vec<Effect>,
    ) {
        self.forget_if_another(now, process.key, effects);
        let used = process
            .uses
            .as_ref()
            .filter(|used| used.role == ProgramRole::Main);
        let Some(used) = used.filter(|used| !self.needs_no_seat(&process, used)) else {
            effects.push(Effect::Allow(ask));
            return;
        };
        let session = self.session_of_use(&process, used);
        let is_seated =
            session.is_some_and(|id| self.get(id).is_some_and(|session| session.seated));
        if self.starts().count() >= self.limits.starts {
            self.left_out += 1;
            effects.push(match (is_seated, unanswered) {
                (false, Unanswered::Refuse) => Effect::Refuse { ask, session: None },
                _ => Effect::Allow(ask),
            });
            return;
        }
        let session = session.unwrap_or_else(|| self.hold(now, &process, used, effects));
        let start = Start {
            ask,
            key: process.key,
            parent: process.parent,
            session,
            state: StartState::Asking(unanswered),
            since: now,
        };
        self.starts.entry(process.key.pid).or_default().push(start);
        if let Some(open) = self.sessions.get_mut(&session) {
            open.starts += 1;
        }
        if is_seated {
            self.allow(now, session, effects);
        } else if !self.is_asking(session) {
            self.want(session, true, effects);
        }
    }

    /// What runs under a lease, and what is part of a program that runs already: whatever seat that
    /// has, or has lost.
    fn needs_no_seat(&self, process: &Process, used: &Use) -> bool {
        let is_of_use = |pid: u32| {
            let session = self.processes.get(&pid)?.session?;
            self.get(session).map(|session| {
                session.product == used.product && session.who.counted == process.who.counted
            })
        };
        let (pid, parent) = (process.key.pid, process.parent);
        self.is_covered(pid, parent, &used.product)
            || is_of_use(pid) == Some(true)
            || is_of_use(parent) == Some(true)
    }

    pub(super) fn is_covered(&self, pid: u32, parent: u32, product: &str) -> bool {
        let cover = match self.processes.get(&pid) {
            Some(process) => process.cover,
            None => self.processes.get(&parent).and_then(|parent| parent.cover),
        };
        self.lease_over(cover, product).is_some()
    }

    /// The session that a start would go on with.
    fn session_of_use(&self, process: &Process, used: &Use) -> Option<SessionId> {
        if let Some(asked) = self.asked_for(process.key.pid, used, process.who, None) {
            return Some(asked);
        }
        let key = (used.counting == Counting::UserOnComputer).then(|| UseKey {
            product: used.product.clone(),
            user: process.who.counted,
            cover: None,
        })?;
        self.by_use.get(&key).copied()
    }

    /// The session that a process was held for, to run that.
    pub(super) fn asked_for(
        &self,
        pid: u32,
        used: &Use,
        who: Who,
        cover: Option<&str>,
    ) -> Option<SessionId> {
        let mut starts = self.starts.get(&pid)?.iter().map(|start| start.session);
        let is_that = |id: &SessionId| {
            self.get(*id).is_some_and(|session| {
                session.product == used.product
                    && session.counting == used.counting
                    && session.who.counted == who.counted
                    && session.cover.as_deref() == cover
            })
        };
        starts.find(is_that)
    }

    /// A session that is held until a process of it runs.
    fn hold(
        &mut self,
        now: Stamp,
        process: &Process,
        used: &Use,
        effects: &mut Vec<Effect>,
    ) -> SessionId {
        let session = Session {
            id: SessionId(self.last_id + 1),
            product: used.product.clone(),
            counting: used.counting,
            who: process.who,
            program: process.program.clone(),
            started: now,
            cover: None,
            lease: None,
            seated: false,
            held: true,
            unseated_ms: 0,
            unseated_since_boot_ms: None,
        };
        effects.push(Effect::Held(session.clone()));
        self.keep(session)
    }

    /// A process of a session runs: if it was held, it is a use of the product from now on.
    pub(super) fn open_held(&mut self, id: SessionId, at: Stamp, effects: &mut Vec<Effect>) {
        if let Some(open) = self.sessions.get_mut(&id)
            && open.session.held
        {
            open.session.held = false;
            open.session.started = at;
            // What it waited for a seat before it ran is no use.
            open.session.unseated_ms = 0;
            effects.push(Effect::Opened(open.session.clone()));
        }
    }

    /// Asks for a session's seat.
    pub(super) fn want(&mut self, id: SessionId, gate: bool, effects: &mut Vec<Effect>) {
        if let Some(open) = self.sessions.get_mut(&id) {
            open.asking = gate;
            open.entered |= !gate;
            open.refused = false;
            effects.push(Effect::WantLease { session: id, gate });
        }
    }

    pub(super) fn seated(
        &mut self,
        now: Stamp,
        id: SessionId,
        lease: Arc<str>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(open) = self.sessions.get_mut(&id) else {
            return;
        };
        open.session.gains_seat(now, lease);
        open.asking = false;
        open.entered = true;
        self.allow(now, id, effects);
    }

    /// Lets all starts of a session run.
    fn allow(&mut self, now: Stamp, id: SessionId, effects: &mut Vec<Effect>) {
        for held in self.asking_starts(id) {
            self.allow_one(now, held, effects);
        }
    }

    fn allow_one(&mut self, now: Stamp, held: Held, effects: &mut Vec<Effect>) {
        let mut starts = self.starts.get_mut(&held.pid).into_iter().flatten();
        if let Some(start) = starts.find(|start| start.ask == held.ask) {
            start.state = StartState::Allowed;
            start.since = now;
            effects.push(Effect::Allow(held.ask));
        }
    }

    pub(super) fn denied(&mut self, now: Stamp, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(open) = self.sessions.get_mut(&id) else {
            return;
        };
        open.asking = false;
        let has_none = !open.session.seated && !open.entered;
        for held in self.asking_starts(id) {
            self.refuse_one(now, held, has_none, effects);
        }
        // One that runs all the same, or is about to, is told of as such.
        if has_none && self.sessions.contains_key(&id) {
            self.want(id, false, effects);
        }
    }

    pub(super) fn ungated(&mut self, now: Stamp, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(open) = self.sessions.get_mut(&id) else {
            return;
        };
        open.asking = false;
        open.entered = true;
        open.session.has_no_seat(now);
        self.allow(now, id, effects);
    }

    pub(super) fn unreachable(&mut self, now: Stamp, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(open) = self.sessions.get_mut(&id) else {
            return;
        };
        open.asking = false;
        let (runs, refused): (Vec<_>, Vec<_>) = self
            .asking_starts(id)
            .into_iter()
            .partition(|held| held.unanswered == Unanswered::Run);
        if !runs.is_empty() {
            // What was asked for might still be refused, and it runs now.
            self.want(id, false, effects);
        }
        for held in runs {
            self.allow_one(now, held, effects);
        }
        for held in refused {
            self.refuse_one(now, held, false, effects);
        }
    }

    /// Refuses a start, unless a lease covers it by now. With `has_none` the server has nothing of
    /// the session that would have to be given back.
    fn refuse_one(&mut self, now: Stamp, held: Held, has_none: bool, effects: &mut Vec<Effect>) {
        let Held {
            pid, ask, session, ..
        } = held;
        let product = self.get(session).map(|session| session.product.clone());
        let is_covered = product.is_some_and(|p| self.is_covered(pid, held.parent, &p));
        effects.push(match is_covered {
            true => Effect::Allow(ask),
            false => Effect::Refuse {
                ask,
                session: Some(session),
            },
        });
        if let Some(open) = self.sessions.get_mut(&session) {
            open.refused = has_none;
        }
        self.give_up(now, pid, ask, effects);
    }

    /// The product of a session is known no more: nothing holds its starts.
    pub(super) fn let_go(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        for held in self.asking_starts(id) {
            effects.push(Effect::Allow(held.ask));
        }
        self.starts.retain(|_, starts| {
            starts.retain(|start| start.session != id);
            !starts.is_empty()
        });
        if let Some(open) = self.sessions.get_mut(&id) {
            open.starts = 0;
            open.asking = false;
        }
    }
}
