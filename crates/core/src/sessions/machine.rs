//! The session machine: which process is in which session, and what follows from an event.

use std::sync::Arc;

use super::state::{CoverId, Limits, Member, Open, Sessions, use_key};
use super::{
    Counting, Effect, Event, Process, ProcessKey, Program, Session, SessionId, Stamp, Use, Who,
};
use crate::identify::ProgramRole;

impl Sessions {
    /// A machine whose next session gets the number after `last_id`.
    pub fn new(limits: Limits, last_id: u64) -> Self {
        Sessions {
            limits,
            last_id,
            ..Sessions::default()
        }
    }

    /// Takes up a session of a former run of the agent in the same boot: it was last seen at
    /// `last_seen`, and `processes` among others may still run. Until [`Event::Settled`], processes
    /// that are found running go on with it.
    pub fn restore(&mut self, session: Session, processes: &[ProcessKey], last_seen: Stamp) {
        let id = session.id;
        self.last_id = self.last_id.max(id.0);
        if let Some(key) = use_key(&session) {
            self.by_use.entry(key).or_insert(id);
        }
        for process in processes {
            self.restored.insert(*process, id);
        }
        let open = Open {
            last_seen: Some(last_seen),
            entered: !session.held,
            ..Open::of(session)
        };
        self.sessions.insert(id, open);
    }

