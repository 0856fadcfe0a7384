//! Covers: a lease that somebody holds already covers what a process of theirs starts.
//!
//! Nobody's word is taken for a lease. One that was made through this agent is known here; any is
//! asked about at the server, which says what it is of, and who holds it if that is on this
//! computer, or that the proof that was shown is right. Only its own person and who shows the proof
//! may join. While a cover of it stands, a lease is not asked about again for each further process
//! of its own person, or of an account that shows the proof again by which it has joined, but now
//! and then for all: see [`crate::server::covers`]. Where the
//! server does not answer, only what was made here covers anything.
//!
//! Who guesses has the server asked only so often; who may join a lease, as often as they do.

use std::time::Duration;

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use usher_api::{Code, CoverRequest, HeldAlso, LEASE_PROOF_HEADER, LeaseHolder, NAME_LIMIT_BYTES};
use usher_core::people::{LocalAccounts, Person};
use usher_core::sessions::{Process, ProcessKey};

use super::answers::{Answer, App, Body, Id, Refusal, answer, compose, parse};
use super::grants::is_plain;
use super::peer::Peer;
use super::{State, mine};
use crate::agent::covers::as_use;
use crate::base::lock;
use crate::model::joins::Admitted;
use crate::server::covers::{Found, ask};
use crate::store::outbox::Cover;
use crate::system::procfs;

/// How long a cover waits for the watcher, which may be busy.
const FOLLOW_LIMIT: Duration = Duration::from_millis(200);
/// Bytes of what is shown as a proof at the most; a server's have 32.
const PROOF_LIMIT_BYTES: usize = 128;
/// Covers at a time; as many as the sessions' machine takes.
const COVERS_LIMIT: u64 = 16_384;

