//! Refusals of this manager, in words: RFC 9457 documents of the crate that all roles share.

use axum::response::{IntoResponse, Response};
use usher_api::Code;
use usher_site::SiteError;

/// A refusal: an answer with a problem document.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(usher_http::Refusal);

impl Refusal {
    /// A refusal with its code's own status.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal(usher_http::Refusal::new(code, detail))
    }

    /// A refusal of a request that cannot be parsed, or has a field out of range.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Refusal::new(Code::InvalidRequest, detail)
    }

    /// A refusal because no metering server of that name is watched.
    pub(crate) fn unknown_server(name: &str) -> Self {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        Refusal::new(
            Code::UnknownServer,
            format!("no metering server named {shown} is watched: GET /v1/servers lists them"),
        )
    }

    /// The same, to be tried again after so long.
    #[must_use]
    pub(crate) fn after(self, seconds: u64) -> Self {
        Refusal(self.0.after(seconds))
    }

    /// The same, naming the URL of the manager that leads the site.
    #[must_use]
    pub(crate) fn naming_leader(self, url: Option<String>) -> Self {
        Refusal(self.0.with(|problem| problem.leader = url))
    }

    /// No token was shown, or none that is taken: a browser asks for it as a password.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Refusal(usher_http::Refusal::new(Code::Unauthorized, detail).or_password())
    }
}

impl From<SiteError> for Refusal {
    fn from(error: SiteError) -> Self {
        let code = match &error {
            SiteError::NameTaken(_) => Code::ServerExists,
            SiteError::NotLeading(_) => Code::NotLeading,
            _ => Code::StorageFailed,
        };
        Refusal::new(code, error.to_string())
    }
}

impl From<usher_http::Refusal> for Refusal {
    fn from(refusal: usher_http::Refusal) -> Self {
        Refusal(refusal)
    }
}

impl From<Refusal> for usher_http::Refusal {
    fn from(refusal: Refusal) -> Self {
        refusal.0
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        IntoResponse::into_response(self.0)
    }
}
