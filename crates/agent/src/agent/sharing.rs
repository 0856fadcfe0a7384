//! Carries out that one use of a person takes one seat: sessions join the seat of a `usher run`, a
//! `usher run` is given a session's, and a seat goes back when the last that runs on it has ended.

use std::collections::BTreeSet;

use usher_api::{Lease, SyncAction};
use usher_core::sessions::{Counting, Effect, Event, Session, SessionId};

use super::Agent;
use crate::clock::{self, timestamp};
use crate::outbox::{Change, Cover, ItemKind, OutboxError};
use crate::shares::{Held, Lent};
use crate::system::procfs;

/// What becomes of a lease that one of those that ran on it leaves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// A session runs on it.
    Used,
    /// It was of a session that has ended: the exchange gives it back.
    GivenBack,
    /// It is to be given back at the server; nobody is given it until [`Agent::is_gone`].
    ToGiveBack,
}

/// What becomes of the seat of a session that ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AtEnd {
    /// It is its own, which nobody else runs on any more, and goes back.
    Own(String),
    /// It is its own, and stays for who else runs on it.
    Stays(String),
    /// It ran on another's, which is kept by who else runs on it.
    Leaves,
    /// It was the last that ran on another's, of a `usher run` that has ended.
    LeavesBehind(String),
    /// It was the last that ran on another session's, which has ended.
    ChecksIn(SessionId, String),
}

impl Agent {
    /// The leases that commands run on, or are about to.
    fn run_on(&self) -> Result<BTreeSet<String>, OutboxError> {
        let covers = self.outbox.covers()?.into_iter();
        let keeping = covers.filter(|cover| cover.keeps && procfs::still_runs(cover.root));
        Ok(keeping.map(|cover| cover.lease).collect())
    }

