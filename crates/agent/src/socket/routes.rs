//! What local users may ask: seats under their own account, what is theirs, covers for their own
//! processes, which product a file is, how the agent does.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{
    ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request,
    State as AxumState,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use serde::{Deserialize, Serialize};
use usher_api::client::ClientError;
use usher_api::{
    AgentStatus, CheckoutAnswer, CheckoutRequest, Code, IdentifyAnswer, IdentifyRequest, KEPT_SEAT,
    Lease, Problem, ProgramFacts, SubjectKey,
};

use super::peer::Peer;
use super::{State, covers, displays, enforcement, mine, notices, one_use, tickets};
use crate::agent::{Agent, timestamp};
use crate::identity::file::Target;
use crate::outbox::OutboxError;
use crate::watch::procfs::{self, FileKey};
use crate::{clock, lock};

/// The largest body that is read: the largest request is a checkout.
const BODY_LIMIT: usize = 64 * 1024;
/// How long a refresh waits for the server.
const REFRESH_LIMIT: Duration = Duration::from_secs(5);

/// All routes.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/checkouts", post(checkout))
        .route(
            "/v1/tickets/{id}",
            get(tickets::ticket).delete(tickets::leave),
        )
        .route("/v1/leases/{id}/renew", post(renew))
        .route("/v1/leases/{id}", delete(checkin))
        .route("/v1/leases", get(mine::leases))
        .route("/v1/queue", get(mine::queue))
        .route("/v1/denials", get(mine::denials))
        .route("/v1/sessions", get(mine::sessions))
        .route("/v1/usage", get(mine::usage))
        .route("/v1/decisions/{id}", get(mine::decision))
        .route("/v1/status", get(mine::status))
        .route("/v1/products/{id}", get(product))
        .route(
            "/v1/products/{id}/tell-me",
            post(notices::tell_me_of).delete(notices::leave),
        )
        .route("/v1/notices", get(notices::list))
        .route("/v1/notices/{id}/tell-me", post(notices::tell_me))
        .route("/v1/covers", post(covers::take))
        .route("/v1/agents/leases/{id}", get(covers::held))
        .route("/v1/displays", post(displays::report))
        .route("/v1/identify", post(identify))
        .route("/v1/agent", get(status))
        .route("/v1/refresh", post(refresh))
        .route("/v1/enforcement", put(enforcement::switch))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_methods)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(each))
        .with_state(state)
}

/// A panic ends that request alone.
async fn each(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let answered = usher_vital::caught(asked, pin!(next.run(request))).await;
    let panicked = |_| {
        let detail = "the agent has a fault, which is in its log: report it";
        Refusal::new(Code::Internal, detail).into_response()
    };
    answered.unwrap_or_else(panicked)
}

pub(super) type App = AxumState<Arc<State>>;
pub(super) type Answer = Result<Response, Refusal>;

/// A problem document as an answer.
pub(super) struct Refusal(Box<Problem>);

impl Refusal {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal(Box::new(Problem::new(code, detail)))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let body = serde_json::to_vec(&*self.0).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, body).into_response()
    }
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => Refusal(problem),
            other => Refusal::new(Code::ServerUnreachable, other.to_string()),
        }
    }
}

impl From<OutboxError> for Refusal {
    fn from(error: OutboxError) -> Self {
        Refusal::new(Code::StorageFailed, error.to_string())
    }
}

pub(super) fn answer<T: Serialize>(status: StatusCode, body: &T) -> Answer {
    let body = serde_json::to_vec(body)
        .map_err(|error| Refusal::new(Code::Internal, error.to_string()))?;
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((status, kind, body).into_response())
}

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refusal> {
    usher_api::object::from_slice(body)
        .map_err(|error| Refusal::new(Code::InvalidRequest, format!("the body: {error}")))
}

async fn other_methods(method: Method, uri: Uri) -> Refusal {
    Refusal::new(
        Code::MethodNotAllowed,
        format!("{} does not take {method}", uri.path()),
    )
}

/// A body, whole and bounded.
pub(super) struct Body(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Body, Refusal> {
        Bytes::from_request(request, state)
            .await
            .map(Body)
            .map_err(|error| match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
                    Code::BodyTooLarge,
                    format!("the body is over {} KiB", BODY_LIMIT / 1024),
                ),
                _ => Refusal::new(Code::InvalidRequest, error.body_text()),
            })
    }
}

