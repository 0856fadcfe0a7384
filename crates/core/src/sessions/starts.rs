//! Starts that are held or were let go, until each is settled or given up: its process ends, runs
//! something else or takes longer than it may. A session lives while a process or a start of it does.

use super::state::{Sessions, Start, StartState};
use super::{AskId, Effect, Process, ProcessKey, SessionId, Stamp, Unanswered};
use crate::identify::ProgramRole;

/// A start that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) ask: AskId,
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) session: SessionId,
    pub(super) unanswered: Unanswered,
}

impl Sessions {
    pub(super) fn tick(&mut self, now: Stamp, effects: &mut Vec<Effect>) {
        let is_over = |start: &Start| {
            let since = start.since.boot_ms;
            now.boot_ms.saturating_sub(since) >= self.limits.start_ms
        };
        let mut over: Vec<(SessionId, u32, AskId, bool)> = self
            .starts
            .values()
            .flatten()
            .filter(|start| is_over(start))
            .map(|start| (start.session, start.key.pid, start.ask, start.is_asking()))
            .collect();
        over.sort_unstable();
        for (id, pid, ask, is_asking) in over {
            match is_asking {
                true => self.unreachable(now, id, effects),
                false => self.give_up(now, pid, ask, effects),
            }
        }
    }

    /// Whether starts are known of the pid that are of another process.
    pub(super) fn starts_of_another(&self, key: ProcessKey) -> bool {
        let mut starts = self.starts.get(&key.pid).into_iter().flatten();
        starts.any(|start| !start.key.may_be(key))
    }

    /// A process was seen to run something: the starts that this settles are given up. What it was
    /// held for, it runs now. One that was let go and runs anything else since does not come to
    /// what it was held for any more; what it ran before, and what it is merely found with, says
    /// nothing of that.
    pub(super) fn settle_starts(
        &mut self,
        now: Stamp,
        process: &Process,
        effects: &mut Vec<Effect>,
    ) {
        let is_that = |start: &Start| {
            let main = process.uses.as_ref();
            let used = main.filter(|used| used.role == ProgramRole::Main);
            let session = self.get(start.session);
            used.zip(session).is_some_and(|(used, session)| {
                session.product == used.product && session.who.counted == process.who.counted
            })
        };
        let runs_since = |start: &Start| {
            let is_exec = process.since.is_none();
            !start.is_asking() && is_exec && now.boot_ms >= start.since.boot_ms
        };
        let starts = self.starts.get(&process.key.pid).into_iter().flatten();
        let settled: Vec<(AskId, bool)> = starts
            .filter(|start| is_that(start) || runs_since(start))
            .map(|start| (start.ask, start.is_asking()))
            .collect();
        for (ask, is_asking) in settled {
            if is_asking {
                // It is part of what runs, or the gate did not wait for the answer.
                effects.push(Effect::Allow(ask));
            }
            self.give_up(now, process.key.pid, ask, effects);
        }
    }

    /// The process has ended: it is held no more.
    pub(super) fn give_up_starts(&mut self, now: Stamp, pid: u32, effects: &mut Vec<Effect>) {
        while let Some(ask) = self
            .starts
            .get(&pid)
            .and_then(|starts| Some(starts.first()?.ask))
        {
            self.give_up(now, pid, ask, effects);
        }
    }

    /// A process does not go on with a session: one that has nobody else ends.
    pub(super) fn give_up(&mut self, now: Stamp, pid: u32, ask: AskId, effects: &mut Vec<Effect>) {
        let Some(starts) = self.starts.get_mut(&pid) else {
            return;
        };
        let Some(at) = starts.iter().position(|start| start.ask == ask) else {
            return;
        };
        let id = starts.remove(at).session;
        if starts.is_empty() {
            self.starts.remove(&pid);
        }
        let nobody_waits = self.asking_starts(id).is_empty();
        let Some(open) = self.sessions.get_mut(&id) else {
            return;
        };
        open.starts -= 1;
        if nobody_waits {
            // An answer finds nobody who waits for it: the next start asks again.
            open.asking = false;
        }
        if open.starts == 0 && open.processes == 0 && open.last_seen.is_none() {
            let at = open.emptied.unwrap_or(now);
            self.end(id, at, effects);
        }
    }

    /// The starts of a session that wait for an answer, in the order in which they asked.
    pub(super) fn asking_starts(&self, id: SessionId) -> Vec<Held> {
        let starts = self.starts.values().flatten();
        let mut held: Vec<Held> = starts
            .filter(|start| start.session == id)
            .filter_map(|start| match start.state {
                StartState::Allowed => None,
                StartState::Asking(unanswered) => Some(Held {
                    ask: start.ask,
                    pid: start.key.pid,
                    parent: start.parent,
                    session: id,
                    unanswered,
                }),
            })
            .collect();
        held.sort_unstable_by_key(|held| held.ask);
        held
    }
}
