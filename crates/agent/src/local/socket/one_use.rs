//! What counts as one use is one seat, also by `usher run`: who runs a second command of a product
//! that counts a user on a computer shares the lease of the first, or that of a program which was
//! started plainly, until the last has ended; and a seat that is kept for their next start is theirs.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use usher_api::client::ClientError;
use usher_api::{CheckoutRequest, Code, Counting, Lease};
use usher_core::sessions::{AccountKey, Program};

use super::State;
use super::answers::Refusal;
use super::covers::holds;
use super::grants::is_plain;
use super::peer::Peer;
use crate::base::lock;
use crate::model::shares::uses::Key;
use crate::server::covers::{Found, ask};
use crate::store::outbox::{Cover, OutboxError};
use crate::system::procfs;

/// How long it is waited for the answer to what a program asks that was started plainly.
const SETTLED_WITHIN: Duration = Duration::from_secs(2);

/// One use of a person. During its turn nobody else asks for a seat of it.
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
            let product = agent.rulebook().product(&request.product);
            product.is_some_and(|product| product.counting != Counting::Process)
        };
        if !is_one || !counts_users {
            return None;
        }
        let key = (
            peer.account,
            peer.who().counted,
            request.product.clone().into_owned(),
        );
        let turn = state.uses.turn(&key).await;
        Some(Use { key, _turn: turn })
    }

    /// The turn of a use that is known.
    pub(super) async fn again(state: &State, key: &Key) -> Use {
        let turn = state.uses.turn(key).await;
        Use {
            key: key.clone(),
            _turn: turn,
        }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    fn of_whom(&self) -> (&str, AccountKey) {
        (&self.key.2, self.key.1)
    }

    /// The lease that the person holds for it on this computer already, or that is kept for them: they
    /// wait for no other.
    /// `starts` is what is started on it, if anything is.
    pub(super) async fn shared(
        &self,
        state: &State,
        peer: Peer,
        starts: Option<&Program>,
    ) -> Result<Option<Lease>, Refusal> {
        match self.in_use(state, peer).await? {
            Some(lease) => Ok(Some(lease)),
            None => self.kept(state, peer, starts).await,
        }
    }

    /// The same, but for one that is only kept for their next start.
    pub(super) async fn in_use(&self, state: &State, peer: Peer) -> Result<Option<Lease>, Refusal> {
        let shared = match self.of_session(state, peer)? {
            Some(lease) => Some(lease),
            None => self.of_runs(state, peer).await,
        };
        if let Some(lease) = &shared {
            self.waits_no_more(state, &lease.id)?;
        }
        Ok(shared)
    }

    /// That of a program which was started without `usher run`.
    pub(super) fn of_session(&self, state: &State, peer: Peer) -> Result<Option<Lease>, Refusal> {
        let (product, counted) = self.of_whom();
        let mut agent = lock(&state.agent);
        let Some(lease) = agent.lend(product, counted)? else {
            return Ok(None);
        };
        agent.save_grant(&lease.id, peer.account, product, None)?;
        // Before the session may end.
        claim(state, peer, &lease.id);
        Ok(Some(lease))
    }

    /// That of another `usher run`, renewed.
    async fn of_runs(&self, state: &State, peer: Peer) -> Option<Lease> {
        let (product, counted) = self.of_whom();
        let last = state.uses.last(&self.key);
        let (covers, joined) = {
            let agent = lock(&state.agent);
            let covers = agent.outbox().covers().ok()?;
            (covers, agent.joined_by(product, counted))
        };
        let kept = covers
            .into_iter()
            .filter(|cover| cover.keeps && cover.product == product)
            .filter(|cover| procfs::still_runs(cover.root))
            .map(|cover| cover.lease);
        let mut found: Vec<String> = last.iter().map(|(lease, _)| lease.clone()).collect();
        found.extend(kept.chain(joined));
        found.dedup();
        for lease in found {
            let is_own = {
                let agent = lock(&state.agent);
                let grant = agent.outbox().grant(&lease).ok()?;
                grant.is_some_and(|(account, of)| account == peer.account && of == product)
                    && agent.lent(&lease).is_none()
            };
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
            let renewed = state.client.post_empty::<Lease>(&path);
            if let Ok(renewed) = state.heard(renewed).await {
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

    /// A seat that was waited for and is kept for the person's next start: this is that start.
    async fn kept(
        &self,
        state: &State,
        peer: Peer,
        starts: Option<&Program>,
    ) -> Result<Option<Lease>, Refusal> {
        let (product, counted) = self.of_whom();
        let kept = || {
            let agent = lock(&state.agent);
            agent.waits().kept_for(product, counted)
        };
        let Some((number, id)) = kept() else {
            return Ok(None);
        };
        let path = format!("/v1/leases/{id}/renew");
        let renewed = state.client.post_empty::<Lease>(&path);
        let renewed = state.heard(renewed).await;
        let mut agent = lock(&state.agent);
        // A program that was started plainly may have it by now.
        if agent.waits().kept_for(product, counted) != Some((number, id)) {
            return Ok(None);
        }
        let lease = match renewed {
            Ok(lease) => lease,
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
                // It was given back by somebody else: it is kept no more.
                agent.end_wait(number, None, None)?;
                return Ok(None);
            }
            Err(_) => return Ok(None),
        };
        agent.save_grant(&lease.id, peer.account, product, Some(counted))?;
        claim(state, peer, &lease.id);
        agent.end_wait(number, Some(&lease.id), None)?;
        drop(agent);
        state.keeping.renewed(&lease);
        if let Some(program) = starts {
            state.uses.begins_kept(&lease.id, program.clone());
        }
        state.uses.keep(self.key.clone(), &lease);
        Ok(Some(lease))
    }

    /// The person has a seat by that lease: another that they wait for, or that is kept for them, is one
    /// too many.
    fn waits_no_more(&self, state: &State, lease: &str) -> Result<(), Refusal> {
        let (product, counted) = self.of_whom();
        let mut agent = lock(&state.agent);
        let wait = agent.waits().of(product, counted).map(|wait| wait.number);
        if let Some(number) = wait {
            agent.end_seated(number, lease)?;
            drop(agent);
            state.changed.notify_one();
        }
        Ok(())
    }

    /// Waits, for a moment, until it is known whether a program of it that was started plainly has a
    /// seat.
    pub(super) async fn settle(&self, state: &State) {
        let (product, counted) = self.of_whom();
        let mut exchanges = state.exchanges.clone();
        let settled = async {
            loop {
                let after = exchanges.borrow_and_update().begun;
                let urgent = {
                    let agent = lock(&state.agent);
                    if !agent.is_asking_for(product, counted) {
                        return;
                    }
                    agent.urgent()
                };
                urgent.notify_one();
                let ended = exchanges.wait_for(|exchanges| exchanges.ended > after);
                if ended.await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(SETTLED_WITHIN, settled).await;
    }

    /// A lease was granted for it. The one to use: a program that was started plainly may have got
    /// another meanwhile, and this one goes back.
    pub(super) async fn granted(
        self,
        state: &State,
        peer: Peer,
        lease: Lease,
    ) -> Result<Lease, Refusal> {
        if let Some(other) = self.of_session(state, peer)? {
            let path = format!("/v1/leases/{}", lease.id);
            if state.client.delete(&path).await.is_err() {
                lock(&state.agent).leave_behind(&lease.id)?;
            }
            return Ok(other);
        }
        claim(state, peer, &lease.id);
        self.waits_no_more(state, &lease.id)?;
        state.uses.keep(self.key, &lease);
        Ok(lease)
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
        let covers = lock(&state.agent).outbox().covers()?;
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
    let is_kept = others.iter().any(|cover| cover.keeps)
        || state.uses.is_shared_now(lease)
        || lock(&state.agent).is_of_session(lease);
    if is_kept && own.iter().any(|cover| cover.keeps) {
        lock(&state.agent).keeps_no_more(asks, lease)?;
    }
    Ok(is_kept)
}