/// The id in a route's path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Id(id)),
            Err(error) => Err(Refusal::new(Code::InvalidRequest, error.body_text())),
        }
    }
}

async fn nothing_here() -> Refusal {
    Refusal::new(
        Code::NotFound,
        "an agent's local socket has no such route; ask the server",
    )
}

/// Seats for the account that asks, on this computer, whatever the request says of either.
async fn checkout(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    how: Result<Query<How>, QueryRejection>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let Query(how) = how.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    let mut request: CheckoutRequest<'_> = parse(&body)?;
    let who = peer.who();
    state.shared.accounts.clone().learn_aside(who.counted).await;
    let one_use = match how.one_use {
        true => one_use::Use::of(&state, peer, &request).await,
        false => None,
    };
    if let Some(one_use) = &one_use
        && let Some(lease) = one_use.shared(&state, peer).await
    {
        let decision_id = lease.id.clone();
        let granted = CheckoutAnswer::Granted { decision_id, lease };
        return answer(StatusCode::CREATED, &granted);
    }
    {
        let agent = lock(&state.agent);
        let subject = agent.subject(who.counted);
        request.user = subject.name;
        request.computer = Cow::Owned(agent.computer.id.clone());
        request.subject = Some(SubjectKey {
            authority: subject.authority,
            id: subject.id,
        });
        request.priority = 0;
        // Whoever has a seat through here uses it.
        let is_use = |program: &ProgramFacts<'_>| program.name.as_deref() != Some(KEPT_SEAT);
        request.program = request.program.filter(is_use);
    }
    let answered: CheckoutAnswer = match key(&headers, peer)? {
        Some(key) => {
            state
                .client
                .post_keyed("/v1/checkouts", &key, &request)
                .await?
        }
        None => state.client.post("/v1/checkouts", &request).await?,
    };
    let status = match &answered {
        CheckoutAnswer::Granted { lease, .. } => {
            is_granted(&state, lease, peer)?;
            StatusCode::CREATED
        }
        CheckoutAnswer::Queued { ticket, .. } => {
            remember(&state, &ticket.id, peer, &request.product)?;
            state.tickets.made(&ticket.id, peer);
            StatusCode::ACCEPTED
        }
    };
    if let (Some(one_use), CheckoutAnswer::Granted { lease, .. }) = (one_use, &answered) {
        one_use.granted(&state, peer, lease);
    }
    answer(status, &answered)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    /// Whether a lease that the person holds for the same use of the product will do.
    #[serde(default)]
    one_use: bool,
}

/// Keys of different users are different keys.
fn key(headers: &HeaderMap, peer: Peer) -> Result<Option<String>, Refusal> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .ok()
        .filter(|key| key.len() <= 200)
        .ok_or_else(|| {
            Refusal::new(
                Code::InvalidRequest,
                "an Idempotency-Key is at most 200 characters of ASCII",
            )
        })?;
    Ok(Some(format!("{}:{key}", peer.uid)))
}

/// A lease was granted to a user, and maybe others with it.
pub(super) fn is_granted(state: &State, lease: &Lease, peer: Peer) -> Result<(), Refusal> {
    remember(state, &lease.id, peer, &lease.product)?;
    for other in &lease.also {
        if let Some(id) = &other.lease {
            remember(state, id, peer, &other.product)?;
        }
    }
    state.keeping.renewed(lease);
    Ok(())
}

fn remember(state: &State, id: &str, peer: Peer, product: &str) -> Result<(), Refusal> {
    let mut agent = lock(&state.agent);
    agent
        .outbox
        .change(|change| change.save_grant(id, peer.uid, product))?;
    Ok(())
}

/// The id, if it is of a lease or ticket that this user made; to others it does not exist.
pub(super) fn own<'i>(
    state: &State,
    id: &'i str,
    peer: Peer,
    code: Code,
) -> Result<&'i str, Refusal> {
    let owner = lock(&state.agent).outbox.grant(id)?;
    match owner {
        Some((uid, _)) if is_plain(id) && (uid == peer.uid || peer.is_root()) => Ok(id),
        _ => Err(Refusal::new(
            code,
            format!("no {id:?} was made by this account through this agent"),
        )),
    }
}

/// Whether it can be an id, and so a part of a path at the server.
pub(super) fn is_plain(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~:".contains(&b);
    // Nor `.` or `..`, which would be another path.
    id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.len() <= 128 && id.bytes().all(plain)
}