    /// Applies `event` at `now`; what follows from it is added to `effects`.
    pub fn apply(&mut self, now: Stamp, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Runs(process) => self.runs(now, process, effects),
            Event::Forked { parent, child } => self.forked(now, parent, child, effects),
            Event::Exited { pid } => self.exited(now, pid, effects),
            Event::ProductsAre(known) => self.products_are(now, &known, effects),
            Event::Covered {
                root,
                lease,
                product,
            } => self.covered(now, root, lease, product, effects),
            Event::Asked {
                ask,
                process,
                unanswered,
            } => self.asked(now, ask, process, unanswered, effects),
            Event::Seated { session, lease } => self.seated(now, session, lease, effects),
            Event::Denied { session } => self.denied(now, session, effects),
            Event::Ungated { session } => self.ungated(now, session, effects),
            Event::Unreachable { session } => self.unreachable(now, session, effects),
            Event::Tick => self.tick(now, effects),
            Event::Unseated { session } => {
                if let Some(open) = self.sessions.get_mut(&session) {
                    open.session.has_no_seat(now);
                }
            }
            Event::Settled => self.settled(effects),
        }
    }

    /// The open session with that number.
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id).map(|open| &open.session)
    }

    /// All open sessions, in no particular order; sessions whose start is held are not open.
    pub fn open(&self) -> impl Iterator<Item = &Session> {
        let sessions = self.sessions.values().map(|open| &open.session);
        sessions.filter(|session| !session.held)
    }

    /// All by which sessions are known again, for [`Sessions::restore`], in no order: their
    /// processes, their starts, and what was restored and is not found yet.
    pub fn known_by(&self) -> impl Iterator<Item = (SessionId, ProcessKey)> {
        let restored = self.restored.iter().map(|(key, id)| (*id, *key));
        self.members().chain(self.starts()).chain(restored)
    }

    /// The processes of all sessions, in no order.
    pub fn members(&self) -> impl Iterator<Item = (SessionId, ProcessKey)> {
        self.processes
            .values()
            .filter_map(|member| Some((member.session?, member.key)))
    }

    /// Whether events of this process matter to the machine.
    pub fn knows(&self, pid: u32) -> bool {
        self.processes.contains_key(&pid) || self.starts.contains_key(&pid)
    }

    /// How many processes and starts were ignored because a table was full.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn runs(&mut self, now: Stamp, process: Process, effects: &mut Vec<Effect>) {
        self.forget_if_another(now, process.key, effects);
        self.take_in_run(now, &process, effects);
        self.settle_starts(now, &process, effects);
    }

    fn take_in_run(&mut self, now: Stamp, process: &Process, effects: &mut Vec<Effect>) {
        let pid = process.key.pid;
        if !self.processes.contains_key(&pid) {
            let cover = self.processes.get(&process.parent).and_then(|p| p.cover);
            let counts = matches!(&process.uses, Some(used) if used.role == ProgramRole::Main);
            if !counts && cover.is_none() {
                return;
            }
            if !self.enter(process.key, process.who, cover) {
                return;
            }
        }
        if let Some(member) = self.processes.get_mut(&pid) {
            member.who = process.who;
            if member.key.start == 0 {
                member.key = process.key;
            }
        }
        match &process.uses {
            Some(used) if used.role == ProgramRole::Main => {
                self.join(now, process, used, effects);
            }
            Some(_) => self.leave(now, pid, effects),
            None => {
                // A launcher that becomes another image is still the product in use; a child that
                // was forked by the product and becomes something else is not.
                let goes_on = self.processes.get(&pid).is_some_and(|member| member.own);
                if !goes_on {
                    self.leave(now, pid, effects);
                }
            }
        }
        self.drop_if_idle(pid);
    }

    fn forked(&mut self, now: Stamp, parent: u32, child: ProcessKey, effects: &mut Vec<Effect>) {
        if child.pid == parent || !self.processes.contains_key(&parent) {
            return;
        }
        // Before the parent is looked at: a pid that is used again may have been the root of the
        // parent's cover, whose end moves the parent to another session.
        self.forget_if_another(now, child, effects);
        let Some(maker) = self.processes.get(&parent) else {
            return;
        };
        let (who, session, cover) = (maker.who, maker.session, maker.cover);
        if self.processes.contains_key(&child.pid) || !self.enter(child, who, cover) {
            return;
        }
        if let Some(session) = session {
            self.add(child.pid, session, false);
        }
        self.drop_if_idle(child.pid);
    }

    fn exited(&mut self, now: Stamp, pid: u32, effects: &mut Vec<Effect>) {
        self.leave(now, pid, effects);
        self.give_up_starts(now, pid, effects);
        let Some(member) = self.processes.remove(&pid) else {
            return;
        };
        let mut next = member.cover;
        while let Some((id, cover)) = next.and_then(|id| Some((id, self.covers.get(&id)?))) {
            if cover.root != pid {
                return;
            }
            next = cover.outer;
            self.uncover(now, id, effects);
        }
    }

    /// A known pid with another start time is another process: the known one has ended.
    pub(super) fn forget_if_another(
        &mut self,
        now: Stamp,
        key: ProcessKey,
        effects: &mut Vec<Effect>,
    ) {
        let is_another = self
            .processes
            .get(&key.pid)
            .is_some_and(|known| !known.key.may_be(key));
        if is_another || self.starts_of_another(key) {
            self.exited(now, key.pid, effects);
        }
    }

    pub(super) fn enter(&mut self, key: ProcessKey, who: Who, cover: Option<CoverId>) -> bool {
        if self.processes.len() >= self.limits.processes {
            self.left_out += 1;
            return false;
        }
        let member = Member {
            key,
            who,
            session: None,
            own: false,
            cover,
        };
        self.processes.insert(key.pid, member);
        true
    }

    fn join(&mut self, now: Stamp, process: &Process, used: &Use, effects: &mut Vec<Effect>) {
        let pid = process.key.pid;
        let Some(member) = self.processes.get(&pid) else {
            return;
        };
        let cover = self.lease_over(member.cover, &used.product);
        if let Some(current) = member.session.and_then(|id| self.get(id)) {
            let same_use = current.product == used.product
                && current.who.counted == process.who.counted
                && current.cover == cover;
            if same_use {
                if let Some(member) = self.processes.get_mut(&pid) {
                    member.own = true;
                }
                return;
            }
        }
        let as_before = self.restored.remove(&process.key).filter(|id| {
            self.get(*id).is_some_and(|session| {
                session.product == used.product
                    && session.who.counted == process.who.counted
                    && session.cover == cover
            })
        });
        let with_parent = self
            .processes
            .get(&process.parent)
            .and_then(|parent| parent.session)
            .filter(|id| {
                used.counting == Counting::Process
                    && self.get(*id).is_some_and(|session| {
                        session.product == used.product
                            && session.who.counted == process.who.counted
                            && session.cover == cover
                    })
            });
        let as_asked = self.asked_for(pid, used, process.who, cover.as_deref());
        self.leave(now, pid, effects);
        let target = as_before
            .or(as_asked)
            .or(with_parent)
            .filter(|id| self.sessions.contains_key(id));
        if let Some(held) = target {
            self.open_held(held, process.since.unwrap_or(now), effects);
        }
        let target = target.unwrap_or_else(|| {
            self.session_for(
                now,
                used.product.clone(),
                used.counting,
                process.who,
                cover,
                process.program.clone(),
                process.since,
                effects,
            )
        });
        self.add(pid, target, true);
    }

    /// The open session of a use, or a new one.
    #[allow(clippy::too_many_arguments)] // the parts of a new session
    pub(super) fn session_for(
        &mut self,
        now: Stamp,
        product: Arc<str>,
        counting: Counting,
        who: Who,
        cover: Option<Arc<str>>,
        program: Program,
        since: Option<Stamp>,
        effects: &mut Vec<Effect>,
    ) -> SessionId {
        let started = since
            .filter(|since| since.boot_ms <= now.boot_ms)
            .unwrap_or(now);
        let session = Session {
            id: SessionId(self.last_id + 1),
            product,
            counting,
            who,
            program,
            started,
            lease: cover.clone(),
            seated: cover.is_some(),
            cover,
            held: false,
            unseated_ms: 0,
            unseated_since_boot_ms: None,
        };
        let key = use_key(&session);
        if let Some(known) = key.and_then(|key| self.by_use.get(&key).copied()) {
            // A process that began after a restored session was last seen is not part of it.
            let missed = self.sessions.get(&known).and_then(|open| {
                let may_run = || self.restored.values().any(|id| *id == known);
                let is_over = open.processes == 0 && open.starts == 0 && !may_run();
                let last_seen = open.last_seen.filter(|_| is_over)?;
                let last_seen = open.emptied.unwrap_or(last_seen);
                (started.boot_ms > last_seen.boot_ms).then_some(last_seen)
            });
            match missed {
                Some(last_seen) => self.end(known, last_seen, effects),
                None => {
                    self.open_held(known, started, effects);
                    self.began_by(known, started);
                    return known;
                }
            }
        }
        effects.push(Effect::Opened(session.clone()));
        let is_covered = session.cover.is_some();
        let id = self.keep(session);
        if !is_covered {
            self.want(id, false, effects);
        }
        id
    }

    /// A process of a session was found that started before the one which began the session.
    fn began_by(&mut self, id: SessionId, since: Stamp) {
        if let Some(open) = self.sessions.get_mut(&id)
            && since.boot_ms < open.session.started.boot_ms
        {
            open.session.started = since;
        }
    }

    /// Opens a new session.
    pub(super) fn keep(&mut self, session: Session) -> SessionId {
        let id = session.id;
        self.last_id = id.0;
        if let Some(key) = use_key(&session) {
            self.by_use.insert(key, id);
        }
        self.sessions.insert(id, Open::of(session));
        id
    }

    pub(super) fn add(&mut self, pid: u32, session: SessionId, own: bool) {
        let Some(member) = self.processes.get_mut(&pid) else {
            return;
        };
        member.session = Some(session);
        member.own = own;
        if let Some(open) = self.sessions.get_mut(&session) {
            open.processes += 1;
            open.emptied = None;
        }
    }
}
