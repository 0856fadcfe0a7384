//! Refusals on the wire: RFC 9457 problem documents.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use usher_api::{Code, Problem};
use usher_site::SiteError;

/// An answer that says no.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Box<Problem>);

impl Refusal {
    /// With its code's own status.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal(Box::new(Problem::new(code, detail)))
    }

    /// The request cannot be understood, or a field is out of range.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Refusal::new(Code::InvalidRequest, detail)
    }
}

impl From<SiteError> for Refusal {
    fn from(error: SiteError) -> Self {
        let code = match &error {
            SiteError::NameTaken(_) => Code::ServerExists,
            _ => Code::StorageFailed,
        };
        Refusal::new(code, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"usher\", charset=\"UTF-8\""),
            );
        }
        response
    }
}
