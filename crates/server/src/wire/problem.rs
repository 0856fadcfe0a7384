//! Every refusal of this server, in words: an RFC 9457 document of the crate that all roles share.
//!
//! A detail names the thing, the reason and the next step.

use hyper::Response;
use usher_api::{Code, Problem};
pub(crate) use usher_http::shown;
use usher_store::Failure;

/// A refusal: an answer with a problem document.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(usher_http::Refusal);

impl Refusal {
    /// A refusal with its code's own status.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Refusal {
        Refusal(usher_http::Refusal::new(code, detail))
    }

    /// A refusal of a request that cannot be parsed, or has a field out of range.
    pub(crate) fn invalid(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::InvalidRequest, detail)
    }

    /// A refusal because the token does not allow the request.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Refusal {
        Refusal::new(Code::Forbidden, detail)
    }

    /// Whether the server was busy, so that a repeat may succeed in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        self.problem().is(Code::Busy)
    }

    /// No such lease, as far as the sender may see.
    pub(crate) fn unknown_lease(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownLease,
            format!("lease {id} has ended or never existed: check out again"),
        )
    }

    /// No such ticket, as far as the sender may see.
    pub(crate) fn unknown_ticket(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownTicket,
            format!(
                "ticket {id} is forgotten or never existed: check out again with \"wait\": true"
            ),
        )
    }

    /// No such product.
    pub(crate) fn unknown_product(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownProduct,
            format!("there is no product {id}: GET /v1/products lists all products"),
        )
    }

    /// No such entitlement.
    pub(crate) fn unknown_entitlement(id: &str) -> Refusal {
        let id = shown(id);
        Refusal::new(
            Code::UnknownEntitlement,
            format!("there is no entitlement {id}: GET /v1/entitlements lists all entitlements"),
        )
    }

    /// The Idempotency-Key was used with another body.
    pub(crate) fn key_conflict() -> Refusal {
        Refusal::new(
            Code::IdempotencyConflict,
            "this Idempotency-Key was used for a request with another body: use a new key for a \
             new request, or repeat the first body",
        )
    }

    /// The ledger gave an answer of the wrong kind: a bug.
    pub(crate) fn unexpected() -> Refusal {
        Refusal::new(
            Code::Internal,
            "the server got an answer of the wrong kind from its ledger: this is a bug, please \
             report it",
        )
    }

    /// The request caused a panic.
    pub(crate) fn panicked() -> Refusal {
        Refusal::new(
            Code::Internal,
            "the server failed in the middle of this request: check whether it was done before you \
             try again, and report it as a bug, with the server's log",
        )
    }

    /// The same refusal, with `Retry-After` in seconds.
    pub(crate) fn after(self, seconds: u64) -> Refusal {
        Refusal(self.0.after(seconds))
    }

    /// The same refusal, as a decision about a checkout.
    pub(crate) fn with_decision(self, decision_id: String, reason: usher_api::Reason) -> Self {
        Refusal(self.0.with(|problem| {
            problem.decision = Some("denied".to_owned());
            problem.decision_id = Some(decision_id);
            problem.reason = Some(reason);
        }))
    }

    /// The same refusal, with the status of the service.
    pub(crate) fn with_service(self, win32_error: u32, service: usher_api::Service) -> Self {
        Refusal(self.0.with(|problem| {
            problem.win32_error = Some(win32_error);
            problem.service = Some(Box::new(service));
        }))
    }

    /// The same refusal, with the programs that a dangerous rule would hit.
    pub(crate) fn with_hits(self, would_hit: Vec<usher_api::WouldHit>) -> Self {
        Refusal(self.0.with(|problem| problem.would_hit = would_hit))
    }

    /// The HTTP status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> u16 {
        self.problem().status
    }

    /// The problem document.
    pub(crate) fn problem(&self) -> &Problem {
        self.0.problem()
    }

    /// The refusal as a complete HTTP answer.
    pub(crate) fn into_whole(self) -> Response<Vec<u8>> {
        self.0.into_whole()
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        axum::response::IntoResponse::into_response(self.0)
    }
}

impl From<usher_http::Refusal> for Refusal {
    fn from(refusal: usher_http::Refusal) -> Refusal {
        Refusal(refusal)
    }
}

impl From<Refusal> for usher_http::Refusal {
    fn from(refusal: Refusal) -> usher_http::Refusal {
        refusal.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_thing_the_reason_and_the_next_step() {
        let long = "x".repeat(300);
        let refusals = [
            Refusal::invalid("`seats` is 0: give 1 to 100000"),
            usher_http::Refusal::method("GET", "/v1/checkouts", "POST".to_owned()).into(),
            usher_http::Refusal::no_route("/v1/nothing").into(),
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
}
