//! Carries out that one use of a person takes one seat: sessions join the seat of a `usher run`, instead
//! of asking for one of their own.

use std::collections::BTreeSet;

use usher_api::SyncAction;
use usher_core::sessions::{AccountKey, Counting, Effect, Event, Session, SessionId};

use super::Agent;
use crate::base::clock;
use crate::store::outbox::{Cover, OutboxError};
use crate::system::procfs;

impl Agent {
    /// The leases that commands run on, or are about to.
    pub(super) fn run_on(&self) -> Result<BTreeSet<String>, OutboxError> {
        let covers = self.outbox.covers()?.into_iter();
        let keeping = covers.filter(|cover| cover.keeps && procfs::still_runs(cover.root));
        Ok(keeping.map(|cover| cover.lease).collect())
    }

    pub(super) fn is_run_on(&self, lease: &str, run_on: &BTreeSet<String>) -> bool {
        run_on.contains(lease) || self.shares.uses.is_shared_now(lease)
    }

    /// Whether a session runs on a lease, its own or another's.
    pub(crate) fn is_of_session(&self, lease: &str) -> bool {
        let lent = self.shares.held.lent(lease);
        let own = lent.and_then(|lent| self.sessions.get(lent.session));
        own.is_some_and(|session| session.seated && session.lease.as_deref() == Some(lease))
            || !self.shares.held.on(lease).is_empty()
    }

    /// Takes out of `effects` the seats that need not be asked for: a `usher run` of the same use has
    /// one, or may have one in a moment.
    pub(super) fn join_runs(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let wants = |effect: &Effect| matches!(effect, Effect::WantLease { .. });
        if !effects.iter().any(wants) {
            return effects;
        }
        let mut rest = Vec::with_capacity(effects.len());
        for effect in effects {
            let Effect::WantLease { session, .. } = effect else {
                rest.push(effect);
                continue;
            };
            match self.run_for(session) {
                Ok(Some(lease)) => rest.extend(self.joins(session, &lease)),
                Ok(None) if self.is_asked_for_by_run(session) => {
                    if !self.shares.put_off(effect.clone()) {
                        rest.push(effect);
                    }
                }
                Ok(None) => rest.push(effect),
                Err(error) => {
                    tracing::error!(%error, "a seat is asked for that may be held already");
                    rest.push(effect);
                }
            }
        }
        rest
    }

