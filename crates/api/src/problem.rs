//! Errors on the wire: RFC 9457 problem documents with a stable code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An RFC 9457 problem document (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` identifies the problem.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// What went wrong, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was tried, on what, why it failed, what to do.
    pub detail: String,
    /// The stable code, for programs. See [`Code`].
    pub code: String,
    /// `denied`, if a checkout was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The id of the decision, which `usher why` takes, if a checkout was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// Why a checkout was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The Win32 error number, if a service refused a control: 1052, 1061 or 1062.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub win32_error: Option<u32>,
    /// The state of the service when it refused a control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Box<crate::Service>>,
    /// Programs that a dangerous rule would hit; at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_hit: Vec<WouldHit>,
    /// The URL of the manager that leads the site, if this one does not and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// The id of the request, as in the header `X-Request-Id` of the answer: the server's log names
    /// it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A program that computers need and that a rule would hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WouldHit {
    /// The path of the program.
    pub path: String,
    /// What computers need it for, in words such as "a shell".
    pub what: String,
    /// The rule that would hit it.
    pub rule: String,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

impl Problem {
    /// A problem with its code's own status and title.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem {
            kind: about_blank(),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.as_str().to_owned(),
            decision: None,
            decision_id: None,
            reason: None,
            win32_error: None,
            service: None,
            would_hit: Vec::new(),
            leader: None,
            request_id: None,
        }
    }

    /// Whether this is a problem with that code.
    pub fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }
}

/// Why a checkout was refused. An unknown word of a newer server is read as
/// [`Reason::NotPermitted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Every seat is in use, or fewer are free than asked for.
    NoSeat,
    /// The organisation owns no seats of the product.
    NoEntitlement,
    /// The person may not use the product.
    NotPermitted,
    /// The product may not be used at this time of day.
    OutsideAccessHours,
    /// All entitlements of the product have ended.
    EntitlementExpired,
    /// The person has as many seats as one person may.
    Quota,
    /// The product is switched off.
    ProductDisabled,
    /// No seat is free, and the queue is full.
    QueueFull,
    /// The request waited for more seats than there are, in use or not.
    Impossible,
    /// All entitlements of the product begin later.
    NotYetValid,
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Reason, D::Error> {
        let word = String::deserialize(from)?;
        Ok(Reason::of_word(&word).unwrap_or(Reason::NotPermitted))
    }
}

