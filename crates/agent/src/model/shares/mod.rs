//! One use of a person takes one seat, whether they start a program of the product plainly or by `usher
//! run`: which sessions run on the seat of a `usher run`, and which seats of sessions a `usher run` was
//! given.
//!
//! A seat goes back when the last that runs on it has ended. One of a session is the session's at the
//! server, and stays so until then, whether or not the session runs on.
//!
//! Bounded by sessions and covers, as each entry is of one of these.

pub(crate) mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use usher_core::sessions::{AccountKey, Effect, SessionId};

use crate::model::shares::uses::Uses;
use crate::store::outbox::{Change, Outbox, OutboxError};

/// The key under which the outbox keeps shares.
const KEPT: &str = "shares";
/// Sessions that are asked a seat for only once it is known whether a `usher run` of the same use has
/// one; those beyond ask at once.
const PUT_OFF_LIMIT: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct Shares {
    pub(crate) held: Held,
    /// Who asks for a lease, or was given one and is not covered by it yet.
    pub(crate) uses: Arc<Uses>,
    /// Leases that are being given back: nobody is given one of these.
    going: BTreeSet<String>,
    /// Seats that sessions want and that are not asked for yet.
    put_off: Vec<Effect>,
    /// Sessions that have joined a seat, which is not written down yet.
    pub(crate) unwritten: BTreeSet<SessionId>,
}

/// Which sessions run on a seat of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// By session: the lease that it runs on and that is none of its own.
    joined: BTreeMap<u64, String>,
    /// By lease that others run on, or did: the session that owns it.
    lent: BTreeMap<String, Lent>,
}

/// A session's lease that a `usher run` was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lent {
    pub(crate) session: SessionId,
    pub(crate) product: String,
    /// Whom it is counted for.
    pub(crate) counted: AccountKey,
    /// The session has ended: it is kept for who runs on.
    pub(crate) is_left: bool,
}

/// As they are written down.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    boot_id: String,
    held: Held,
}

impl Held {
    /// The lease of another that a session runs on.
    pub(crate) fn joined(&self, session: SessionId) -> Option<&str> {
        self.joined.get(&session.0).map(String::as_str)
    }

    /// A session runs on a lease of another from now on.
    pub(crate) fn join(&mut self, session: SessionId, lease: &str) {
        self.joined.insert(session.0, lease.to_owned());
    }

    /// A session no longer runs on a lease of another; answers that lease.
    pub(crate) fn leave(&mut self, session: SessionId) -> Option<String> {
        self.joined.remove(&session.0)
    }

    /// The sessions that run on a lease that is none of their own.
    pub(crate) fn on(&self, lease: &str) -> Vec<SessionId> {
        let on = self.joined.iter().filter(|(_, on)| *on == lease);
        on.map(|(session, _)| SessionId(*session)).collect()
    }

    /// All leases that sessions run on and that are none of their own.
    pub(crate) fn leases(&self) -> BTreeSet<&str> {
        self.joined.values().map(String::as_str).collect()
    }

    /// A session's own lease is given to others, too.
    pub(crate) fn lend(&mut self, lease: &str, lent: Lent) {
        self.lent.insert(lease.to_owned(), lent);
    }

    /// What is known of a lease of a session's that others were given.
    pub(crate) fn lent(&self, lease: &str) -> Option<&Lent> {
        self.lent.get(lease)
    }

    /// A lease of a session that has ended, which others run on, of that use.
    pub(crate) fn left_of(&self, product: &str, counted: AccountKey) -> Option<(&str, &Lent)> {
        let mut lent = self.lent.iter();
        let is_it = |lent: &Lent| lent.product == product && lent.counted == counted;
        let found = lent.find(|(_, lent)| lent.is_left && is_it(lent))?;
        Some((found.0, found.1))
    }

    /// A session's own lease that others were given.
    pub(crate) fn lent_by(&self, session: SessionId) -> Option<&str> {
        let mut lent = self.lent.iter();
        let found = lent.find(|(_, lent)| lent.session == session);
        found.map(|(lease, _)| lease.as_str())
    }

    /// A session has ended, and its seat stays.
    pub(crate) fn is_left(&self, session: SessionId) -> bool {
        let mut lent = self.lent.values();
        lent.any(|lent| lent.session == session && lent.is_left)
    }

