//! The state of the agent, and what it can miss.

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::StatusCode;
use usher_api::AgentStatus;

use super::State;
use super::answers::{Answer, App, answer};
use super::peer::Peer;
use crate::agent::Agent;
use crate::base::lock;
use crate::store::outbox::OutboxError;

pub(super) async fn status(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer {
    let agent = lock(&state.agent);
    let counted = peer.who().counted;
    // Others' use is nobody's business but root's.
    let leases = agent.leases_of(|session| peer.is_root() || session.who.counted == counted);
    let released = agent.shown_released(|who| peer.is_root() || who.counted == counted);
    let status = AgentStatus {
        released,
        computer: agent.here().computer.id.clone(),
        watching: state.watching,
        can_miss: can_miss(&state, &agent)?,
        server: state.server.clone(),
        connected: agent.link().is_up(),
        not_connected: agent.link().why_not(&state.server),
        outbox: agent.outbox().waiting()?,
        sessions: agent.running_sessions(),
        leases,
        enforcement: Some(agent.rulebook().enforcement.state().shown()),
        marks: agent.gate().and_then(|gate| gate.marks()),
        gate: Some(agent.gate_status()),
        people: Some(agent.here().accounts.shown()),
    };
    drop(agent);
    answer(StatusCode::OK, &status)
}

/// What the agent can miss, and what it has missed.
fn can_miss(state: &State, agent: &Agent) -> Result<Vec<String>, OutboxError> {
    use std::sync::atomic::Ordering::Relaxed;
    let mut words = state.can_miss.clone();
    state.shared.take_counted();
    let figures = &state.shared.figures;
    let (starts, missed) = (figures.starts.load(Relaxed), figures.missed.load(Relaxed));
    let overflows = figures.overflows.load(Relaxed);
    if missed > 0 {
        let (were, they) = match missed {
            1 => ("start was", "it"),
            _ => ("starts were", "they"),
        };
        words.push(format!(
            "{missed} {were} over before {they} could be inspected ({starts} seen completely)"
        ));
    }
    if overflows > 0 {
        words.push(format!(
            "events were lost {} because they came too fast; all processes were inspected again",
            match overflows {
                1 => "once".to_owned(),
                many => format!("{many} times"),
            }
        ));
    }
    let dropped = agent.outbox().dropped()?;
    if dropped > 0 {
        words.push(format!(
            "{dropped} record{} dropped because the server was away for too long",
            if dropped == 1 { " was" } else { "s were" }
        ));
    }
    let trouble = agent.gate().and_then(|gate| gate.trouble());
    words.extend(trouble.map(|why| format!("no start is held: {why}")));
    Ok(words)
}
