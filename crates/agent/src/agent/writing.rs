//! Writes effects to disk: a session and the items about it in one transaction. What the disk does
//! not take stays in memory, bounded, until it does.

use rustc_hash::FxHashMap;
use usher_api::SyncAction;
use usher_core::sessions::{Effect, ProcessKey, SessionId};

use super::left::AtEnd;
use super::{Agent, release};
use crate::base::clock::{self, timestamp};
use crate::model::link::UNREACHED;
use crate::store::outbox::{ItemKind, OutboxError};

/// Effects that are kept while the disk takes none; beyond, the oldest are dropped and said.
const UNWRITTEN_LIMIT: usize = 100_000;

/// What is on disk of the agent's state, and what is not yet.
#[derive(Debug)]
pub(super) struct Written {
    /// The sessions' processes as they were last written down.
    members: FxHashMap<SessionId, Vec<ProcessKey>>,
    /// The highest number that a session got.
    last_session: u64,
    /// Not on disk: the oldest first.
    waiting: Vec<Effect>,
    /// Written in a transaction that is not committed yet.
    uncommitted: Vec<Effect>,
}

impl Written {
    /// Sessions have got numbers up to this one.
    pub(super) fn up_to(last_session: u64) -> Self {
        Written {
            members: FxHashMap::default(),
            last_session,
            waiting: Vec::new(),
            uncommitted: Vec::new(),
        }
    }

    /// All that waits for the disk, at most so much of it: the oldest are dropped, and it is said.
    fn take_waiting(&mut self) -> Vec<Effect> {
        let over = self.waiting.len().saturating_sub(UNWRITTEN_LIMIT);
        if over > 0 {
            tracing::error!(
                dropped = over,
                "the disk takes no records: the oldest are dropped"
            );
            self.waiting.drain(..over);
        }
        std::mem::take(&mut self.waiting)
    }
}

impl Agent {
    /// Writes down which processes the sessions have, and that they run now.
    pub(crate) fn write_down_members(&mut self) -> Result<(), OutboxError> {
        if !self.written.waiting.is_empty() {
            self.write(Vec::new())?;
        }
        if self.sessions.open().next().is_none() {
            return Ok(());
        }
        let members = self.members();
        let (sessions, boot_id) = (&self.sessions, &self.boot_id);
        let written = &self.written.members;
        let seen = self.watched_until.unwrap_or_else(clock::now);
        self.outbox.change(|change| {
            for (id, members) in &members {
                if written.get(id) != Some(members)
                    && let Some(session) = sessions.get(*id)
                {
                    change.save_session(session, members)?;
                }
            }
            change.seen_running(boot_id, seen)
        })?;
        self.written.members = members;
        Ok(())
    }

    fn members(&self) -> FxHashMap<SessionId, Vec<ProcessKey>> {
        let mut members: FxHashMap<SessionId, Vec<ProcessKey>> = FxHashMap::default();
        for (id, key) in self.sessions.known_by() {
            members.entry(id).or_default().push(key);
        }
        for keys in members.values_mut() {
            keys.sort_unstable_by_key(|key| (key.start, key.pid));
        }
        members
    }

    /// Puts effects on disk, with those that could not be written before.
    pub(crate) fn write(&mut self, effects: Vec<Effect>) -> Result<(), OutboxError> {
        self.act(effects);
        self.write_down()
    }

    /// Acts on effects, and has them written with the request that goes out at once if one of them
    /// asks for a seat that a start waits for; else now.
    pub(crate) fn write_with_request(&mut self, effects: Vec<Effect>) -> Result<(), OutboxError> {
        match self.act(effects) {
            true => Ok(()),
            false => self.write_down(),
        }
    }

    /// What need not be on disk first. True: the server is asked at once.
    fn act(&mut self, effects: Vec<Effect>) -> bool {
        let effects = self.join_runs(effects);
        let (is_up, boot_ms) = (self.link.is_up(), clock::boot_ms());
        let (answered, rest) = self.held.take(effects, is_up, boot_ms);
        // Whoever waits for an answer does not wait for the disk.
        self.answer_starts(answered);
        let asks = |effect: &Effect| matches!(effect, Effect::WantLease { gate: true, .. });
        let is_asking = rest.iter().any(asks);
        self.written.waiting.extend(rest);
        if is_asking {
            self.urgent.notify_one();
        }
        is_asking
    }

    /// Puts on disk what is not.
    pub(crate) fn write_down(&mut self) -> Result<(), OutboxError> {
        let effects = self.written.take_waiting();
        if effects.is_empty() {
            return self.write_down_joined();
        }
        let result = self.write_all(&effects);
        if result.is_err() {
            self.held.wait_in_vain(&effects, &self.sessions);
            self.written.waiting = effects;
        } else if self.outbox.is_begun() {
            self.written.uncommitted.extend(effects);
        }
        result.and_then(|()| self.write_down_joined())
    }

