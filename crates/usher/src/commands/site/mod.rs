//! What `usher backup --site` and `usher restore --site` share: where the site is, how far they are, and what
//! a copy is of.

mod place;
mod progress;
mod stopped;

use jiff::Timestamp;
use usher_site::{CopyError, CopyFacts};

pub(super) use place::{Given, Site, found};
pub(super) use progress::words;
pub(super) use stopped::end_cleanly;

use crate::failure::Failure;
use crate::output::counted;
use crate::time;

/// A failure, with what to do about it.
pub(super) fn failure(error: &CopyError) -> Failure {
    let failure = Failure::failed(error.to_string());
    match error {
        CopyError::Absent(_) => failure.next(
            "Name the data directory of the manager by --data, or its database by --database.",
        ),
        _ => failure,
    }
}

/// What a copy is of: `as of 2026-01-31 02:00:00, with 2 servers and 1,234 sessions`.
pub(super) fn told(facts: &CopyFacts) -> String {
    let at = facts
        .as_of_ms
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.map(|at| format!("as of {}, ", time::local(at)));
    format!(
        "{}with {} and {}",
        at.unwrap_or_default(),
        counted(facts.servers, "server"),
        counted(facts.sessions, "session")
    )
}

/// The same for programs.
pub(super) fn json(facts: &CopyFacts) -> serde_json::Value {
    let at = facts
        .as_of_ms
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    serde_json::json!({
        "site_id": facts.site_id,
        "schema": facts.schema,
        "as_of": at,
        "servers": facts.servers,
        "sessions": facts.sessions,
    })
}
