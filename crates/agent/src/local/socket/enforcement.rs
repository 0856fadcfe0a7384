//! `PUT /v1/enforcement`: the computer's administrator switches enforcement off or on.

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::StatusCode;
use usher_api::{Code, EnforcementRequest};

use super::answers::{Answer, App, Body, Refusal, answer, parse};
use super::peer::Peer;
use crate::base::lock;

/// Switches enforcement for root or the account that the agent runs as; refuses all others.
pub(super) async fn switch(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body,
) -> Answer {
    let request: EnforcementRequest = parse(&body)?;
    if !peer.is_root() && !peer.is_own() {
        return Err(Refusal::new(
            Code::Forbidden,
            "only the administrator of this computer may switch enforcement: do it as root",
        ));
    }
    let mut agent = lock(&state.agent);
    if request.on {
        agent.forget_key()?;
        state.changed.notify_one();
    }
    agent.switch_enforcement(request.on).map_err(|error| {
        let kept = match request.on {
            true => "enforcement stays off",
            false => "enforcement is off, but only until the agent is started again",
        };
        Refusal::new(
            Code::StorageFailed,
            format!("{kept}: its setting cannot be written: {error}; make room, and repeat it"),
        )
    })?;
    answer(
        StatusCode::OK,
        &agent.rulebook().enforcement.state().shown(),
    )
}
