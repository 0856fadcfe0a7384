//! The seats of sessions: what is known of each, and when something is due for it.
//!
//! Counted by the clock from boot, and from when a seat was asked for: the server counts from later.

use rustc_hash::FxHashMap;
use usher_api::ShownLease;
use usher_core::sessions::{Session, SessionId, Stamp};

use crate::base::clock::timestamp;
use crate::store::outbox::SavedSeat;

/// Seconds that a lease lives without renewal, if the product allows so many.
pub(crate) const TTL_SECONDS: u32 = 300;
/// How soon to ask again for a seat if there was none, in milliseconds.
pub(crate) const UNSEATED_RETRY_MS: u64 = 30_000;
/// The least time until a seat is due after it was asked for or refused, in milliseconds.
const LEAST_MS: u64 = 200;

/// The state of a session's seat.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    /// When to renew it or ask for it again, in milliseconds since boot.
    pub(crate) due_boot_ms: u64,
    pub(crate) ttl_seconds: u32,
    /// Since when it has been held; none: it is not.
    pub(crate) granted: Option<Stamp>,
    /// Until when its lease lives without renewal, if it is held.
    pub(crate) until_boot_ms: u64,
}

/// The seats of all sessions that have one or want one.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    known: FxHashMap<SessionId, Seat>,
}

impl Seats {
    /// The seat of a session.
    pub(crate) fn get(&self, session: SessionId) -> Option<&Seat> {
        self.known.get(&session)
    }

    #[cfg(test)]
    pub(crate) fn get_mut(&mut self, session: SessionId) -> Option<&mut Seat> {
        self.known.get_mut(&session)
    }

    /// The sessions that have a seat or want one.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.known.keys().copied().collect()
    }

    /// The sessions for which a request for a seat is not answered yet.
    pub(crate) fn asked_for(&self) -> impl Iterator<Item = SessionId> {
        let asked = self
            .known
            .iter()
            .filter(|(_, seat)| seat.due_boot_ms == u64::MAX);
        asked.map(|(session, _)| *session)
    }

    /// Notes when to ask for a seat.
    pub(crate) fn wanted(&mut self, session: SessionId, due_boot_ms: u64) {
        self.known.insert(session, none_until(due_boot_ms));
    }

    /// Notes when to ask for a seat, if none is known.
    pub(crate) fn wanted_again(&mut self, session: SessionId, due_boot_ms: u64) {
        let seat = self.known.entry(session);
        seat.or_insert_with(|| none_until(due_boot_ms));
    }

    /// Notes that a seat was asked for; the answer will say when it is due.
    pub(crate) fn asked(&mut self, session: SessionId) {
        self.wanted(session, u64::MAX);
    }

    /// Forgets a session: nothing is due for it any more.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.known.remove(&session);
    }

    /// Restores the seat of a session that a former run stored.
    pub(crate) fn restore(&mut self, saved: &SavedSeat) {
        if let Some(seat) = self.known.get_mut(&saved.session) {
            seat.ttl_seconds = saved.ttl_seconds;
            seat.granted = Some(saved.granted);
            seat.until_boot_ms = saved.until_boot_ms;
        }
    }

    /// When something is next due at the server, in milliseconds since boot.
    pub(crate) fn next_due_boot_ms(&self) -> u64 {
        let due = self.known.values().map(|seat| seat.due_boot_ms);
        due.min().unwrap_or(u64::MAX)
    }

    /// The sessions for which something is due; those for which it would be shortly go along. None
    /// if nothing is due yet.
    pub(crate) fn due(&self, now_boot_ms: u64) -> Vec<SessionId> {
        if self.next_due_boot_ms() > now_boot_ms {
            return Vec::new();
        }
        let is_due = |seat: &Seat| {
            let shortly_ms = u64::from(seat.ttl_seconds) * 1000 / 20;
            seat.due_boot_ms <= now_boot_ms + shortly_ms
        };
        let due = self.known.iter().filter(|(_, seat)| is_due(seat));
        due.map(|(session, _)| *session).collect()
    }

    /// Notes that what was due was sent; it is due again if no answer comes.
    pub(crate) fn on_its_way(&mut self, session: SessionId, now_boot_ms: u64) {
        if let Some(seat) = self.known.get_mut(&session) {
            seat.due_boot_ms = now_boot_ms + third_ms(seat.ttl_seconds);
        }
    }

    /// Notes that a seat was granted, or is still held.
    pub(crate) fn granted(&mut self, session: SessionId, ttl: u32, asked_boot_ms: u64, now: Stamp) {
        let before = self.held_since(session);
        let seat = held(ttl, asked_boot_ms, before.or(Some(now)));
        self.known.insert(session, seat);
    }

    /// Notes that a seat was renewed.
    pub(crate) fn renewed(&mut self, session: SessionId, ttl: u32, asked_boot_ms: u64) {
        let seat = held(ttl, asked_boot_ms, self.held_since(session));
        self.known.insert(session, seat);
    }

    /// A session that was refused a seat asks for one again after a while.
    pub(crate) fn refused(&mut self, session: SessionId, now_boot_ms: u64) {
        self.undecided(session, now_boot_ms);
        self.lost(session);
    }

    /// A session without a seat asks for one again after a while; a lease that it can show, it
    /// shows again.
    pub(crate) fn undecided(&mut self, session: SessionId, now_boot_ms: u64) {
        if let Some(seat) = self.known.get_mut(&session) {
            let third_ms = third_ms(seat.ttl_seconds);
            seat.due_boot_ms = now_boot_ms + UNSEATED_RETRY_MS.min(third_ms.max(LEAST_MS));
        }
    }

    /// A session holds no seat any more.
    pub(crate) fn lost(&mut self, session: SessionId) {
        if let Some(seat) = self.known.get_mut(&session) {
            seat.granted = None;
        }
    }

    /// A session asks again; its lease may live on, or not.
    pub(crate) fn asked_anew(&mut self, session: SessionId, lives: bool) {
        if let Some(seat) = self.known.get_mut(&session) {
            seat.due_boot_ms = u64::MAX;
            seat.granted = seat.granted.filter(|_| lives);
        }
    }

    /// The seat of a session in the form in which it is stored.
    pub(crate) fn to_save(&self, session: SessionId) -> Option<SavedSeat> {
        let seat = self.get(session)?;
        Some(SavedSeat {
            session,
            granted: seat.granted?,
            until_boot_ms: seat.until_boot_ms,
            ttl_seconds: seat.ttl_seconds,
        })
    }

    /// The lease of a session, if it is alive.
    pub(crate) fn lease_shown(
        &self,
        session: &Session,
        now_boot_ms: u64,
    ) -> Option<ShownLease<'static>> {
        let seat = self.get(session.id)?;
        let left_ms = seat.until_boot_ms.checked_sub(now_boot_ms)?;
        let granted_at = timestamp(seat.granted?.wall_ms);
        let remaining_seconds = u32::try_from(left_ms / 1_000).ok()?;
        (remaining_seconds > 0).then_some(ShownLease {
            lease: session.lease.as_ref()?.to_string().into(),
            granted_at,
            remaining_seconds,
        })
    }

    fn held_since(&self, session: SessionId) -> Option<Stamp> {
        self.get(session).and_then(|seat| seat.granted)
    }
}

