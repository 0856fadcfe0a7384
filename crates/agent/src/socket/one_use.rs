//! What counts as one use is one seat, also by `usher run`: who runs a second command of a product
//! that counts a user on a computer shares the lease of the first, until the last has ended.

use tokio::sync::OwnedMutexGuard;
use usher_api::{CheckoutRequest, Counting, Lease};

use super::State;
use super::covers::holds;
use super::grants::is_plain;
use super::peer::Peer;
use crate::covers::{Found, ask};
use crate::lock;
use crate::outbox::{Cover, OutboxError};
use crate::system::procfs;
use crate::uses::Key;

/// One use of a person, in whose turn nobody else asks for a seat of it.
pub(super) struct Use {
    key: Key,
    _turn: OwnedMutexGuard<()>,
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
            let product = agent.rulebook.product(&request.product);
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
        let turn = state.uses.turn(&key).await;
        Some(Use { key, _turn: turn })
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
            // Nobody gives it back meanwhile.
            let _turn = state.uses.turn_of(&lease).await;
            // One account may work for several people.
            let Found::Held(held) = ask(&state.client, &lease, None, 0).await else {
                continue;
            };
            if held.seats != 1 || !holds(state, peer, held.holder).await {
                continue;
            }
            let path = format!("/v1/leases/{lease}/renew");
            if let Ok(renewed) = state.client.post_empty::<Lease>(&path).await {
                claim(state, peer, &lease);
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
    pub(super) fn granted(self, state: &State, peer: Peer, lease: &Lease) {
        claim(state, peer, &lease.id);
        state.uses.keep(self.key, lease);
    }
}

/// Who asks was given the lease. One that has ended by now uses it no more.
fn claim(state: &State, peer: Peer, lease: &str) {
    if let Some(whose) = peer.process() {
        state.uses.share(lease, whose);
    }
}

/// Whether a lease stays when who asks gives it back: another command keeps it, or is about to. So
/// it does when they give it back again, as the answer may be lost on the way.
pub(super) fn stays(state: &State, peer: Peer, lease: &str) -> Result<bool, OutboxError> {
    let Some(asks) = peer.pid else {
        return Ok(false);
    };
    let (own, others): (Vec<Cover>, Vec<Cover>) = {
        let covers = lock(&state.agent).outbox.covers()?;
        let of_it = covers.into_iter().filter(|cover| cover.lease == lease);
        of_it
            .filter(|cover| procfs::still_runs(cover.root))
            .partition(|cover| cover.root.pid == asks)
    };
    let is_given_up = state.uses.give_up(lease, asks);
    // Who was never given it, nor covered by it, means the lease itself.
    if own.is_empty() && !is_given_up {
        return Ok(false);
    }
    let is_kept = others.iter().any(|cover| cover.keeps) || state.uses.is_shared_now(lease);
    if is_kept && own.iter().any(|cover| cover.keeps) {
        lock(&state.agent)
            .outbox
            .change(|change| change.keeps_no_more(asks, lease))?;
    }
    Ok(is_kept)
}