    fn is_asked_for_by_run(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|session| {
            let uses = &self.shares.uses;
            is_one_use(session) && uses.is_asked_for(session.who.counted, &session.product)
        })
    }

    /// It is known what became of a request for a use: what was put off for it goes on.
    pub(crate) fn ask_for_put_off(&mut self) -> Result<(), OutboxError> {
        let put_off = self.shares.take_put_off();
        let (sessions, seats) = (&self.sessions, &self.shares.held);
        let is_wanted = |effect: &Effect| {
            let Effect::WantLease { session, .. } = effect else {
                return false;
            };
            sessions.get(*session).is_some_and(|of| !of.seated) && seats.joined(*session).is_none()
        };
        let effects: Vec<Effect> = put_off.into_iter().filter(is_wanted).collect();
        match effects.is_empty() {
            true => Ok(()),
            false => self.write(effects),
        }
    }

    /// The lease of a `usher run` that a session's use has a seat by already.
    pub(super) fn run_for(&self, id: SessionId) -> Result<Option<String>, OutboxError> {
        match self.sessions.get(id).filter(|of| is_one_use(of)) {
            Some(session) => self.run_of(&session.product, session.who.counted),
            None => Ok(None),
        }
    }

    /// The lease that a further start of a use on this computer shares, however what runs of it was
    /// started.
    pub(crate) fn held_for_use(
        &self,
        product: &str,
        counted: AccountKey,
    ) -> Result<Option<String>, OutboxError> {
        let known = self.rulebook.product(product);
        if known.is_none_or(|known| known.counting == usher_api::Counting::Process) {
            return Ok(None);
        }
        let is_it = |session: &&Session| {
            is_one_use(session)
                && session.seated
                && *session.product == *product
                && session.who.counted == counted
        };
        let of_session = self.sessions.open().find(is_it);
        match of_session.and_then(|session| session.lease.as_deref()) {
            Some(lease) => Ok(Some(lease.to_owned())),
            None => self.run_of(product, counted),
        }
    }

    /// The lease of a `usher run` that a person's use has a seat by already.
    fn run_of(&self, product: &str, counted: AccountKey) -> Result<Option<String>, OutboxError> {
        let held = &self.shares.held;
        let is_free = |lease: &str| {
            let is_left = held.lent(lease).is_none_or(|lent| lent.is_left);
            is_left && !self.shares.is_going(lease)
        };
        if let Some((lease, _)) = held.left_of(product, counted).filter(|it| is_free(it.0)) {
            return Ok(Some(lease.to_owned()));
        }
        for lease in self.shares.uses.about_to_use(counted, product) {
            if is_free(&lease) && self.outbox.is_one_use(&lease, product, counted)? {
                return Ok(Some(lease));
            }
        }
        if self.outbox.count_covers()? == 0 {
            return Ok(None);
        }
        for cover in self.outbox.covers()? {
            if cover.keeps
                && cover.product == product
                && is_free(&cover.lease)
                && self.outbox.is_one_use(&cover.lease, product, counted)?
                && procfs::still_runs(cover.root)
            {
                return Ok(Some(cover.lease));
            }
        }
        Ok(None)
    }

    /// A session runs on a lease of another from now on. What follows.
    fn joins(&mut self, id: SessionId, lease: &str) -> Vec<Effect> {
        tracing::debug!(session = id.0, lease, "runs on the seat of a `usher run`");
        self.shares.held.join(id, lease);
        self.shares.unwritten.insert(id);
        self.seats.forget(id);
        self.held.answered(id);
        let (session, lease) = (id, lease.into());
        let mut effects = Vec::new();
        let event = Event::Seated { session, lease };
        self.sessions.apply(clock::now(), event, &mut effects);
        self.has_seat(id);
        effects
    }

    /// A `usher run` has a seat: programs of the same use that run without one join it.
    pub(super) fn offer(&mut self, cover: &Cover) -> Result<(), OutboxError> {
        let is_it = |session: &&Session| {
            cover.keeps && *session.product == *cover.product && !session.seated
        };
        let unseated = self.sessions.open().filter(is_it);
        let unseated: Vec<SessionId> = unseated.map(|session| session.id).collect();
        for id in unseated {
            if let Some(lease) = self.run_for(id)? {
                self.join_instead(id, &lease)?;
            }
        }
        Ok(())
    }

    /// A session that may have a seat of its own, or has asked for one, runs on another's instead.
    pub(super) fn join_instead(&mut self, id: SessionId, lease: &str) -> Result<(), OutboxError> {
        let effects = self.joins(id, lease);
        self.write(effects)
    }

    /// Writes down what sessions have joined: what they have asked for goes back, and their people wait
    /// for no other.
    pub(super) fn write_down_joined(&mut self) -> Result<(), OutboxError> {
        if self.shares.unwritten.is_empty() {
            return Ok(());
        }
        let joined: Vec<SessionId> = self.shares.unwritten.iter().copied().collect();
        for id in &joined {
            self.save(*id)?;
        }
        let (held, boot_id) = (&self.shares.held, &self.boot_id);
        self.outbox.change(|change| {
            for id in &joined {
                super::release(change, SyncAction::Checkin { session: id.0 }, id.0)?;
                change.forget_seat(id.0)?;
            }
            held.write(boot_id, change)
        })?;
        self.shares.unwritten.clear();
        for id in joined {
            if let Some(lease) = self.shares.held.joined(id).map(str::to_owned) {
                self.seated(id, &lease)?;
            }
        }
        Ok(())
    }

    /// The leases of `usher run` that sessions of a use run on.
    pub(crate) fn joined_by(&self, product: &str, counted: AccountKey) -> Vec<String> {
        let of_use = self
            .sessions
            .open()
            .filter(|session| *session.product == *product && session.who.counted == counted);
        let joined = of_use.filter_map(|session| self.shares.held.joined(session.id));
        let own = joined.filter(|lease| self.shares.held.lent(lease).is_none());
        own.map(str::to_owned).collect()
    }

    /// Whether a seat is being asked for, for a session of that use.
    pub(crate) fn is_asking_for(&self, product: &str, counted: AccountKey) -> bool {
        self.seats.asked_for().any(|id| {
            self.sessions.get(id).is_some_and(|session| {
                is_one_use(session)
                    && !session.seated
                    && *session.product == *product
                    && session.who.counted == counted
            })
        })
    }
}

/// Whether all that its person starts of the product on this computer is one use, and no lease covers
/// it.
pub(super) fn is_one_use(session: &Session) -> bool {
    session.counting == Counting::UserOnComputer && session.cover.is_none()
}