fn held(ttl_seconds: u32, asked_boot_ms: u64, granted: Option<Stamp>) -> Seat {
    Seat {
        due_boot_ms: asked_boot_ms + third_ms(ttl_seconds.max(1)).max(LEAST_MS),
        ttl_seconds: ttl_seconds.max(1),
        granted,
        until_boot_ms: asked_boot_ms + u64::from(ttl_seconds) * 1000,
    }
}

/// No seat yet; asks for one at that time.
fn none_until(due_boot_ms: u64) -> Seat {
    Seat {
        due_boot_ms,
        ttl_seconds: TTL_SECONDS,
        granted: None,
        until_boot_ms: 0,
    }
}

fn third_ms(ttl_seconds: u32) -> u64 {
    u64::from(ttl_seconds) * 1000 / 3
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SessionId = SessionId(1);

    fn now(boot_ms: u64) -> Stamp {
        Stamp {
            boot_ms,
            wall_ms: 1_700_000_000_000,
        }
    }

    #[test]
    fn a_seat_is_renewed_after_a_third_of_its_time_and_others_that_are_due_soon_with_it() {
        let mut seats = Seats::default();
        assert_eq!(seats.next_due_boot_ms(), u64::MAX);
        seats.granted(ONE, 300, 1_000, now(1_500));
        seats.granted(SessionId(2), 300, 10_000, now(10_500));
        assert_eq!(seats.next_due_boot_ms(), 101_000);
        assert_eq!(seats.due(100_999), []);
        let mut due = seats.due(101_000);
        due.sort_unstable();
        assert_eq!(due, [ONE, SessionId(2)]);
        seats.on_its_way(ONE, 101_000);
        assert_eq!(seats.due(101_000), [], "the other alone is not due yet");
    }

    #[test]
    fn a_seat_is_held_since_it_was_granted_first_until_it_is_refused() {
        let mut seats = Seats::default();
        let since = |seats: &Seats| seats.to_save(ONE).map(|seat| seat.granted);
        seats.asked(ONE);
        assert_eq!(since(&seats), None);
        seats.granted(ONE, 300, 0, now(7));
        seats.renewed(ONE, 300, 100_000);
        seats.granted(ONE, 300, 200_000, now(200_007));
        assert_eq!(since(&seats), Some(now(7)));
        seats.undecided(ONE, 300_000);
        assert_eq!(since(&seats), Some(now(7)), "nobody has refused it");
        seats.refused(ONE, 300_000);
        assert_eq!(since(&seats), None);
        assert_eq!(seats.next_due_boot_ms(), 300_000 + UNSEATED_RETRY_MS);
        seats.forget(ONE);
        assert!(seats.get(ONE).is_none());
    }
}
