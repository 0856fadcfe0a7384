//! The machine: who is in which session, and what follows from an event.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Counting, Effect, Event, Process, ProcessKey, Program, Session, SessionId, Stamp, Use, Who,
};
use crate::identify::ProgramRole;

/// How much the machine holds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Processes of sessions and under covers. A process beyond is left out and counted: it
    /// neither begins nor keeps a session.
    pub processes: usize,
    /// Covers. A cover beyond is not taken.
    pub covers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            processes: 65_536,
            covers: 16_384,
        }
    }
}

/// Covers within covers that are looked through for a lease of a product.
const COVER_DEPTH_LIMIT: usize = 16;

/// All processes of products, and their sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    limits: Limits,
    last_id: u64,
    processes: FxHashMap<u32, Member>,
    sessions: FxHashMap<SessionId, Open>,
    /// The session of each use that is counted once for a user.
    by_use: FxHashMap<UseKey, SessionId>,
    covers: FxHashMap<CoverId, Cover>,
    last_cover: CoverId,
    /// Processes that a restored session had, until it is settled which of them still run.
    restored: FxHashMap<ProcessKey, SessionId>,
    left_out: u64,
}

type CoverId = u64;

#[derive(Debug)]
struct Member {
    key: ProcessKey,
    who: Who,
    session: Option<SessionId>,
    /// It exec'd the product itself, where others only were forked by one that did.
    own: bool,
    cover: Option<CoverId>,
}

#[derive(Debug)]
struct Open {
    session: Session,
    processes: u32,
    /// Of a restored session: when it was last seen running.
    last_seen: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct UseKey {
    product: Arc<str>,
    user: u32,
    cover: Option<Arc<str>>,
}

#[derive(Debug)]
struct Cover {
    root: u32,
    lease: Arc<str>,
    product: Arc<str>,
    outer: Option<CoverId>,
}

impl Sessions {
    /// A machine whose next session gets the number behind `last_id`.
    pub fn new(limits: Limits, last_id: u64) -> Self {
        Sessions {
            limits,
            last_id,
            ..Sessions::default()
        }
    }

    /// Takes up a session of a former run of the agent in the same boot: it was last seen at
    /// `last_seen`, with `processes` among others. Until [`Event::Settled`], processes that are
    /// found running go on with it.
    pub fn restore(&mut self, session: Session, processes: &[ProcessKey], last_seen: Stamp) {
        let id = session.id;
        self.last_id = self.last_id.max(id.0);
        if let Some(key) = use_key(&session) {
            self.by_use.entry(key).or_insert(id);
        }
        for process in processes {
            self.restored.insert(*process, id);
        }
        self.sessions.insert(
            id,
            Open {
                session,
                processes: 0,
                last_seen: Some(last_seen),
            },
        );
    }

