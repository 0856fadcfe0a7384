//! Leases that several commands of one use share: whose turn it is to ask for one or to give it
//! back, and who was given one and is not covered by it yet.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, watch};
use usher_api::Lease;
use usher_core::sessions::{AccountKey, ProcessKey, Program};

use crate::base::lock;
use crate::system::procfs;

/// How long who shares a lease may take to have its command covered: until then it is not given
/// back.
const COVERED_WITHIN: Duration = Duration::from_secs(10);
/// Commands that are about to be covered by one lease; beyond, the oldest are forgotten.
const SHARERS_LIMIT: usize = 256;
/// Uses, and leases, that are remembered; beyond, those that nobody asks about are forgotten.
const USES_LIMIT: usize = 4_096;

/// The account, whom it is counted for, and the product.
pub(crate) type Key = (AccountKey, AccountKey, String);
/// One request of a use, or of a lease, at a time has it.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// Uses by `usher run`. In memory only: what is covered is on disk.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    turns: Mutex<HashMap<Key, Turn>>,
    /// By lease: it is given to one more command, or given back.
    lease_turns: Mutex<HashMap<String, Turn>>,
    /// By use, the lease that was granted last, with its proof.
    granted: Mutex<HashMap<Key, (String, Option<String>)>>,
    /// By lease, who was given it and is not covered yet, the oldest first.
    sharing: Mutex<HashMap<String, VecDeque<Claim>>>,
    /// Requests for seats that are not answered yet, by whom they are counted for and the product.
    asking: Mutex<HashMap<(AccountKey, String), usize>>,
    /// By lease that was kept for a start and that a `usher run` was given as that start: what it runs.
    kept: Mutex<HashMap<String, Program>>,
    /// Somebody has a seat that others of the same use may share.
    changed: watch::Sender<()>,
}

/// A request for a seat of a use that is not answered yet.
#[derive(Debug)]
pub(crate) struct Asking {
    uses: Arc<Uses>,
    of: (AccountKey, String),
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut asking = lock(&self.uses.asking);
        let left = asking.get_mut(&self.of).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            asking.remove(&self.of);
        }
    }
}

/// A process was given a lease, and is about to have its command covered by it.
#[derive(Debug)]
struct Claim {
    whose: ProcessKey,
    since: Instant,
    /// It has given the lease back, and may say so again.
    is_over: bool,
}

impl Claim {
    fn stands(&self) -> bool {
        self.since.elapsed() < COVERED_WITHIN
    }
}

impl Uses {
    /// The turn of a use.
    pub(crate) async fn turn(&self, key: &Key) -> OwnedMutexGuard<()> {
        turn(&self.turns, key.clone()).lock_owned().await
    }

    /// The turn of a lease: nobody else is given it, or gives it back.
    pub(crate) async fn turn_of(&self, lease: &str) -> OwnedMutexGuard<()> {
        turn(&self.lease_turns, lease.to_owned()).lock_owned().await
    }

    /// The same without waiting; none: another request has it.
    pub(crate) fn turn_of_now(&self, lease: &str) -> Option<OwnedMutexGuard<()>> {
        let turn = turn(&self.lease_turns, lease.to_owned());
        turn.try_lock_owned().ok()
    }

    /// A seat of a use is asked for from now on; none: too many are.
    pub(crate) fn asks(self: &Arc<Self>, counted: AccountKey, product: &str) -> Option<Asking> {
        let of = (counted, product.to_owned());
        let mut asking = lock(&self.asking);
        if asking.len() >= USES_LIMIT && !asking.contains_key(&of) {
            return None;
        }
        *asking.entry(of.clone()).or_default() += 1;
        let uses = self.clone();
        drop(asking);
        Some(Asking { uses, of })
    }

    /// Whether a seat of a use is asked for.
    pub(crate) fn is_asked_for(&self, counted: AccountKey, product: &str) -> bool {
        let asking = lock(&self.asking);
        !asking.is_empty() && asking.contains_key(&(counted, product.to_owned()))
    }

