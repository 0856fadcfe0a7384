//! Every refusal that leaves this server, as an RFC 9457 document made in one place.
//!
//! A detail names the thing, the reason and the next step.

use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use usher_api::{Code, Problem};
use usher_cache::Failure;

use crate::wire::answer::Body;

/// An answer that says no.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    problem: Box<Problem>,
    retry_after_seconds: Option<u32>,
    allow: Option<String>,
}

impl Refusal {
    /// A refusal with its code's own status.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Refusal {
        let retry_after_seconds = match code {
            Code::Busy | Code::OutcomeUnknown => Some(1),
            Code::StorageFailed | Code::Stopping | Code::ServicePaused => Some(5),
            _ => None,
        };
        Refusal {
            problem: Box::new(Problem::new(code, detail)),
            retry_after_seconds,
            allow: None,
        }
    }

    /// The request cannot be understood, or a field is out of range.
    pub(crate) fn invalid(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::InvalidRequest, detail)
    }

    /// The token does not allow it.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::Forbidden, detail)
    }

    /// The route knows other methods.
    pub(crate) fn method(method: &str, path: &str, allow: String) -> Refusal {
        let detail = format!("{path} does not take {}: use {allow}", shown(method));
        Refusal {
            allow: Some(allow),
            ..Refusal::new(Code::MethodNotAllowed, detail)
        }
    }

    /// Whether too much was waiting: the same may be taken in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        self.problem.code == Code::Busy.as_str()
    }

    /// No such route.
    pub(crate) fn no_route(path: &str) -> Refusal {
        let detail = format!(
            "nothing is at {}: GET /openapi.json lists what there is",
            shown(path)
        );
        Refusal::new(Code::NotFound, detail)
    }

    /// No lease of that id, for who asks.
    pub(crate) fn unknown_lease(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownLease,
            format!("lease {id} has ended or never was: check out again"),
        )
    }

    /// No ticket of that id, for who asks.
    pub(crate) fn unknown_ticket(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownTicket,
            format!("ticket {id} is forgotten or never was: check out again with \"wait\": true"),
        )
    }

    /// No product of that id.
    pub(crate) fn unknown_product(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownProduct,
            format!("there is no product {id}: GET /v1/products lists those there are"),
        )
    }

    /// No entitlement of that id.
    pub(crate) fn unknown_entitlement(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownEntitlement,
            format!("there is no entitlement {id}: GET /v1/entitlements lists those there are"),
        )
    }

    /// The same key with another body.
    pub(crate) fn key_conflict() -> Refusal {
        Refusal::new(
            Code::IdempotencyConflict,
            "this Idempotency-Key was used for a request with another body: use a new key for a \
             new request, or repeat the first body",
        )
    }

    /// An answer came that does not belong to the question.
    pub(crate) fn unexpected() -> Refusal {
        Refusal::new(
            Code::Internal,
            "the server got an answer of the wrong kind from its ledger: this is a bug, please \
             report it",
        )
    }

    /// It panicked.
    pub(crate) fn panicked() -> Refusal {
        Refusal::new(
            Code::Internal,
            "the server failed in the middle of this request: look whether it was done before you \
             try again, and report it as a bug, with the server's log",
        )
    }

    /// The same, to be tried again after so long.
    pub(crate) fn after(self, seconds: u64) -> Refusal {
        Refusal {
            retry_after_seconds: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
            ..self
        }
    }

    /// The same, as a decision about a checkout.
    pub(crate) fn with_decision(mut self, decision_id: String, reason: usher_api::Reason) -> Self {
        self.problem.decision = Some("denied".to_owned());
        self.problem.decision_id = Some(decision_id);
        self.problem.reason = Some(reason);
        self
    }

    /// The same, with the service as it is.
    pub(crate) fn with_service(mut self, win32_error: u32, service: usher_api::Service) -> Self {
        self.problem.win32_error = Some(win32_error);
        self.problem.service = Some(Box::new(service));
        self
    }

    /// The same, with what a dangerous rule would hit.
    pub(crate) fn with_hits(mut self, would_hit: Vec<usher_api::WouldHit>) -> Self {
        self.problem.would_hit = would_hit;
        self
    }

    /// The HTTP status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> u16 {
        self.problem.status
    }

    /// The document.
    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The document's text.
    pub(crate) fn text(&self) -> Vec<u8> {
        serde_json::to_vec(&self.problem).unwrap_or_default()
    }

    /// As an HTTP answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.text()));
        *response.status_mut() =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        self.into_response().map(|body| match body {
            Body::Whole(Some(bytes)) => axum::body::Body::from(bytes),
            Body::Whole(None) => axum::body::Body::empty(),
            // A refusal is never streamed.
            Body::Stream(_) => axum::body::Body::empty(),
        })
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        match failure {
            Failure::Busy => Refusal::new(
                Code::Busy,
                "more requests wait for the disk than it takes in time; nothing was done: try \
                 again in a moment",
            ),
            Failure::Storage(why) => Refusal::new(
                Code::StorageFailed,
                format!(
                    "the server cannot write to its disk ({why}); nothing was done: make room or \
                     repair the disk, then try again"
                ),
            ),
            Failure::Unread(why) => Refusal::new(
                Code::StorageFailed,
                format!(
                    "the server cannot read its data file ({why}); nothing was changed: look at \
                     the disk and at the server's log, then try again"
                ),
            ),
            Failure::OutcomeUnknown(why) => Refusal::new(
                Code::OutcomeUnknown,
                format!(
                    "whether it was done is not known ({why}): repeat it with the same \
                     Idempotency-Key"
                ),
            ),
            Failure::Fault => Refusal::panicked(),
            Failure::Stopping => Refusal::new(
                Code::Stopping,
                "the server is stopping; nothing was done: try again when it is back",
            ),
        }
    }
}

/// What a request called a thing, cut to what a sentence can bear.
pub(crate) fn shown(text: &str) -> String {
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
    fn a_refusal_names_the_thing_the_reason_and_the_next_step() {
        let long = "x".repeat(300);
        let refusals = [
            Refusal::invalid("`seats` is 0: give 1 to 100000"),
            Refusal::method("GET", "/v1/checkouts", "POST".to_owned()),
            Refusal::no_route("/v1/nothing"),
            Refusal::unknown_lease("L000000ab-7"),
            Refusal::unknown_lease(&long),
            Refusal::unknown_ticket("T000000ab-7"),
            Refusal::unknown_product("cad"),
            Refusal::unknown_entitlement("E7"),
            Refusal::key_conflict(),
            Refusal::unexpected(),
            Failure::Busy.into(),
            Failure::Storage("no space left on device".to_owned()).into(),
            Failure::Unread("disk I/O error".to_owned()).into(),
            Failure::OutcomeUnknown("an I/O error while committing".to_owned()).into(),
            Failure::Stopping.into(),
        ];
        let mut text = String::new();
        for refusal in refusals {
            let problem = refusal.problem();
            text.push_str(&format!(
                "{} {} {}\n  {}\n",
                problem.status, problem.code, problem.title, problem.detail
            ));
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn an_answer_carries_the_headers_that_its_status_needs() {
        let retry = Refusal::from(Failure::Busy).into_response();
        assert_eq!(retry.headers()[RETRY_AFTER], "1");
        let allow = Refusal::method("GET", "/x", "PUT, DELETE".to_owned()).into_response();
        assert_eq!(allow.headers()[ALLOW], "PUT, DELETE");
        let token = Refusal::new(Code::Unauthorized, "").into_response();
        assert_eq!(token.headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(token.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