    /// Makes what `step` writes one transaction: a disk is waited for once.
    pub(crate) fn together<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let unreached = self.link.unreached.clone();
        self.outbox.begin()?;
        let result = step(self);
        // What was written before an error stays, as it does if each change is its own transaction.
        let committed = self.outbox.commit();
        let mut effects = std::mem::take(&mut self.written.uncommitted);
        if let Err(error) = committed {
            self.link.unreached = unreached;
            self.held.wait_in_vain(&effects, &self.sessions);
            effects.append(&mut self.written.waiting);
            self.written.waiting = effects;
            return Err(error);
        }
        result
    }

    fn write_all(&mut self, effects: &[Effect]) -> Result<(), OutboxError> {
        let now = clock::now();
        let ends = self.at_end(effects)?;
        let ends: FxHashMap<SessionId, AtEnd> = ends.into_iter().collect();
        let mut held = self.shares.held.clone();
        for (id, at_end) in &ends {
            at_end.apply(*id, &mut held);
        }
        let seen = self.watched_until.unwrap_or(now);
        let saves = |effect: &Effect| {
            matches!(
                effect,
                Effect::Opened(_) | Effect::Held(_) | Effect::GoesOn { .. }
            )
        };
        let members = if effects.iter().any(saves) {
            self.members()
        } else {
            FxHashMap::default()
        };
        let Agent {
            outbox,
            here,
            sessions,
            rulebook,
            boot_id,
            link,
            written,
            waits,
            seats,
            ..
        } = self;
        let teller = here.teller();
        let knows_gates = link.knows_gates();
        // A session that was held is opened after others that came later.
        let numbers = sessions.open().map(|session| session.id.0);
        let last = numbers.fold(written.last_session, u64::max);
        // What cannot be written is tried again, and counts once.
        let mut counted = link.unreached.clone();
        outbox.change(|change| {
            let mut claims = false;
            for effect in effects {
                if let Effect::Opened(session) | Effect::Held(session) = effect {
                    let members = members.get(&session.id).map_or(&[][..], Vec::as_slice);
                    change.save_session(session, members)?;
                    change.set_meta("last_session", &last.to_string())?;
                }
                match effect {
                    Effect::Opened(session) => {
                        // What a lease covers has its seat, whoever can be reached.
                        let has_joined = held.joined(session.id).is_some();
                        if session.cover.is_none()
                            && !has_joined
                            && let Some(kept) =
                                counted.started(&session.product, timestamp(now.wall_ms))
                        {
                            change.set_meta(UNREACHED, &kept)?;
                        }
                    }
                    Effect::Held(_) | Effect::Allow(_) | Effect::Refuse { .. } => {}
                    Effect::WantLease { session, gate } => {
                        // What was asked otherwise before must not be answered after it.
                        change.take_back(ItemKind::Checkout, session.0)?;
                        if let Some(session) = sessions.get(*session) {
                            let mut checkout = teller.checkout(session, &rulebook.policy, None);
                            checkout.gate = *gate && knows_gates;
                            match knows_gates {
                                true => {
                                    checkout.claim = waits
                                        .take(&session.product, session.who, session.id)
                                        .map(Into::into);
                                }
                                false => checkout.program = None,
                            }
                            claims |= checkout.claim.is_some();
                            change.enqueue(&SyncAction::Checkout(checkout))?;
                        }
                    }
                    Effect::Dropped(id) => {
                        claims |= waits.leave(*id);
                        change.forget_session(id.0)?;
                    }
                    Effect::ReleaseLease(id) => {
                        claims |= waits.leave(*id);
                        let at_end = ends.get(id);
                        if let Some(at_end) = at_end {
                            at_end.write(change)?;
                        }
                        if let None | Some(AtEnd::Own(_)) = at_end {
                            release(change, SyncAction::Checkin { session: id.0 }, id.0)?;
                        }
                    }
                    Effect::Ended(session, at) => {
                        change.forget_session(session.id.0)?;
                        change.enqueue(&teller.finished(session, *at))?;
                    }
                    Effect::GoesOn { ended, by } => {
                        change.forget_session(ended.0)?;
                        // The other session goes on, with the start of whichever began first. If it
                        // has ended by now, too, nothing is saved: its end is one of these effects,
                        // and tells of both.
                        if let Some(session) = sessions.get(*by) {
                            let members = members.get(by).map_or(&[][..], Vec::as_slice);
                            change.save_session(session, members)?;
                        }
                    }
                }
            }
            if claims {
                waits.write(boot_id, change)?;
            }
            if !ends.is_empty() {
                held.write(boot_id, change)?;
                // Its row went with the session's.
                let stay = ends.iter().filter(|(_, it)| matches!(it, AtEnd::Stays(_)));
                for seat in stay.filter_map(|(id, _)| seats.to_save(*id)) {
                    change.save_seat(&seat)?;
                }
            }
            change.seen_running(boot_id, seen)
        })?;
        self.shares.held = held;
        self.link.unreached = counted;
        self.written.last_session = last;
        for effect in effects {
            match effect {
                Effect::Opened(session) => {
                    tracing::debug!(
                        session = session.id.0,
                        product = &*session.product,
                        "opened"
                    );
                }
                Effect::WantLease { session, .. } => {
                    self.seats.asked(*session);
                }
                Effect::ReleaseLease(id) | Effect::Dropped(id) => {
                    self.shares.unwritten.remove(id);
                    match ends.get(id) {
                        Some(AtEnd::Stays(_)) => {}
                        Some(AtEnd::ChecksIn(left, _)) => self.seats.forget(*left),
                        _ => self.seats.forget(*id),
                    }
                }
                Effect::Held(_) | Effect::Allow(_) | Effect::Refuse { .. } => {}
                Effect::Ended(session, _) => {
                    tracing::debug!(session = session.id.0, product = &*session.product, "ended");
                    self.is_over(session.id);
                }
                Effect::GoesOn { ended, by } => {
                    tracing::debug!(session = ended.0, by = by.0, "its use goes on");
                    self.is_over(*ended);
                }
            }
        }
        Ok(())
    }

    /// A session has ended, which is on disk.
    fn is_over(&mut self, session: SessionId) {
        if !self.shares.held.is_left(session) {
            self.seats.forget(session);
        }
        self.lost.gone(session, clock::boot_ms());
        self.idle.gone(session);
        self.written.members.remove(&session);
    }
}
