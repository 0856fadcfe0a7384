//! Who may join which lease, as the server answered once; and how often each was joined, until that
//! is reported.
//!
//! In memory only: after a start of the agent the server is asked again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use usher_api::HeldAlso;
use usher_core::sessions::{AccountKey, Who};

/// Accounts and leases that are remembered; when there are as many, all are asked about again.
const ADMITTED_LIMIT: usize = 16_384;
/// Leases whose joins wait to be told; what more is joined meanwhile is not counted.
const UNTOLD_LIMIT: usize = 16_384;

/// Joins of a lease that one request tells at the most.
const JOINS_LIMIT: u32 = 100_000;

/// Joins of a lease that the server is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) joins: u32,
    /// The proof that opens the lease at the server, if another computer holds it.
    pub(crate) proof: Option<String>,
}

/// By what somebody may join a lease, and what they join with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// The proof that was right; none: it is the lease of that person.
    pub(crate) proof: Option<String>,
    /// What was granted in one ask with it.
    pub(crate) also: Vec<HeldAlso>,
}

#[derive(Debug, Default)]
pub(crate) struct Joins {
    held: Mutex<Held>,
    /// There is something to tell.
    pub(crate) to_tell: Notify,
}

#[derive(Debug, Default)]
struct Held {
    /// By lease, account and whom that is counted for. One account may work for several people.
    admitted: BTreeMap<(String, AccountKey, AccountKey), Admitted>,
    untold: BTreeMap<String, Untold>,
}

impl Joins {
    /// Who works by an account may join the lease.
    pub(crate) fn admit(&self, lease: &str, who: Who, admitted: Admitted) {
        let mut held = self.held();
        if held.admitted.len() >= ADMITTED_LIMIT {
            held.admitted.clear();
        }
        held.admitted.insert(key(lease, who), admitted);
    }

    /// Whether they may join the lease, as far as is remembered, and by what.
    pub(crate) fn admitted(&self, lease: &str, who: Who) -> Option<Admitted> {
        self.held().admitted.get(&key(lease, who)).cloned()
    }

    /// A lease was joined, and the server does not know yet.
    pub(crate) fn count(&self, lease: &str, proof: Option<String>) {
        let once = Untold { joins: 1, proof };
        self.keep(lease.to_owned(), once);
        self.to_tell.notify_one();
    }

    /// Adds joins to what is told with the next ones.
    pub(crate) fn keep(&self, lease: String, more: Untold) {
        let mut held = self.held();
        let is_full = held.untold.len() >= UNTOLD_LIMIT;
        match held.untold.entry(lease) {
            Entry::Occupied(mut untold) => {
                let joins = &mut untold.get_mut().joins;
                *joins = joins.saturating_add(more.joins).min(JOINS_LIMIT);
            }
            Entry::Vacant(place) if !is_full => drop(place.insert(more)),
            Entry::Vacant(_) => {}
        }
    }

    /// What the server is to be told, by lease; it is counted from none again.
    pub(crate) fn take(&self) -> BTreeMap<String, Untold> {
        std::mem::take(&mut self.held().untold)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(lease: &str, who: Who) -> (String, AccountKey, AccountKey) {
    (lease.to_owned(), who.real, who.counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_admitted_to_a_lease_is_so_to_no_other_nor_anybody_else_by_the_same_account() {
        let joins = Joins::default();
        let by = |real, counted| Who {
            real: AccountKey::new(real),
            counted: AccountKey::new(counted),
        };
        let (ada, bob) = (by(7, 7), by(8, 8));
        let proven = Admitted {
            proof: Some("p".to_owned()),
            also: Vec::new(),
        };
        joins.admit("L1", ada, proven.clone());
        joins.admit("L2", bob, Admitted::default());
        assert_eq!(joins.admitted("L1", ada), Some(proven));
        assert_eq!(joins.admitted("L2", bob), Some(Admitted::default()));
        assert_eq!(joins.admitted("L1", bob), None);
        assert_eq!(joins.admitted("L2", ada), None);
        // Ada works by Bob's account, and Bob by hers.
        assert_eq!(joins.admitted("L2", by(8, 7)), None);
        assert_eq!(joins.admitted("L1", by(7, 8)), None);
        for number in 0..ADMITTED_LIMIT {
            joins.admit(&format!("M{number}"), ada, Admitted::default());
        }
        assert!(joins.held().admitted.len() <= ADMITTED_LIMIT);
    }

    #[test]
    fn joins_add_up_until_they_are_taken() {
        let joins = Joins::default();
        joins.count("L1", Some("p".to_owned()));
        joins.count("L1", Some("p".to_owned()));
        let taken = joins.take();
        let proof = Some("p".to_owned());
        assert_eq!(taken["L1"], Untold { joins: 2, proof });
        assert!(joins.take().is_empty());
        for number in 0..UNTOLD_LIMIT + 5 {
            joins.count(&format!("M{number}"), None);
        }
        assert_eq!(joins.take().len(), UNTOLD_LIMIT);
    }
}