    /// A session ends; others run on on its lease.
    pub(crate) fn end_session(&mut self, lease: &str) {
        if let Some(lent) = self.lent.get_mut(lease) {
            lent.is_left = true;
        }
    }

    /// Nobody runs on a session's lease any more, or it has ended. Answers its session.
    pub(crate) fn take_back(&mut self, lease: &str) -> Option<SessionId> {
        self.lent.remove(lease).map(|lent| lent.session)
    }

    /// Sessions that have ended, and whose seats stay.
    pub(crate) fn left(&self) -> Vec<(String, SessionId)> {
        let left = self.lent.iter().filter(|(_, lent)| lent.is_left);
        left.map(|(lease, lent)| (lease.clone(), lent.session))
            .collect()
    }

    /// Puts them on disk.
    pub(crate) fn write(&self, boot_id: &str, change: &Change<'_>) -> Result<(), OutboxError> {
        let written = Written {
            boot_id: boot_id.to_owned(),
            held: self.clone(),
        };
        change.set_meta(KEPT, &serde_json::to_string(&written)?)
    }
}

impl Shares {
    /// As the agent's former run in the same boot wrote them down.
    pub(crate) fn take_up(&mut self, outbox: &Outbox, boot_id: &str) -> Result<(), OutboxError> {
        let text = outbox.meta(KEPT)?;
        let written = text.and_then(|text| serde_json::from_str::<Written>(&text).ok());
        if let Some(written) = written.filter(|written| written.boot_id == boot_id) {
            self.held = written.held;
        }
        Ok(())
    }

    /// A lease is being given back until [`Shares::is_gone`].
    pub(crate) fn goes(&mut self, lease: &str) {
        self.going.insert(lease.to_owned());
    }

    /// It was given back, or could not be.
    pub(crate) fn is_gone(&mut self, lease: &str) {
        self.going.remove(lease);
    }

    /// Whether it is being given back.
    pub(crate) fn is_going(&self, lease: &str) -> bool {
        self.going.contains(lease)
    }

    /// A seat is asked for once it is known what becomes of a request for the same use; false: there
    /// are too many.
    pub(crate) fn put_off(&mut self, effect: Effect) -> bool {
        let has_room = self.put_off.len() < PUT_OFF_LIMIT;
        if has_room {
            self.put_off.push(effect);
        }
        has_room
    }

    /// What was put off.
    pub(crate) fn take_put_off(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.put_off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_on_whose_seat_is_known_after_a_restart_and_not_after_a_boot() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        let mut held = Held::default();
        held.join(SessionId(3), "R1");
        let lent = Lent {
            session: SessionId(4),
            product: "cad".to_owned(),
            counted: AccountKey::new(1000),
            is_left: false,
        };
        held.lend("L1", lent);
        held.end_session("L1");
        outbox.change(|change| held.write("boot", change)).unwrap();
        let taken_up = |boot| {
            let mut shares = Shares::default();
            shares.take_up(&outbox, boot).unwrap();
            shares.held
        };
        assert_eq!(taken_up("another"), Held::default());
        let mut known = taken_up("boot");
        assert_eq!(known, held);
        assert_eq!(known.joined(SessionId(3)), Some("R1"));
        assert_eq!(known.on("R1"), [SessionId(3)]);
        assert!(known.is_left(SessionId(4)) && !known.is_left(SessionId(3)));
        assert_eq!(known.left_of("cad", AccountKey::new(1000)).unwrap().0, "L1");
        assert!(known.left_of("cad", AccountKey::new(1001)).is_none());
        assert!(known.left_of("sim", AccountKey::new(1000)).is_none());
        assert_eq!(known.take_back("L1"), Some(SessionId(4)));
        assert_eq!(known.leave(SessionId(3)).as_deref(), Some("R1"));
        assert_eq!(known, Held::default());
    }

    #[test]
    fn what_is_put_off_has_a_bound() {
        let mut shares = Shares::default();
        let effect = || Effect::ReleaseLease(SessionId(1));
        for _ in 0..PUT_OFF_LIMIT {
            assert!(shares.put_off(effect()));
        }
        assert!(!shares.put_off(effect()));
        assert_eq!(shares.take_put_off().len(), PUT_OFF_LIMIT);
        assert!(shares.put_off(effect()));
    }
}