async fn renew(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>, Id(id): Id) -> Answer {
    let id = own(&state, &id, peer, Code::UnknownLease)?;
    let lease: Lease = state
        .client
        .post_empty(&format!("/v1/leases/{id}/renew"))
        .await?;
    state.keeping.renewed(&lease);
    answer(StatusCode::OK, &lease)
}

async fn checkin(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    // 204 and 204 again: the grant stays known.
    let id = own(&state, &id, peer, Code::UnknownLease)?;
    // Nobody is given it meanwhile.
    let _turn = state.uses.turn_of(id).await;
    if one_use::stays(&state, peer, id)? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    state.client.delete(&format!("/v1/leases/{id}")).await?;
    lock(&state.agent)
        .outbox
        .change(|change| change.given_back(id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A product as the agent has it: its policy holds also while the server is away.
async fn product(AxumState(state): App, Id(id): Id) -> Answer {
    let agent = lock(&state.agent);
    match agent
        .policy
        .products
        .iter()
        .find(|product| product.id == id)
    {
        Some(product) => answer(StatusCode::OK, product),
        None => Err(Refusal::new(
            Code::UnknownProduct,
            format!("the agent knows no product {id:?}"),
        )),
    }
}

async fn identify(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body,
) -> Answer {
    let request: IdentifyRequest<'_> = parse(&body)?;
    let path = request.path.into_owned();
    if !path.starts_with('/') {
        return Err(Refusal::new(
            Code::InvalidRequest,
            format!("{path:?} is not an absolute path"),
        ));
    }
    let turn = state.identifying.acquire().await;
    let looked_at = state.clone();
    let verdict = tokio::task::spawn_blocking(move || look_into(&looked_at, peer, &path))
        .await
        .map_err(|error| Refusal::new(Code::Internal, error.to_string()))??;
    drop(turn);
    answer(StatusCode::OK, &verdict)
}

fn look_into(state: &State, peer: Peer, path: &str) -> Result<IdentifyAnswer, Refusal> {
    let refuse = |why: &str| Refusal::new(Code::InvalidRequest, format!("{path:?}: {why}"));
    let failed = |error: std::io::Error| refuse(&error.to_string());
    let file = usher_files::open_regular(path).map_err(failed)?;
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    // The agent may read more than who asks: what others may not run is not looked into.
    let allowed = peer.is_root() || stat.st_uid == peer.uid || stat.st_mode & 0o001 != 0;
    if !allowed {
        return Err(refuse("not a program that this account may run"));
    }
    let target = Target {
        path: procfs::path_of_open(&file).map_err(failed)?,
        key: FileKey::of(&stat),
        file: Some(file),
    };
    let verdict = state.shared.identifier.thorough(&target);
    Ok(IdentifyAnswer {
        product: verdict.as_ref().map(|matched| matched.product.to_string()),
        rule: verdict.as_ref().map(|matched| matched.rule.clone()),
    })
}

async fn status(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer {
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
        let seat = agent.seats.get(&session.id).cloned();
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
        connected: agent.connected,
        not_connected: agent.why_not_connected(&state.server),
        outbox: agent.outbox.waiting()?,
        sessions: agent.sessions.open().count() as u64,
        leases,
        enforcement: Some(agent.enforcement.state().shown()),
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

/// Exchanges with the server now, so that what was just changed there holds here.
async fn refresh(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer {
    if !state.refreshes.may(peer.uid, std::time::Instant::now()) {
        return Err(Refusal::new(
            Code::Busy,
            "this account has asked for an exchange with the server too often: there is one by \
             itself soon, or try again in a second",
        ));
    }
    let mut exchanges = state.exchanges.clone();
    let after = exchanges.borrow().begun;
    state.changed.notify_one();
    let ended = exchanges.wait_for(|exchanges| exchanges.ended > after);
    match tokio::time::timeout(REFRESH_LIMIT, ended).await {
        Ok(Ok(_)) if lock(&state.agent).connected => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => {
            let why = lock(&state.agent).why_not_connected(&state.server);
            let why = why.unwrap_or_else(|| format!("{} does not answer", state.server));
            let detail = format!("{why}; what runs is kept until it answers");
            Err(Refusal::new(Code::ServerUnreachable, detail))
        }
    }
}
