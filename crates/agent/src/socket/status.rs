//! How the agent does, and what it can miss.

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::StatusCode;
use usher_api::{AgentStatus, Lease};

use super::State;
use super::answers::{Answer, App, answer};
use super::peer::Peer;
use crate::agent::Agent;
use crate::clock::timestamp;
use crate::outbox::OutboxError;
use crate::{clock, lock};

pub(super) async fn status(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer {
    let agent = lock(&state.agent);
    let now = clock::now();
    let counted = peer.who().counted;
    let seen: Vec<_> = agent
        .sessions
        .open()
        .filter(|session| session.seated)
        // Others' use is nobody's business but root's.
        .filter(|session| peer.is_root() || session.who.counted == counted)
        .cloned()
        .collect();
    let mut leases = Vec::new();
    for session in seen {
        let Some(id) = &session.lease else { continue };
        let seat = agent.seats.get(session.id);
        let ttl = seat.as_ref().map_or(0, |seat| seat.ttl_seconds);
        let granted = seat
            .and_then(|seat| seat.granted)
            .unwrap_or(session.started);
        leases.push(Lease {
            id: id.to_string(),
            product: session.product.to_string(),
            user: agent.accounts.name(session.who.counted),
            computer: agent.computer.id.clone(),
            seats: 1,
            granted_at: timestamp(granted.wall_ms),
            expires_at: timestamp(now.wall_ms + i64::from(ttl) * 1000),
            ttl_seconds: ttl,
            allotments: Vec::new(),
            proof: None,
            also: Vec::new(),
            with: None,
            joined: 0,
        });
    }
    let released = agent.shown_released(|who| peer.is_root() || who.counted == counted);
    let status = AgentStatus {
        released,
        computer: agent.computer.id.clone(),
        watching: state.watching,
        can_miss: can_miss(&state, &agent)?,
        server: state.server.clone(),
        connected: agent.link.is_up(),
        not_connected: agent.link.why_not(&state.server),
        outbox: agent.outbox.waiting()?,
        sessions: agent.sessions.open().count() as u64,
        leases,
        enforcement: Some(agent.rulebook.enforcement.state().shown()),
        marks: agent.gate.as_ref().and_then(|gate| gate.marks()),
        gate: Some(agent.gate_status()),
        people: Some(agent.accounts.shown()),
    };
    drop(agent);
    answer(StatusCode::OK, &status)
}

/// What it can miss, and what it did.
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
            "{missed} {were} over before {they} could be looked at ({starts} seen whole)"
        ));
    }
    if overflows > 0 {
        words.push(format!(
            "events were lost {} because they came too fast; what runs was looked at again",
            match overflows {
                1 => "once".to_owned(),
                many => format!("{many} times"),
            }
        ));
    }
    let dropped = agent.outbox.dropped()?;
    if dropped > 0 {
        words.push(format!(
            "{dropped} record{} dropped because the server was away for too long",
            if dropped == 1 { " was" } else { "s were" }
        ));
    }
    let trouble = agent.gate.as_ref().and_then(|gate| gate.trouble());
    words.extend(trouble.map(|why| format!("no start is held: {why}")));
    Ok(words)
}
