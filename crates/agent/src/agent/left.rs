//! What happens to a shared seat when one user of it leaves: it stays for the others, and the last
//! one gives it back.

use std::collections::BTreeSet;

use usher_api::SyncAction;
use usher_core::sessions::{Effect, Event, SessionId};

use super::Agent;
use crate::base::clock;
use crate::model::shares::Held;
use crate::store::outbox::{Change, ItemKind, OutboxError};

/// What happens to a lease when one user of it leaves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// A session still uses it.
    Used,
    /// It belonged to a session that has ended: the exchange gives it back.
    GivenBack,
    /// It has to be given back at the server; nobody gets it until [`Agent::is_gone`].
    ToGiveBack,
}

/// What happens to the seat of a session that ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AtEnd {
    /// The seat is its own, nobody else uses it, and it is given back.
    Own(String),
    /// The seat is its own, and stays for others that use it.
    Stays(String),
    /// It used the seat of another, which others still use.
    Leaves,
    /// It was the last user of the seat of a `usher run` that has ended.
    LeavesBehind(String),
    /// It was the last user of the seat of another session that has ended.
    ChecksIn(SessionId, String),
}

impl Agent {
    /// What happens to the seats of sessions that end.
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

    /// What happens to a lease that a command has left and that no other `usher run` uses.
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

    /// Notes that a lease was given back, or could not be.
    pub(crate) fn is_gone(&mut self, lease: &str) {
        self.shares.is_gone(lease);
    }

    /// Gives back the seat of an ended session that nobody uses any more.
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

    /// Gives back the seats of commands that ended or were killed unnoticed.
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

    /// Notes that the seat of an ended session has ended, too.
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

    /// Sessions that used these leases ask for seats of their own.
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

    /// A session gives up its seat and runs on. False: the seat is its own alone. None: it is its
    /// own, and a command uses it.
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
}

impl AtEnd {
    /// Applies changes of which sessions run on a seat of another.
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

    /// Writes the changes to disk; a session's own seat is given back like any session's.
    pub(super) fn write(&self, change: &Change<'_>) -> Result<(), OutboxError> {
        match self {
            AtEnd::Own(lease) => change.given_back(lease),
            AtEnd::Stays(_) | AtEnd::Leaves => Ok(()),
            AtEnd::LeavesBehind(lease) => change.leave_behind(lease),
            AtEnd::ChecksIn(session, lease) => check_in(change, *session, lease),
        }
    }
}

/// Gives back the seat of an ended session by the exchange, not as the lease of a command: sessions
/// of the same person on other computers may use it.
fn check_in(change: &Change<'_>, session: SessionId, lease: &str) -> Result<(), OutboxError> {
    change.take_back(ItemKind::Renew, session.0)?;
    change.forget_seat(session.0)?;
    change.given_back(lease)?;
    change.enqueue(&SyncAction::Checkin { session: session.0 })
}
