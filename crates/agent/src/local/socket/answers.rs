//! The requests and answers of routes: bounded bodies and ids; JSON, or a problem document.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State as AxumState};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use usher_api::client::ClientError;
use usher_api::{Code, Problem};
use usher_core::names::composed;

use super::State;
use crate::store::outbox::OutboxError;

/// The largest body that is read: the largest request is a checkout.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

pub(super) type App = AxumState<Arc<State>>;
pub(super) type Answer = Result<Response, Refusal>;

/// A problem document as an answer.
pub(super) struct Refusal(Box<Problem>);

impl Refusal {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal(Box::new(Problem::new(code, detail)))
    }

    /// The problem document.
    pub(super) fn problem(&self) -> &Problem {
        &self.0
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

/// A name in the form in which names are compared and stored.
pub(super) fn compose(name: &mut Cow<'_, str>) {
    if let Cow::Owned(form) = composed(name) {
        *name = Cow::Owned(form);
    }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refusal> {
    usher_api::object::from_slice(body)
        .map_err(|error| Refusal::new(Code::InvalidRequest, format!("the body: {error}")))
}

/// Reads a complete body, up to the limit.
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
            Ok(Path(id)) => Ok(Id(composed(&id).into_owned())),
            Err(error) => Err(Refusal::new(Code::InvalidRequest, error.body_text())),
        }
    }
}