    /// Tells when somebody has a seat that others of the same use may share.
    pub(crate) fn follow(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Somebody has such a seat.
    pub(crate) fn has_changed(&self) {
        self.changed.send_replace(());
    }

    /// Leases of a use that somebody was given who is about to have a command covered.
    pub(crate) fn about_to_use(&self, counted: AccountKey, product: &str) -> Vec<String> {
        let granted = lock(&self.granted);
        let of_use = granted
            .iter()
            .filter(|((_, of, which), _)| *of == counted && which == product);
        let leases: Vec<String> = of_use.map(|(_, (lease, _))| lease.clone()).collect();
        drop(granted);
        let is_shared = |lease: &String| self.is_shared_now(lease);
        leases.into_iter().filter(is_shared).collect()
    }

    pub(crate) fn last(&self, key: &Key) -> Option<(String, Option<String>)> {
        lock(&self.granted).get(key).cloned()
    }

    pub(crate) fn keep(&self, key: Key, lease: &Lease) {
        let mut granted = lock(&self.granted);
        if granted.len() >= USES_LIMIT {
            granted.clear();
        }
        granted.insert(key, (lease.id.clone(), lease.proof.clone()));
        drop(granted);
        self.has_changed();
    }

    /// A seat that was kept is given to a `usher run`, which runs that. Beyond a bound it is forgotten
    /// which these were.
    pub(crate) fn begins_kept(&self, lease: &str, program: Program) {
        let mut kept = lock(&self.kept);
        if kept.len() >= USES_LIMIT {
            kept.clear();
        }
        kept.insert(lease.to_owned(), program);
    }

    /// What was begun by a `usher run` on a lease that was kept for it.
    pub(crate) fn begun_kept(&self, lease: &str) -> Option<Program> {
        lock(&self.kept).get(lease).cloned()
    }

    /// A process is given the lease and about to have its command covered by it.
    pub(crate) fn share(&self, lease: &str, whose: ProcessKey) {
        let mut sharing = lock(&self.sharing);
        sharing.retain(|_, claims| {
            claims.retain(Claim::stands);
            !claims.is_empty()
        });
        if sharing.len() >= USES_LIMIT && !sharing.contains_key(lease) {
            // It is given back as if nobody were about to use it.
            return;
        }
        let claims = sharing.entry(lease.to_owned()).or_default();
        // Who asks again, as the answer may be lost on the way, has one claim all the same.
        claims.retain(|claim| claim.whose != whose);
        if claims.len() >= SHARERS_LIMIT {
            claims.pop_front();
        }
        claims.push_back(Claim {
            whose,
            since: Instant::now(),
            is_over: false,
        });
    }

    /// The command of one who keeps the lease is covered, which is on disk.
    pub(crate) fn is_covered(&self, lease: &str, whose: u32) {
        if let Some(claims) = lock(&self.sharing).get_mut(lease) {
            claims.retain(|claim| claim.whose.pid != whose);
        }
    }

    /// A process gives the lease back; whether it was given it and is not covered.
    pub(crate) fn give_up(&self, lease: &str, whose: u32) -> bool {
        let mut sharing = lock(&self.sharing);
        let claims = sharing.get_mut(lease).into_iter().flatten();
        let mut own = claims.filter(|claim| claim.whose.pid == whose && claim.stands());
        own.next().map(|claim| claim.is_over = true).is_some()
    }

    /// Whether somebody who was given the lease is about to have a command covered by it.
    pub(crate) fn is_shared_now(&self, lease: &str) -> bool {
        let sharing = lock(&self.sharing);
        let claims = sharing.get(lease).into_iter().flatten();
        claims
            .filter(|claim| claim.stands() && !claim.is_over)
            .any(|claim| procfs::still_runs(claim.whose))
    }
}

fn turn<Of: Hash + Eq>(turns: &Mutex<HashMap<Of, Turn>>, of: Of) -> Turn {
    let mut turns = lock(turns);
    if turns.len() >= USES_LIMIT {
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
    }
    turns.entry(of).or_default().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this() -> ProcessKey {
        let pid = std::process::id();
        let start = procfs::process_stat(pid).unwrap().start;
        ProcessKey { pid, start }
    }

    #[test]
    fn who_is_covered_by_a_lease_leaves_the_claims_of_others_to_it() {
        let uses = Uses::default();
        let gone = ProcessKey { pid: 1, start: 1 };
        let own = this();
        uses.share("L1", own);
        uses.share("L1", own);
        uses.share("L2", own);
        uses.is_covered("L1", own.pid + 1);
        assert!(uses.is_shared_now("L1"), "another one is covered");
        uses.is_covered("L1", own.pid);
        assert!(!uses.is_shared_now("L1"), "who asked twice has one claim");
        assert!(uses.is_shared_now("L2"), "it is another lease");
        uses.share("L1", gone);
        assert!(!uses.is_shared_now("L1"), "its process has ended");
    }

    #[test]
    fn who_gives_back_before_it_is_covered_gives_up_its_own_claim_as_often_as_it_says_so() {
        let uses = Uses::default();
        let own = this();
        uses.share("L1", own);
        assert!(!uses.give_up("L1", own.pid + 1), "it was never given it");
        assert!(uses.is_shared_now("L1"));
        assert!(uses.give_up("L1", own.pid) && uses.give_up("L1", own.pid));
        assert!(!uses.is_shared_now("L1"));
        uses.share("L1", own);
        assert!(uses.is_shared_now("L1"), "it is given it again");
    }

    #[test]
    fn a_use_is_asked_for_until_the_last_request_for_it_is_answered() {
        let uses = Arc::new(Uses::default());
        let [own, another] = [1000, 1001].map(AccountKey::new);
        let first = uses.asks(own, "cad");
        let second = uses.asks(own, "cad");
        drop(first);
        assert!(uses.is_asked_for(own, "cad"));
        assert!(!uses.is_asked_for(another, "cad") && !uses.is_asked_for(own, "sim"));
        drop(second);
        assert!(!uses.is_asked_for(own, "cad"));
    }

    #[test]
    fn what_was_begun_on_kept_seats_is_remembered_up_to_a_bound() {
        let uses = Uses::default();
        let program = Program {
            name: "script".into(),
            version: None,
        };
        assert_eq!(uses.begun_kept("L1"), None);
        uses.begins_kept("L1", program.clone());
        assert_eq!(uses.begun_kept("L1"), Some(program.clone()));
        for number in 0..USES_LIMIT {
            uses.begins_kept(&format!("M{number}"), program.clone());
        }
        assert!(lock(&uses.kept).len() <= USES_LIMIT);
    }

    #[test]
    fn who_is_given_leases_without_end_is_remembered_up_to_a_bound() {
        let uses = Uses::default();
        let process = |pid| ProcessKey { pid, start: 1 };
        let many = SHARERS_LIMIT as u32 + 5;
        for pid in 1..=many {
            uses.share("L1", process(pid));
        }
        assert_eq!(lock(&uses.sharing)["L1"].len(), SHARERS_LIMIT);
        let long_ago = Instant::now().checked_sub(COVERED_WITHIN).unwrap();
        for claim in lock(&uses.sharing).values_mut().flatten().skip(1) {
            claim.since = long_ago;
        }
        uses.share("L1", process(many));
        assert_eq!(lock(&uses.sharing)["L1"].len(), 2);
        for number in 0..USES_LIMIT + 5 {
            uses.share(&format!("M{number}"), process(1));
        }
        assert_eq!(lock(&uses.sharing).len(), USES_LIMIT);
    }

    #[tokio::test]
    async fn turns_that_nobody_has_are_forgotten() {
        let uses = Uses::default();
        let had = uses.turn_of("L").await;
        for number in 0..USES_LIMIT + 5 {
            drop(uses.turn_of(&format!("M{number}")).await);
        }
        assert!(lock(&uses.lease_turns).len() < USES_LIMIT);
        assert!(lock(&uses.lease_turns)["L"].try_lock().is_err());
        drop(had);
    }
}