/// `POST /v1/covers`.
pub(super) async fn take(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body,
) -> Answer {
    let mut request: CoverRequest<'_> = parse(&body)?;
    compose(&mut request.product);
    let names_fit = [&request.lease, &request.product].iter().all(|name| {
        !name.is_empty() && name.len() <= NAME_LIMIT_BYTES && !name.contains(usher_api::is_unseen)
    });
    if !names_fit {
        return Err(Refusal::new(
            Code::InvalidRequest,
            "lease and product are names of 1 to 255 bytes",
        ));
    }
    let found = procfs::process_stat(request.pid).ok();
    let runs_as = procfs::real_account(request.pid).ok();
    // A command that takes on another account is the child of who started it all the same.
    let theirs = |found: &procfs::ProcessStat| {
        let is_child = peer.process().is_some_and(|asks| found.parent == asks.pid);
        peer.is_root() || is_child || runs_as == Some(peer.account)
    };
    let Some(start) = found.filter(theirs).map(|found| found.start) else {
        return Err(Refusal::new(
            Code::Forbidden,
            format!("there is no process {} of this account", request.pid),
        ));
    };
    let right = must_be_held(&state, peer, &request).await?;
    let root = ProcessKey {
        pid: request.pid,
        start,
    };
    // What is kept is given back with its first lease.
    let with = right.also.into_iter().map(|also| Cover {
        root,
        keeps: false,
        proof: right.proof.clone(),
        lease: also.lease,
        product: also.product,
    });
    let mut covers: Vec<Cover> = with.collect();
    let cover = Cover {
        root,
        // Only what was granted through this agent is given back by it.
        keeps: request.keeps && right.made_here,
        proof: right.proof.clone(),
        lease: request.lease.into_owned(),
        product: request.product.into_owned(),
    };
    let root = cover.root;
    // Only `usher run` itself stands for the use: what its command forks would be of it, too, and may
    // outlive it.
    let is_runs_own = peer.pid == Some(request.pid) && cover.keeps;
    let begun = state.uses.begun_kept(&cover.lease).filter(|_| is_runs_own);
    let used = begun.map(|program| as_use(root, &cover.product, program, peer.who()));
    let kept = cover.keeps.then(|| cover.lease.clone());
    let joined = (!request.keeps).then(|| (cover.lease.clone(), cover.proof.clone()));
    covers.push(cover);
    begin(&state, covers, used)?;
    if let Some(lease) = kept {
        let whose = peer.pid.unwrap_or(request.pid);
        state.uses.is_covered(&lease, whose);
        state.keeping.begins();
    }
    if let Some((lease, proof)) = joined {
        state.joins.count(&lease, proof);
    }
    // What is started from the answer on is covered from its first instruction.
    let begun = std::time::Instant::now();
    while !state.shared.follows_covers() && begun.elapsed() < FOLLOW_LIMIT {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // One that ended before it was watched for ends its cover by nothing else.
    if procfs::is_gone(root) {
        lock(&state.agent).root_has_ended(root.pid)?;
    }
    state.changed.notify_one();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /v1/agents/leases/{id}`: of which product a lease is, for who may join it.
pub(super) async fn held(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(lease): Id,
    headers: HeaderMap,
) -> Answer {
    let none = || {
        Refusal::new(
            Code::UnknownLease,
            format!(
                "lease {lease:?} has ended, never was, or is somebody else's and its proof was not \
                 shown"
            ),
        )
    };
    if !is_plain(&lease) {
        return Err(none());
    }
    let made_here = lock(&state.agent).outbox().grant(&lease)?;
    let is_own = made_here.is_some_and(|(account, _)| account == peer.account || peer.is_root());
    if !is_own {
        mine::may_guess(&state, peer)?;
    }
    let shown = headers.get(LEASE_PROOF_HEADER);
    let shown = shown.and_then(|shown| shown.to_str().ok());
    let shown = shown.filter(|shown| is_proof(shown));
    match ask(&state.client, &lease, shown, 0).await {
        Found::Held(mut held) => {
            let holder = held.holder.take();
            if is_own || held.proven || holds(&state, peer, holder).await {
                return answer(StatusCode::OK, &held);
            }
            mine::in_vain(&state, peer);
            Err(none())
        }
        Found::Gone => {
            mine::in_vain(&state, peer);
            Err(none())
        }
        Found::NotKnown(why) => Err(Refusal::new(
            Code::ServerUnreachable,
            format!("whether lease {lease:?} is held cannot be asked now: {why}"),
        )),
    }
}

/// `used` is the root as a use of the product, if it runs on a seat that was kept.
fn begin(state: &State, covers: Vec<Cover>, used: Option<Process>) -> Result<(), Refusal> {
    let mut agent = lock(&state.agent);
    if agent.outbox().count_covers()? + covers.len() as u64 > COVERS_LIMIT {
        return Err(Refusal::new(
            Code::Busy,
            format!("{COVERS_LIMIT} processes are covered, which is the limit"),
        ));
    }
    for cover in covers {
        agent.cover(cover)?;
    }
    if let Some(used) = used {
        agent.uses_kept(used)?;
    }
    Ok(())
}

/// By what a cover stands.
struct Right {
    /// The lease was made through this agent, by who asks.
    made_here: bool,
    /// The proof that opens the lease at the server, if another computer holds it.
    proof: Option<String>,
    /// What was granted in one ask with it, and is joined with it.
    also: Vec<HeldAlso>,
}

/// Refuses what is no lease of that product, and somebody else's lease without its proof.
async fn must_be_held(
    state: &State,
    peer: Peer,
    request: &CoverRequest<'_>,
) -> Result<Right, Refusal> {
    let (lease, product) = (&*request.lease, &*request.product);
    let (grant, covers) = {
        let agent = lock(&state.agent);
        let covers = agent.outbox().is_covering(lease, product)?;
        (agent.outbox().grant(lease)?, covers)
    };
    let made_here = grant
        .is_some_and(|(account, of)| (account == peer.account || peer.is_root()) && of == product);
    let shown = request.proof.as_deref().filter(|shown| is_proof(shown));
    // Who was let in by a proof shows it each time: others may work by the same account.
    let is_shown = |known: &Admitted| known.proof.is_none() || known.proof.as_deref() == shown;
    let admitted = state.joins.admitted(lease, peer.who()).filter(is_shown);
    // One that is not remembered is asked about again: it may be of several products.
    if let Some(Admitted { proof, also }) = admitted.filter(|_| covers) {
        return Ok(Right {
            made_here,
            proof,
            also,
        });
    }
    // A session's own, that who asks was given: it may be of another computer at the server.
    let lent = lock(&state.agent).lent(lease);
    if made_here && lent.is_some_and(|lent| lent.product == product) {
        return Ok(Right {
            made_here,
            proof: None,
            also: Vec::new(),
        });
    }
    let none = || {
        Refusal::new(
            Code::UnknownLease,
            format!(
                "no lease {lease:?} of {product:?} is held by this account, and no proof of \
                 another's was shown: what is started takes its own seat"
            ),
        )
    };
    if !is_plain(lease) {
        return Err(none());
    }
    if !made_here {
        mine::may_guess(state, peer)?;
    }
    match ask(&state.client, lease, shown, 0).await {
        Found::Held(held) if held.product == product => {
            let proof = shown.filter(|_| held.proven).map(str::to_owned);
            if made_here || proof.is_some() || holds(state, peer, held.holder).await {
                let also = held.also;
                let admitted = Admitted {
                    proof: proof.clone(),
                    also: also.clone(),
                };
                state.joins.admit(lease, peer.who(), admitted);
                return Ok(Right {
                    made_here,
                    proof,
                    also,
                });
            }
            mine::in_vain(state, peer);
            Err(none())
        }
        Found::Held(held) => {
            // Who may join it is told what it is of.
            if held.proven || holds(state, peer, held.holder).await {
                return Err(Refusal::new(
                    Code::UnknownLease,
                    format!(
                        "lease {lease:?} is of {:?}, and not of {product:?}: name that product, or \
                         join another lease",
                        held.product
                    ),
                ));
            }
            mine::in_vain(state, peer);
            Err(none())
        }
        Found::Gone => {
            mine::in_vain(state, peer);
            Err(none())
        }
        Found::NotKnown(_) if made_here => Ok(Right {
            made_here,
            proof: None,
            also: Vec::new(),
        }),
        Found::NotKnown(why) => Err(Refusal::new(
            Code::ServerUnreachable,
            format!(
                "whether lease {lease:?} is held cannot be asked now ({why}): what is started is \
                 recorded without it, and takes its own seat"
            ),
        )),
    }
}

/// Whether it can be a proof, and so a header's value.
fn is_proof(shown: &str) -> bool {
    (1..=PROOF_LIMIT_BYTES).contains(&shown.len())
        && shown.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether the holder is the person who asks.
pub(super) async fn holds(state: &State, peer: Peer, holder: Option<LeaseHolder>) -> bool {
    let Some(holder) = holder else {
        return false;
    };
    let counted = peer.who().counted;
    state.shared.accounts.clone().learn_aside(counted).await;
    let asks = lock(&state.agent).here().subject(counted);
    // Which way computers' own accounts are counted is the server's business, which said the holder.
    let ways = [LocalAccounts::ByComputer, LocalAccounts::ByName];
    let Ok(held) = Person::of(&holder.authority, &holder.name, ways[0]) else {
        return false;
    };
    ways.iter().any(|way| {
        let asks = Person::of(&asks.authority, &asks.name, *way);
        asks.is_ok_and(|asks| asks.realm == held.realm && asks.key == held.key)
    })
}
