//! Refusals as RFC 9457 documents, made in one place.
//!
//! A detail names the thing, the reason and the next step. The document names the request that it
//! answers: the one that the thread works on.

use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use usher_api::{Code, Problem};

use crate::answer::Body;
use crate::request_id::RequestId;

/// A refusal: an answer with a problem document.
#[derive(Debug, Clone)]
pub struct Refusal {
    problem: Box<Problem>,
    retry_after_seconds: Option<u32>,
    allow: Option<String>,
    /// The authentication challenge for a request without a token.
    challenge: &'static str,
}

impl Refusal {
    /// A refusal with its code's own status.
    pub fn new(code: Code, detail: impl Into<String>) -> Refusal {
        let retry_after_seconds = match code {
            Code::Busy | Code::OutcomeUnknown => Some(1),
            Code::StorageFailed | Code::Stopping | Code::ServicePaused | Code::NotLeading => {
                Some(5)
            }
            _ => None,
        };
        Refusal {
            problem: Box::new(Problem::new(code, detail)),
            retry_after_seconds,
            allow: None,
            challenge: "Bearer",
        }
    }

    /// A refusal of a request that cannot be parsed, or has a field out of range.
    pub fn invalid(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::InvalidRequest, detail)
    }

    /// A refusal of a method that the route does not have.
    pub fn method(method: &str, path: &str, allow: String) -> Refusal {
        let detail = format!("{path} does not take {}: use {allow}", shown(method));
        Refusal {
            allow: Some(allow),
            ..Refusal::new(Code::MethodNotAllowed, detail)
        }
    }

    /// A refusal of a path without a route.
    pub fn no_route(path: &str) -> Refusal {
        let detail = format!(
            "nothing is at {}: GET /openapi.json lists what there is",
            shown(path)
        );
        Refusal::new(Code::NotFound, detail)
    }

    /// The same refusal, with `Retry-After` in seconds.
    #[must_use]
    pub fn after(self, seconds: u64) -> Refusal {
        Refusal {
            retry_after_seconds: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
            ..self
        }
    }

    /// The same refusal, for pages on which a browser may ask its user for a password instead of a
    /// token.
    #[must_use]
    pub fn or_password(self) -> Refusal {
        Refusal {
            challenge: "Basic realm=\"usher\", charset=\"UTF-8\"",
            ..self
        }
    }

    /// The same refusal, with more fields in its document.
    #[must_use]
    pub fn with(mut self, more: impl FnOnce(&mut Problem)) -> Refusal {
        more(&mut self.problem);
        self
    }

    /// The problem document, which does not name its request yet.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The refusal as the answer to the request that this thread works on.
    pub fn into_response(self) -> Response<Body> {
        let id = RequestId::current();
        self.into_response_to(id.as_ref())
    }

    /// The refusal as a complete answer to the request that this thread works on.
    pub fn into_whole(self) -> Response<Vec<u8>> {
        let id = RequestId::current();
        self.into_whole_to(id.as_ref())
    }

    /// The refusal as the answer to that request.
    pub(crate) fn into_response_to(self, id: Option<&RequestId>) -> Response<Body> {
        self.into_whole_to(id).map(Body::from)
    }

    /// The refusal as a complete answer to that request.
    pub(crate) fn into_whole_to(mut self, id: Option<&RequestId>) -> Response<Vec<u8>> {
        self.problem.request_id = id.map(RequestId::to_string);
        let text = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = Response::new(text);
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.and_then(|allow| allow.parse().ok()) {
            headers.insert(ALLOW, allow);
        }
        if self.problem.status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge));
        }
        response
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        self.into_response().map(|body| match body {
            Body::Whole(Some(bytes)) => axum::body::Body::from(bytes),
            // A refusal is never streamed.
            Body::Whole(None) | Body::Stream(_) => axum::body::Body::empty(),
        })
    }
}

/// A text from a request, shortened to fit into a sentence.
pub fn shown(text: &str) -> String {
    const LIMIT: usize = 64;
    match text.chars().count() {
        0..=LIMIT => text.to_owned(),
        _ => text.chars().take(LIMIT).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_carries_the_headers_that_its_status_needs() {
        let retry = Refusal::new(Code::Busy, "").into_response();
        assert_eq!(retry.headers()[RETRY_AFTER], "1");
        let allow = Refusal::method("GET", "/x", "PUT, DELETE".to_owned()).into_response();
        assert_eq!(allow.headers()[ALLOW], "PUT, DELETE");
        let token = Refusal::new(Code::Unauthorized, "");
        let password = token.clone().or_password().into_response();
        let token = token.into_response();
        assert_eq!(token.headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(token.headers()[CONTENT_TYPE], "application/problem+json");
        let asks = &password.headers()[WWW_AUTHENTICATE];
        assert!(asks.to_str().unwrap().starts_with("Basic "), "{asks:?}");
    }

    #[test]
    fn a_document_names_the_request_that_it_answers() {
        let text = |response: Response<Body>| match response.into_body() {
            Body::Whole(Some(bytes)) => serde_json::from_slice::<Problem>(&bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        let refusal = Refusal::invalid("no");
        assert_eq!(text(refusal.clone().into_response()).request_id, None);
        let id = RequestId::Given("mine".into());
        let named = id.during(|| text(refusal.into_response()));
        assert_eq!(named.request_id.as_deref(), Some("mine"));
    }
}
