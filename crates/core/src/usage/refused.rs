//! For how long somebody who was refused wanted a seat.
//!
//! Nobody knows how long they would have used it. Refusals of one holder within a quarter of an hour
//! of the one before are one want ([`RETRY_SECONDS`]): it lasts from the first refusal until as long
//! after the last as a session of the product lasts, but no longer than until the person was granted
//! a seat, or asked again.

use super::Want;
use super::granted::Granted;
use crate::ledger::{RETRY_SECONDS, Reason};

const RETRY_MS: i64 = (RETRY_SECONDS * 1_000).cast_signed();

/// A refusal, or several that were counted as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The holder, as in [`Want::holder`].
    pub holder: u64,
    /// The person who was refused, on any computer.
    pub person: u64,
    /// Seats that were asked for.
    pub seats: u32,
    /// The first refusal, in Unix milliseconds.
    pub first_ms: i64,
    /// The last refusal, in Unix milliseconds.
    pub last_ms: i64,
}

/// The want of somebody who was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedWant {
    /// The index of its first refusal in the list.
    pub first: usize,
    /// The want.
    pub want: Want,
}

/// The wants of those who were refused, in no particular order. `granted` lists who was granted
/// seats and when, in Unix milliseconds; a session is taken to last for `session_ms`.
pub fn refused_wants(
    refusals: &[Refusal],
    granted: impl IntoIterator<Item = (u64, i64)>,
    session_ms: u64,
) -> Vec<RefusedWant> {
    let granted = Granted::of(granted);
    let session_ms = i64::try_from(session_ms).unwrap_or(i64::MAX);
    let mut order: Vec<usize> = (0..refusals.len()).collect();
    order.sort_by_key(|at| (refusals[*at].holder, refusals[*at].first_ms, *at));
    let mut wants: Vec<RefusedWant> = Vec::new();
    // Until when the last of `wants` would last.
    let mut last_ms = i64::MIN;
    for at in order {
        let refusal = &refusals[at];
        let granted_ms = granted.first_after(refusal.person, refusal.last_ms);
        let until_ms = refusal.last_ms.saturating_add(session_ms).min(granted_ms);
        let until_ms = until_ms.max(refusal.first_ms);
        if let Some(RefusedWant { want: before, .. }) = wants.last_mut()
            && before.holder == refusal.holder
        {
            let is_retry = refusal.first_ms.saturating_sub(last_ms) < RETRY_MS
                && granted.first_after(refusal.person, last_ms) > refusal.first_ms;
            last_ms = last_ms.max(refusal.last_ms);
            if is_retry && before.seats == refusal.seats {
                before.until_ms = before.until_ms.max(until_ms);
                continue;
            }
            // Who asks again wants that instead.
            before.until_ms = before.until_ms.min(refusal.first_ms);
        }
        last_ms = refusal.last_ms;
        wants.push(RefusedWant {
            first: at,
            want: Want {
                holder: refusal.holder,
                is_own: false,
                seats: refusal.seats,
                from_ms: refusal.first_ms,
                until_ms,
            },
        });
    }
    wants
}

/// Whether more seats would have prevented a refusal for that reason.
pub fn seats_help(reason: Reason) -> bool {
    match reason {
        Reason::NoSeat
        | Reason::NoEntitlement
        | Reason::EntitlementExpired
        | Reason::NotYetValid
        | Reason::QueueFull => true,
        // A refused wait for too many seats is known by its ticket.
        Reason::ProductDisabled | Reason::Undecided | Reason::Impossible => false,
        #[cfg(test)]
        Reason::Quota | Reason::OutsideAccessHours => false,
    }
}

/// The median length, in milliseconds; none if there is no session.
pub fn median_ms(mut lengths_ms: Vec<u64>) -> Option<u64> {
    let middle = lengths_ms.len().checked_sub(1)? / 2;
    let (_, median, _) = lengths_ms.select_nth_unstable(middle);
    Some(*median)
}
