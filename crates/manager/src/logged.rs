//! Logs failures of work that nobody waits for.

use usher_site::SiteError;

/// What a call of the site database came to; a failure is in the log, and nothing.
pub(crate) fn or_log<T>(called: Result<T, SiteError>) -> Option<T> {
    called
        .inspect_err(|error| tracing::error!(%error, "the site database"))
        .ok()
}