impl Reason {
    /// All reasons.
    pub const ALL: &'static [Reason] = &[
        Reason::NoSeat,
        Reason::NoEntitlement,
        Reason::NotPermitted,
        Reason::OutsideAccessHours,
        Reason::EntitlementExpired,
        Reason::Quota,
        Reason::ProductDisabled,
        Reason::QueueFull,
        Reason::Impossible,
        Reason::NotYetValid,
    ];

    /// The reason with that word on the wire; none: this version does not know it.
    pub fn of_word(word: &str) -> Option<Reason> {
        let mut all = Reason::ALL.iter().copied();
        all.find(|reason| reason.as_str() == word)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NoSeat => "no_seat",
            Reason::NoEntitlement => "no_entitlement",
            Reason::NotPermitted => "not_permitted",
            Reason::OutsideAccessHours => "outside_access_hours",
            Reason::EntitlementExpired => "entitlement_expired",
            Reason::Quota => "quota",
            Reason::ProductDisabled => "product_disabled",
            Reason::QueueFull => "queue_full",
            Reason::Impossible => "impossible",
            Reason::NotYetValid => "not_yet_valid",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $title:literal;)*) => {
        /// The stable codes of problem documents, each with its HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $word,)* }
            }

            /// Its HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            /// Its title: a few words for people.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be parsed, or a field is out of range.
    InvalidRequest = "invalid_request", 400, "The request is not valid";
    /// This version cannot count the entitlement's metric.
    UnsupportedMetric = "unsupported_metric", 400, "This metric cannot be counted yet";
    /// The request has no token, or one that is unknown, revoked or expired.
    Unauthorized = "unauthorized", 401, "A valid token is needed";
    /// The token's role does not allow the request, or the token is bound to somebody else.
    Forbidden = "forbidden", 403, "The token does not allow this";
    /// The checkout was refused; see `reason`.
    Denied = "denied", 403, "The checkout was refused";
    /// There is no such route.
    NotFound = "not_found", 404, "There is nothing here";
    /// There is no product with that id.
    UnknownProduct = "unknown_product", 404, "No such product";
    /// There is no entitlement with that id.
    UnknownEntitlement = "unknown_entitlement", 404, "No such entitlement";
    /// The lease has ended or never existed.
    UnknownLease = "unknown_lease", 404, "No such lease";
    /// The ticket is forgotten or never existed.
    UnknownTicket = "unknown_ticket", 404, "No such ticket";
    /// There is no decision with that id, or it is no longer kept.
    UnknownDecision = "unknown_decision", 404, "No such decision";
    /// The manager watches no metering server of that name.
    UnknownServer = "unknown_server", 404, "No such server";
    /// The manager already watches a metering server of that name.
    ServerExists = "server_exists", 409, "The server is watched already";
    /// No token of that id.
    UnknownToken = "unknown_token", 404, "No such token";
    /// No import of that id, or it was taken out.
    UnknownImport = "unknown_import", 404, "No such import";
    /// No source of groups has a group of that name.
    UnknownGroup = "unknown_group", 404, "No such group";
    /// Rows of an import are missing before these, or before its end.
    RowsMissing = "rows_missing", 409, "Rows of the import are missing";
    /// The import is finished and takes in no more rows.
    ImportFinished = "import_finished", 409, "The import is finished";
    /// The body did not arrive completely in time.
    RequestTimeout = "request_timeout", 408, "The request took too long to arrive";
    /// The route exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed here";
    /// The Idempotency-Key was used with another body.
    IdempotencyConflict = "idempotency_conflict", 409, "The Idempotency-Key was used for another request";
    /// A product with that id exists already.
    ProductExists = "product_exists", 409, "The product exists already";
    /// Another entitlement has that name.
    NameTaken = "name_taken", 409, "The name is another entitlement's";
    /// The server's history has no such point: read it from an earlier one, or from the beginning.
    UnknownHistory = "unknown_history", 409, "The server's history has no such point";
    /// The limit of consumers of the history is reached.
    TooManyConsumers = "too_many_consumers", 409, "Too many consumers of the history";
    /// An agent's incarnation is older than one that the server has seen.
    StaleSender = "stale_sender", 409, "A newer incarnation of this sender has reported already";
    /// The service does not accept this control in its state; see `win32_error` and `service`.
    ServiceCannotAcceptControl = "service_cannot_accept_control", 409, "The service cannot accept this control now";
    /// A pack is already running.
    PackRunning = "pack_running", 409, "A pack is already running";
    /// The server belongs to a site: make changes at its manager.
    ManagedBySite = "managed_by_site", 409, "This server is managed by its site";
    /// A rule of a product that would be enforced hits programs that computers need; see
    /// `would_hit`.
    DangerousRule = "dangerous_rule", 422, "The rule would hit what a computer needs";
    /// The body is over 1 MiB.
    BodyTooLarge = "body_too_large", 413, "The body is too large";
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be application/json";
    /// The server failed: a bug in Usher.
    Internal = "internal", 500, "Something went wrong in the server";
    /// Too many requests wait; try again after Retry-After.
    Busy = "busy", 503, "The server is busy";
    /// It is not known whether the request was applied; repeat it with the same Idempotency-Key.
    OutcomeUnknown = "outcome_unknown", 503, "The outcome is not known";
    /// The disk is full, or cannot be written or read; nothing was done.
    StorageFailed = "storage_failed", 503, "The server cannot use its disk";
    /// An agent cannot reach its metering server.
    ServerUnreachable = "server_unreachable", 503, "The metering server cannot be reached";
    /// The server is stopping; another may answer.
    Stopping = "stopping", 503, "The server is stopping";
    /// The service is paused: nothing is granted until it goes on.
    ServicePaused = "service_paused", 503, "The service is paused";
    /// The manager does not lead its site: `leader` does, if it is known.
    NotLeading = "not_leading", 503, "Another manager leads the site";
    /// The server was restored: nothing is granted until every lease from before has ended.
    RestoreHold = "restore_hold", 503, "The server was restored and grants nothing yet";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_a_newer_server_is_taken_as_a_refusal() {
        let read = |word: &str| serde_json::from_value::<Reason>(word.into()).unwrap();
        for reason in Reason::ALL {
            assert_eq!(read(reason.as_str()), *reason);
        }
        assert_eq!(read("outside_the_building"), Reason::NotPermitted);
    }
}
