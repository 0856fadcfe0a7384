//! What the agent shows: running sessions and their leases, and what is due next.

use usher_api::Lease;
use usher_core::sessions::Session;

use super::Agent;
use crate::base::clock::{self, timestamp};

impl Agent {
    /// The number of running sessions.
    pub(crate) fn running_sessions(&self) -> u64 {
        self.sessions.open().count() as u64
    }

    /// The leases of the running sessions, as far as they may be shown.
    pub(crate) fn leases_of(&self, is_shown: impl Fn(&Session) -> bool) -> Vec<Lease> {
        let now = clock::now();
        let seen = self.sessions.open();
        let seen = seen.filter(|session| session.seated && is_shown(session));
        let leases = seen.filter_map(|session| {
            let id = session.lease.as_ref()?;
            let seat = self.seats.get(session.id);
            let ttl = seat.map_or(0, |seat| seat.ttl_seconds);
            let granted = seat.and_then(|seat| seat.granted);
            Some(Lease {
                id: id.to_string(),
                product: session.product.to_string(),
                user: self.here.accounts.name(session.who.counted),
                computer: self.here.computer.id.clone(),
                seats: 1,
                granted_at: timestamp(granted.unwrap_or(session.started).wall_ms),
                expires_at: timestamp(now.wall_ms + i64::from(ttl) * 1000),
                ttl_seconds: ttl,
                allotments: Vec::new(),
                proof: None,
                also: Vec::new(),
                with: None,
                kept_seconds: None,
                idle_seconds: None,
                joined: 0,
            })
        });
        leases.collect()
    }

    /// When something is due at the server for a seat, in milliseconds since boot.
    pub(crate) fn next_due_boot_ms(&self) -> u64 {
        self.seats.next_due_boot_ms()
    }

    /// When the next reminder or end of a program is due, in milliseconds since boot.
    pub(crate) fn next_reminder_boot_ms(&self) -> Option<u64> {
        self.lost.next_due_boot_ms()
    }
}