    /// What follows from `event` at `now`, added to `effects`.
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
            Event::Seated { session, lease } => {
                if let Some(open) = self.sessions.get_mut(&session) {
                    open.session.lease = Some(lease);
                    open.session.seated = true;
                }
            }
            Event::Unseated { session } => {
                if let Some(open) = self.sessions.get_mut(&session) {
                    open.session.seated = false;
                }
            }
            Event::Settled => self.settled(effects),
        }
    }

    /// A session that is open.
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id).map(|open| &open.session)
    }

    /// All sessions that are open, in no order.
    pub fn open(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().map(|open| &open.session)
    }

    /// The processes of all sessions, for [`Sessions::restore`], in no order.
    pub fn members(&self) -> impl Iterator<Item = (SessionId, ProcessKey)> {
        self.processes
            .values()
            .filter_map(|member| Some((member.session?, member.key)))
    }

    /// Whether the machine wants to hear of this process.
    pub fn knows(&self, pid: u32) -> bool {
        self.processes.contains_key(&pid)
    }

    /// Processes that were left out because a table was full.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn runs(&mut self, now: Stamp, process: Process, effects: &mut Vec<Effect>) {
        let pid = process.key.pid;
        self.forget_if_another(now, process.key, effects);
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
                self.join(now, &process, used, effects);
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

    fn products_are(&mut self, now: Stamp, known: &[Arc<str>], effects: &mut Vec<Effect>) {
        let known: FxHashSet<&str> = known.iter().map(|product| &**product).collect();
        let mut gone: Vec<SessionId> = self
            .open()
            .filter(|session| !known.contains(&*session.product))
            .map(|session| session.id)
            .collect();
        gone.sort_unstable();
        for id in gone {
            let members: Vec<u32> = self.members_of(id);
            for pid in members {
                self.leave(now, pid, effects);
                self.drop_if_idle(pid);
            }
            // A restored session has no processes yet.
            self.end(id, now, effects);
        }
    }

    fn covered(
        &mut self,
        now: Stamp,
        root: ProcessKey,
        lease: Arc<str>,
        product: Arc<str>,
        effects: &mut Vec<Effect>,
    ) {
        self.forget_if_another(now, root, effects);
        let outer = self.processes.get(&root.pid).and_then(|root| root.cover);
        if self.covers.len() >= self.limits.covers {
            self.left_out += 1;
            return;
        }
        let nobody = Who {
            counted: u32::MAX,
            real: u32::MAX,
        };
        if !self.processes.contains_key(&root.pid) && !self.enter(root, nobody, None) {
            return;
        }
        self.last_cover += 1;
        self.covers.insert(
            self.last_cover,
            Cover {
                root: root.pid,
                lease,
                product,
                outer,
            },
        );
        let cover = Some(self.last_cover);
        if let Some(member) = self.processes.get_mut(&root.pid) {
            member.cover = cover;
        }
        self.move_to_own_cover(now, root.pid, effects);
    }

    /// The root of a cover has ended and its lease is given back: what still runs below it is a
    /// use of its own from now on.
    fn uncover(&mut self, now: Stamp, id: CoverId, effects: &mut Vec<Effect>) {
        let Some(ended) = self.covers.remove(&id) else {
            return;
        };
        for cover in self.covers.values_mut() {
            if cover.outer == Some(id) {
                cover.outer = ended.outer;
            }
        }
        let mut members: Vec<u32> = Vec::new();
        for (pid, member) in &mut self.processes {
            let below = member.cover.is_some();
            if member.cover == Some(id) {
                member.cover = ended.outer;
            }
            if below {
                members.push(*pid);
            }
        }
        members.sort_unstable();
        for pid in members {
            self.move_to_own_cover(now, pid, effects);
            self.drop_if_idle(pid);
        }
    }

    /// Moves a process whose cover has changed into the session that it belongs to now.
    fn move_to_own_cover(&mut self, now: Stamp, pid: u32, effects: &mut Vec<Effect>) {
        let Some(member) = self.processes.get(&pid) else {
            return;
        };
        let Some(session) = member.session.and_then(|id| self.get(id)).cloned() else {
            return;
        };
        let covered_by = self.lease_over(member.cover, &session.product);
        if covered_by == session.cover {
            return;
        }
        let own = member.own;
        let (who, counting) = (member.who, session.counting);
        self.leave(now, pid, effects);
        let target = self.session_for(
            now,
            session.product,
            counting,
            who,
            covered_by,
            session.program,
            None,
            effects,
        );
        self.add(pid, target, own);
    }

    fn settled(&mut self, effects: &mut Vec<Effect>) {
        self.restored.clear();
        let mut ended: Vec<(SessionId, Stamp)> = self
            .sessions
            .iter()
            .filter(|(_, open)| open.processes == 0)
            .filter_map(|(id, open)| Some((*id, open.last_seen?)))
            .collect();
        ended.sort_unstable_by_key(|(id, _)| *id);
        for (id, last_seen) in ended {
            self.end(id, last_seen, effects);
        }
        for open in self.sessions.values_mut() {
            open.last_seen = None;
        }
    }

    /// A known pid whose start time is another one is another process: the known one has ended.
    fn forget_if_another(&mut self, now: Stamp, key: ProcessKey, effects: &mut Vec<Effect>) {
        let is_another = self
            .processes
            .get(&key.pid)
            .is_some_and(|known| !known.key.may_be(key));
        if is_another {
            self.exited(now, key.pid, effects);
        }
    }

    fn enter(&mut self, key: ProcessKey, who: Who, cover: Option<CoverId>) -> bool {
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
        self.leave(now, pid, effects);
        let target = as_before
            .or(with_parent)
            .filter(|id| self.sessions.contains_key(id));
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
    fn session_for(
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
        };
        let key = use_key(&session);
        if let Some(known) = key.as_ref().and_then(|key| self.by_use.get(key).copied()) {
            // A process that began after a restored session was last seen is not part of it.
            let missed = self.sessions.get(&known).and_then(|open| {
                let last_seen = open.last_seen.filter(|_| open.processes == 0)?;
                (started.boot_ms > last_seen.boot_ms).then_some(last_seen)
            });
            match missed {
                Some(last_seen) => self.end(known, last_seen, effects),
                None => return known,
            }
        }
        let id = session.id;
        self.last_id = id.0;
        if let Some(key) = key {
            self.by_use.insert(key, id);
        }
        effects.push(Effect::Opened(session.clone()));
        if session.cover.is_none() {
            effects.push(Effect::WantLease(id));
        }
        self.sessions.insert(
            id,
            Open {
                session,
                processes: 0,
                last_seen: None,
            },
        );
        id
    }

    fn add(&mut self, pid: u32, session: SessionId, own: bool) {
        let Some(member) = self.processes.get_mut(&pid) else {
            return;
        };
        member.session = Some(session);
        member.own = own;
        if let Some(open) = self.sessions.get_mut(&session) {
            open.processes += 1;
        }
    }

    /// Takes a process out of its session; the last one ends it.
    fn leave(&mut self, now: Stamp, pid: u32, effects: &mut Vec<Effect>) {
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
        if open.processes == 0 {
            self.end(id, now, effects);
        }
    }

    fn end(&mut self, id: SessionId, at: Stamp, effects: &mut Vec<Effect>) {
        let Some(open) = self.sessions.remove(&id) else {
            return;
        };
        if let Some(key) = use_key(&open.session)
            && self.by_use.get(&key) == Some(&id)
        {
            self.by_use.remove(&key);
        }
        if open.session.cover.is_none() {
            effects.push(Effect::ReleaseLease(id));
        }
        effects.push(Effect::Ended(open.session, at));
    }

    /// A process that is in no session and under no cover is of no interest.
    fn drop_if_idle(&mut self, pid: u32) {
        let idle = self
            .processes
            .get(&pid)
            .is_some_and(|member| member.session.is_none() && member.cover.is_none());
        if idle {
            self.processes.remove(&pid);
        }
    }

    /// The lease that covers uses of `product` under `cover`, looking outwards.
    fn lease_over(&self, cover: Option<CoverId>, product: &str) -> Option<Arc<str>> {
        let mut next = cover;
        for _ in 0..COVER_DEPTH_LIMIT {
            let cover = self.covers.get(&next?)?;
            if &*cover.product == product {
                return Some(cover.lease.clone());
            }
            next = cover.outer;
        }
        None
    }

    fn members_of(&self, id: SessionId) -> Vec<u32> {
        let mut members: Vec<u32> = self
            .processes
            .iter()
            .filter(|(_, member)| member.session == Some(id))
            .map(|(pid, _)| *pid)
            .collect();
        members.sort_unstable();
        members
    }
}

fn use_key(session: &Session) -> Option<UseKey> {
    (session.counting == Counting::UserOnComputer).then(|| UseKey {
        product: session.product.clone(),
        user: session.who.counted,
        cover: session.cover.clone(),
    })
}
