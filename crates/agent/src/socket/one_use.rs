//! What counts as one use is one seat, also by `usher run`: who runs a second command of a product
//! that counts a user on a computer shares the lease of the first, until the last has ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use usher_api::{CheckoutRequest, Counting, Lease};

use super::covers::holds;
use super::peer::Peer;
use super::{State, routes::is_plain};
use crate::covers::{Found, ask};
use crate::lock;
use crate::outbox::OutboxError;
use crate::watch::procfs;

/// How long who shares a lease may take to have its command covered: until then it is not given
/// back.
const COVERED_WITHIN: Duration = Duration::from_secs(10);
/// Uses that are remembered; beyond, those that nobody asks about are forgotten.
const USES_LIMIT: usize = 4_096;

/// The account, whom it is counted for, and the product.
type Key = (u32, u32, String);
/// One request of a use at a time has it.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// Uses by `usher run`. In memory only: what is covered is on disk.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    turns: Mutex<HashMap<Key, Turn>>,
    /// By use, the lease that was granted last, with its proof.
    granted: Mutex<HashMap<Key, (String, Option<String>)>>,
    /// By lease, when it was shared with commands that are not covered yet.
    sharing: Mutex<HashMap<String, Vec<Instant>>>,
}

impl Uses {
    fn turn(&self, key: &Key) -> Turn {
        let mut turns = lock(&self.turns);
        if turns.len() >= USES_LIMIT {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        turns.entry(key.clone()).or_default().clone()
    }

    fn last(&self, key: &Key) -> Option<(String, Option<String>)> {
        lock(&self.granted).get(key).cloned()
    }

    fn keep(&self, key: Key, lease: &Lease) {
        let mut granted = lock(&self.granted);
        if granted.len() >= USES_LIMIT {
            granted.clear();
        }
        granted.insert(key, (lease.id.clone(), lease.proof.clone()));
    }

    fn share(&self, lease: &str) {
        let mut sharing = lock(&self.sharing);
        sharing.retain(|_, since| since.iter().any(|since| since.elapsed() < COVERED_WITHIN));
        sharing
            .entry(lease.to_owned())
            .or_default()
            .push(Instant::now());
    }

    /// The command of one who keeps the lease is covered, which is on disk.
    pub(super) fn is_covered(&self, lease: &str) {
        if let Some(since) = lock(&self.sharing).get_mut(lease) {
            since.pop();
        }
    }

    /// Whether somebody who was given the lease is about to have a command covered by it.
    fn is_shared_now(&self, lease: &str) -> bool {
        let sharing = lock(&self.sharing);
        let since = sharing.get(lease);
        since.is_some_and(|since| since.iter().any(|since| since.elapsed() < COVERED_WITHIN))
    }
}

/// One use of a person, in whose turn nobody else asks for a seat of it.
pub(super) struct Use {
    key: Key,
    _turn: tokio::sync::OwnedMutexGuard<()>,
}

impl Use {
    /// Its turn; none if each request is to take a seat of its own: the product counts otherwise, or
    /// more than one seat is asked for.
    pub(super) async fn of(
        state: &State,
        peer: Peer,
        request: &CheckoutRequest<'_>,
    ) -> Option<Use> {
        let is_one = request.seats == 1 && request.also.is_empty();
        let counts_users = {
            let agent = lock(&state.agent);
            let product = agent.product(&request.product);
            product.is_some_and(|product| product.counting != Counting::Process)
        };
        if !is_one || !counts_users {
            return None;
        }
        let key = (
            peer.uid,
            peer.who().counted,
            request.product.clone().into_owned(),
        );
        let turn = state.uses.turn(&key);
        Some(Use {
            key,
            _turn: turn.lock_owned().await,
        })
    }

    /// The lease that the person holds for it on this computer already, renewed.
    pub(super) async fn shared(&self, state: &State, peer: Peer) -> Option<Lease> {
        let product = &*self.key.2;
        let last = state.uses.last(&self.key);
        let covers = lock(&state.agent).outbox.covers().ok()?;
        let kept = covers
            .into_iter()
            .filter(|cover| cover.keeps && cover.product == product)
            .filter(|cover| procfs::still_runs(cover.root))
            .map(|cover| cover.lease);
        let mut found: Vec<String> = last.iter().map(|(lease, _)| lease.clone()).collect();
        found.extend(kept);
        found.dedup();
        for lease in found {
            let grant = lock(&state.agent).outbox.grant(&lease).ok()?;
            let is_own = grant.is_some_and(|(uid, of)| uid == peer.uid && of == product);
            if !is_own || !is_plain(&lease) {
                continue;
            }
            // One account may work for several people.
            let Found::Held(held) = ask(&state.client, &lease, None, 0).await else {
                continue;
            };
            if held.seats != 1 || !holds(state, peer, held.holder).await {
                continue;
            }
            let path = format!("/v1/leases/{lease}/renew");
            if let Ok(renewed) = state.client.post_empty::<Lease>(&path).await {
                state.uses.share(&lease);
                let proof = last.filter(|(known, _)| *known == lease);
                return Some(Lease {
                    proof: proof.and_then(|(_, proof)| proof),
                    ..renewed
                });
            }
        }
        None
    }

    /// A lease was granted for it.
    pub(super) fn granted(self, state: &State, lease: &Lease) {
        state.uses.keep(self.key, lease);
    }
}

/// Whether a lease stays when who asks gives it back: another command keeps it, or is about to.
pub(super) fn stays(state: &State, peer: Peer, lease: &str) -> Result<bool, OutboxError> {
    let Some(asks) = peer.pid else {
        return Ok(false);
    };
    let keepers: Vec<u32> = {
        let covers = lock(&state.agent).outbox.covers()?;
        let keep = covers
            .into_iter()
            .filter(|cover| cover.keeps && cover.lease == lease);
        keep.filter(|cover| procfs::still_runs(cover.root))
            .map(|cover| cover.root.pid)
            .collect()
    };
    // Who keeps none means the lease itself.
    if !keepers.contains(&asks) {
        return Ok(false);
    }
    if keepers.iter().all(|keeper| *keeper == asks) && !state.uses.is_shared_now(lease) {
        return Ok(false);
    }
    lock(&state.agent)
        .outbox
        .change(|change| change.keeps_no_more(asks, lease))?;
    Ok(true)
}
