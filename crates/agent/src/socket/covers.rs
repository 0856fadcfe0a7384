//! Covers: a lease that somebody holds already covers what a process of theirs starts.
//!
//! Nobody's word is taken for a lease. One that was made through this agent is known here; any is
//! asked about at the server, which says what it is of. While a cover of it stands, a lease is not
//! asked about again for each further process, but now and then for all: see [`crate::covers`].
//! Where the server does not answer, only what was made here covers anything.

use std::time::Duration;

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use usher_api::{Code, CoverRequest, NAME_LIMIT_BYTES};
use usher_core::sessions::ProcessKey;

use super::State;
use super::peer::Peer;
use super::routes::{Answer, App, Body, Refusal, is_plain, parse};
use crate::covers::{Found, ask};
use crate::lock;
use crate::outbox::Cover;
use crate::watch::procfs;

/// How long a cover waits for the watcher, which may be busy.
const FOLLOW_LIMIT: Duration = Duration::from_millis(200);
/// Covers at a time; as many as the sessions' machine takes.
const COVERS_LIMIT: u64 = 16_384;

/// `POST /v1/covers`.
pub(super) async fn take(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body,
) -> Answer {
    let request: CoverRequest<'_> = parse(&body)?;
    let names_fit = [&request.lease, &request.product].iter().all(|name| {
        !name.is_empty() && name.len() <= NAME_LIMIT_BYTES && !name.contains(usher_api::is_unseen)
    });
    if !names_fit {
        return Err(Refusal::new(
            Code::InvalidRequest,
            "lease and product are names of 1 to 255 bytes",
        ));
    }
    let theirs = procfs::real_uid(request.pid).is_ok_and(|uid| uid == peer.uid || peer.is_root());
    let start = procfs::process_stat(request.pid).map(|stat| stat.start);
    let (true, Ok(start)) = (theirs, start) else {
        return Err(Refusal::new(
            Code::Forbidden,
            format!("there is no process {} of this account", request.pid),
        ));
    };
    let made_here = must_be_held(&state, peer, &request).await?;
    let cover = Cover {
        root: ProcessKey {
            pid: request.pid,
            start,
        },
        // Only what was granted through this agent is given back by it.
        keeps: request.keeps && made_here,
        lease: request.lease.into_owned(),
        product: request.product.into_owned(),
    };
    begin(&state, cover)?;
    // What is started from the answer on is covered from its first instruction.
    let begun = std::time::Instant::now();
    while !state.shared.follows_covers() && begun.elapsed() < FOLLOW_LIMIT {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    state.changed.notify_one();
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn begin(state: &State, cover: Cover) -> Result<(), Refusal> {
    let mut agent = lock(&state.agent);
    if agent.outbox.count_covers()? >= COVERS_LIMIT {
        return Err(Refusal::new(
            Code::Busy,
            format!("{COVERS_LIMIT} processes are covered, which is as many as may"),
        ));
    }
    Ok(agent.cover(cover)?)
}

/// Refuses what is no lease of that product, or another local account's. Answers whether it was
/// made through this agent.
async fn must_be_held(
    state: &State,
    peer: Peer,
    request: &CoverRequest<'_>,
) -> Result<bool, Refusal> {
    let (lease, product) = (&*request.lease, &*request.product);
    let (grant, covers) = {
        let agent = lock(&state.agent);
        let covers = agent.outbox.is_covering(lease, product)?;
        (agent.outbox.grant(lease)?, covers)
    };
    let none = || {
        Refusal::new(
            Code::UnknownLease,
            format!(
                "no lease {lease:?} of {product:?} is held: what is started takes its own seat"
            ),
        )
    };
    let made_here = grant.is_some();
    if let Some((uid, of)) = grant {
        let fits = (uid == peer.uid || peer.is_root()) && of == product;
        if !fits {
            return Err(Refusal::new(
                Code::UnknownLease,
                format!("no lease {lease:?} of {product:?} was made by this account"),
            ));
        }
    }
    if covers {
        return Ok(made_here);
    }
    if !is_plain(lease) {
        return Err(none());
    }
    match ask(&state.client, lease).await {
        Found::Held(of) if of == product => Ok(made_here),
        Found::Held(_) | Found::Gone => Err(none()),
        Found::NotKnown(_) if made_here => Ok(true),
        Found::NotKnown(why) => Err(Refusal::new(
            Code::ServerUnreachable,
            format!(
                "whether lease {lease:?} is held cannot be asked now ({why}): what is started is \
                 recorded without it, and takes its own seat"
            ),
        )),
    }
}
