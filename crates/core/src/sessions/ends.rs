//! How sessions end: with their last process, or unseen.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::state::{Open, Sessions, use_key};
use super::{Effect, SessionId, Stamp};

impl Sessions {
    /// Only these products are known from now on: no start of another is held any more. What runs of
    /// another is one use to its end, in the seat that it has for as long as that lives, also if the
    /// product comes back meanwhile: to end it here would tell of one use by two records.
    pub(super) fn products_are(
        &mut self,
        now: Stamp,
        known: &[Arc<str>],
        effects: &mut Vec<Effect>,
    ) {
        let known: FxHashSet<&str> = known.iter().map(|product| &**product).collect();
        let mut gone: Vec<SessionId> = self
            .sessions
            .values()
            .map(|open| &open.session)
            .filter(|session| !known.contains(&*session.product))
            .map(|session| session.id)
            .collect();
        gone.sort_unstable();
        for id in gone {
            self.let_go(id, effects);
            let nothing_runs = |open: &Open| open.processes == 0 && open.last_seen.is_none();
            if let Some(open) = self.sessions.get(&id).filter(|open| nothing_runs(open)) {
                let at = open.emptied.unwrap_or(now);
                self.end(id, at, effects);
            }
        }
    }

    pub(super) fn settled(&mut self, effects: &mut Vec<Effect>) {
        self.restored.clear();
        let mut ended: Vec<(SessionId, Stamp)> = self
            .sessions
            .iter()
            .filter(|(_, open)| open.processes == 0 && open.starts == 0)
            .filter_map(|(id, open)| Some((*id, open.emptied.or(open.last_seen)?)))
            .collect();
        // The first that was over first: what goes on with its use is over later.
        ended.sort_unstable_by_key(|(id, last_seen)| (last_seen.boot_ms, *id));
        for (id, last_seen) in ended {
            self.end(id, last_seen, effects);
        }
        for open in self.sessions.values_mut() {
            if let Some(last_seen) = open.last_seen.take()
                && open.processes == 0
            {
                open.emptied.get_or_insert(last_seen);
            }
        }
    }

    /// Removes a process from its session; the last process ends the session.
    pub(super) fn leave(&mut self, now: Stamp, pid: u32, effects: &mut Vec<Effect>) {
        let Some(member) = self.processes.get_mut(&pid) else {
            return;
        };
        member.own = false;
        let Some(id) = member.session.take() else {
            return;
        };
        let Some(open) = self.sessions.get_mut(&id) else {
            return;
        };
        open.processes -= 1;
        if open.processes > 0 {
            return;
        }
        // A start that was allowed is about to go on with it, or another process of it may be found.
        match open.starts == 0 && open.last_seen.is_none() {
            true => self.end(id, now, effects),
            false => open.emptied = Some(now),
        }
    }

    pub(super) fn end(&mut self, id: SessionId, at: Stamp, effects: &mut Vec<Effect>) {
        let Some(open) = self.sessions.remove(&id) else {
            return;
        };
        if let Some(key) = use_key(&open.session)
            && self.by_use.get(&key) == Some(&id)
        {
            self.by_use.remove(&key);
        }
        if open.session.cover.is_none() && !open.refused {
            effects.push(Effect::ReleaseLease(id));
        }
        if open.session.held {
            effects.push(Effect::Dropped(id));
            return;
        }
        effects.push(match self.goes_on_by(&open.session) {
            Some(by) => {
                self.take_over(by, &open.session, at);
                Effect::GoesOn { ended: id, by }
            }
            None => Effect::Ended(open.session, at),
        });
    }

    /// Forgets a process that is in no session and under no cover.
    pub(super) fn drop_if_idle(&mut self, pid: u32) {
        let idle = self
            .processes
            .get(&pid)
            .is_some_and(|member| member.session.is_none() && member.cover.is_none());
        if idle {
            self.processes.remove(&pid);
        }
    }
}