    fn is_run_on(&self, lease: &str, run_on: &BTreeSet<String>) -> bool {
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
        counted: u32,
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
    fn run_of(&self, product: &str, counted: u32) -> Result<Option<String>, OutboxError> {
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
        self.desk.answered(id);
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

    /// What becomes of the seats of sessions that end.
    pub(super) fn at_end(
        &self,
        effects: &[Effect],
    ) -> Result<Vec<(SessionId, AtEnd)>, OutboxError> {
        let held = &self.shares.held;
        let ends = effects.iter().filter_map(|effect| match effect {
            Effect::ReleaseLease(id) => Some(*id),
            _ => None,
        });
        let shared = ends.filter(|id| held.joined(*id).is_some() || held.lent_by(*id).is_some());
        let shared: Vec<SessionId> = shared.collect();
        if shared.is_empty() {
            return Ok(Vec::new());
        }
        let run_on = self.run_on()?;
        let of = |id: SessionId| {
            let others_on = |lease: &str| {
                let on = held.on(lease);
                on.iter().any(|other| !shared.contains(other)) || self.is_run_on(lease, &run_on)
            };
            if let Some(lease) = held.joined(id) {
                return match held.lent(lease) {
                    _ if others_on(lease) => AtEnd::Leaves,
                    Some(lent) if lent.is_left => AtEnd::ChecksIn(lent.session, lease.to_owned()),
                    Some(_) => AtEnd::Leaves,
                    None => AtEnd::LeavesBehind(lease.to_owned()),
                };
            }
            let lease = held.lent_by(id).unwrap_or_default();
            match others_on(lease) {
                true => AtEnd::Stays(lease.to_owned()),
                false => AtEnd::Own(lease.to_owned()),
            }
        };
        Ok(shared.iter().map(|id| (*id, of(*id))).collect())
    }

    /// What a lease becomes that a command has left, which nobody else runs on by `usher run`.
    pub(crate) fn leaves(&mut self, lease: &str) -> Result<Left, OutboxError> {
        if self.is_of_session(lease) {
            return Ok(Left::Used);
        }
        if self.shares.held.lent(lease).is_some() {
            self.check_in_left(lease)?;
            return Ok(Left::GivenBack);
        }
        self.shares.goes(lease);
        Ok(Left::ToGiveBack)
    }

    /// A lease was given back, or could not be.
    pub(crate) fn is_gone(&mut self, lease: &str) {
        self.shares.is_gone(lease);
    }

    /// Nobody runs any more on the seat of a session that has ended.
    fn check_in_left(&mut self, lease: &str) -> Result<(), OutboxError> {
        let mut held = self.shares.held.clone();
        let Some(session) = held.take_back(lease) else {
            return Ok(());
        };
        let boot_id = &self.boot_id;
        self.outbox.change(|change| {
            check_in(change, session, lease)?;
            held.write(boot_id, change)
        })?;
        self.shares.held = held;
        self.seats.forget(session);
        Ok(())
    }

    /// Gives the seats back that are kept for commands which ended, or were killed, in silence.
    pub(crate) fn look_after_left(&mut self) -> Result<(), OutboxError> {
        let left = self.shares.held.left();
        if left.is_empty() {
            return Ok(());
        }
        let run_on = self.run_on()?;
        for (lease, _) in left {
            if !self.is_run_on(&lease, &run_on) && self.shares.held.on(&lease).is_empty() {
                self.check_in_left(&lease)?;
            }
        }
        Ok(())
    }

    /// The seat of a session that has ended has ended, too.
    pub(super) fn left_is_lost(&mut self, id: SessionId) -> Result<(), OutboxError> {
        let Some(lease) = self.shares.held.lent_by(id).map(str::to_owned) else {
            return Ok(());
        };
        self.shares.held.take_back(&lease);
        self.seats.forget(id);
        let (held, boot_id) = (&self.shares.held, &self.boot_id);
        self.outbox.change(|change| {
            change.forget_seat(id.0)?;
            held.write(boot_id, change)
        })?;
        self.are_gone(&BTreeSet::from([lease]))
    }

    /// Sessions that ran on these leases ask for seats of their own.
    pub(super) fn are_gone(&mut self, gone: &BTreeSet<String>) -> Result<(), OutboxError> {
        let on: Vec<SessionId> = gone.iter().flat_map(|it| self.shares.held.on(it)).collect();
        for id in &on {
            self.shares.held.leave(*id);
            self.seats.wanted(*id, clock::boot_ms());
            self.tell(Event::Unseated { session: *id })?;
            self.save(*id)?;
        }
        if on.is_empty() {
            return Ok(());
        }
        let (held, boot_id) = (&self.shares.held, &self.boot_id);
        self.outbox.change(|change| held.write(boot_id, change))?;
        self.urgent.notify_one();
        Ok(())
    }

    /// A session gives the seat up that it runs on, and runs on. False: it is its own alone. None: it
    /// is its own, and a command runs on it.
    pub(super) fn leaves_shared(&mut self, id: SessionId) -> Result<Option<bool>, OutboxError> {
        let ends = self.at_end(&[Effect::ReleaseLease(id)])?;
        let Some((_, at_end)) = ends.into_iter().next() else {
            return Ok(Some(false));
        };
        let is_own = matches!(at_end, AtEnd::Own(_));
        if let AtEnd::Stays(_) = at_end {
            return Ok(None);
        }
        let mut held = self.shares.held.clone();
        at_end.apply(id, &mut held);
        let boot_id = &self.boot_id;
        self.outbox.change(|change| {
            at_end.write(change)?;
            held.write(boot_id, change)
        })?;
        self.shares.held = held;
        if let AtEnd::ChecksIn(left, _) = at_end {
            self.seats.forget(left);
        }
        Ok(Some(!is_own))
    }

    /// Lends a session's seat to a `usher run` of the same use, where a session has one: its lease.
    pub(crate) fn lend(
        &mut self,
        product: &str,
        counted: u32,
    ) -> Result<Option<Lease>, OutboxError> {
        let is_it = |session: &&Session| {
            is_one_use(session)
                && session.seated
                && *session.product == *product
                && session.who.counted == counted
                && self.shares.held.joined(session.id).is_none()
        };
        let open = self.sessions.open().find(is_it);
        let own = open.and_then(|of| Some((of.lease.as_ref()?.to_string(), of.id)));
        let left = || {
            let (lease, lent) = self.shares.held.left_of(product, counted)?;
            Some((lease.to_owned(), lent.session))
        };
        let Some((lease, session)) = own.or_else(left) else {
            return Ok(None);
        };
        let is_left = self.shares.held.is_left(session);
        let lent = Lent {
            session,
            product: product.to_owned(),
            counted,
            is_left,
        };
        let mut held = self.shares.held.clone();
        held.lend(&lease, lent);
        let Some(shown) = self.as_lent(&lease, &held) else {
            return Ok(None);
        };
        let boot_id = &self.boot_id;
        self.outbox.change(|change| held.write(boot_id, change))?;
        self.shares.held = held;
        Ok(Some(shown))
    }

    /// A session's lease that others were given, if it lives: the exchange renews it.
    pub(crate) fn lent(&self, lease: &str) -> Option<Lease> {
        self.as_lent(lease, &self.shares.held)
    }

    fn as_lent(&self, lease: &str, held: &Held) -> Option<Lease> {
        let lent = held.lent(lease)?;
        let is_own = |session: &Session| session.seated && session.lease.as_deref() == Some(lease);
        let is_held = lent.is_left || self.sessions.get(lent.session).is_some_and(is_own);
        let seat = self.seats.get(lent.session).filter(|_| is_held)?;
        let now = clock::now();
        let left_ms = seat.until_boot_ms.saturating_sub(now.boot_ms);
        let ttl_seconds = u32::try_from(left_ms / 1_000).unwrap_or(u32::MAX);
        let expires_ms = now.wall_ms.saturating_add_unsigned(left_ms);
        (ttl_seconds > 0).then(|| Lease {
            id: lease.to_owned(),
            product: lent.product.clone(),
            user: self.subject(lent.counted).name.into_owned(),
            computer: self.computer.name.clone(),
            seats: 1,
            granted_at: timestamp(seat.granted.map_or(now.wall_ms, |granted| granted.wall_ms)),
            expires_at: timestamp(expires_ms),
            ttl_seconds,
            allotments: Vec::new(),
            proof: None,
            joined: 0,
            also: Vec::new(),
            with: None,
            kept_seconds: None,
        })
    }

    /// The leases of `usher run` that sessions of a use run on.
    pub(crate) fn joined_by(&self, product: &str, counted: u32) -> Vec<String> {
        let of_use = self
            .sessions
            .open()
            .filter(|session| *session.product == *product && session.who.counted == counted);
        let joined = of_use.filter_map(|session| self.shares.held.joined(session.id));
        let own = joined.filter(|lease| self.shares.held.lent(lease).is_none());
        own.map(str::to_owned).collect()
    }

    /// Whether a seat is being asked for, for a session of that use.
    pub(crate) fn is_asking_for(&self, product: &str, counted: u32) -> bool {
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

impl AtEnd {
    /// What follows for who runs on whose seat.
    pub(super) fn apply(&self, session: SessionId, held: &mut Held) {
        match self {
            AtEnd::Own(lease) => drop(held.take_back(lease)),
            AtEnd::Stays(lease) => held.end_session(lease),
            AtEnd::Leaves | AtEnd::LeavesBehind(_) => drop(held.leave(session)),
            AtEnd::ChecksIn(_, lease) => {
                held.leave(session);
                held.take_back(lease);
            }
        }
    }

    /// What follows on disk; what is a session's own goes back as any session's.
    pub(super) fn write(&self, change: &Change<'_>) -> Result<(), OutboxError> {
        match self {
            AtEnd::Own(lease) => change.given_back(lease),
            AtEnd::Stays(_) | AtEnd::Leaves => Ok(()),
            AtEnd::LeavesBehind(lease) => change.leave_behind(lease),
            AtEnd::ChecksIn(session, lease) => check_in(change, *session, lease),
        }
    }
}

/// The seat of a session that has ended goes back, by the exchange and not as a lease of a command: its
/// person's sessions on other computers may run on it.
fn check_in(change: &Change<'_>, session: SessionId, lease: &str) -> Result<(), OutboxError> {
    change.take_back(ItemKind::Renew, session.0)?;
    change.forget_seat(session.0)?;
    change.given_back(lease)?;
    change.enqueue(&SyncAction::Checkin { session: session.0 })
}

/// Whether all that its person starts of the product on this computer is one use, and no lease covers
/// it.
fn is_one_use(session: &Session) -> bool {
    session.counting == Counting::UserOnComputer && session.cover.is_none()
}
