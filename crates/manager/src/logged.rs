//! Logs failures of work that nobody waits for.

use usher_site::SiteError;

/// The result of a call of the site database; a failure is logged and becomes none.
pub(crate) fn or_log<T>(called: Result<T, SiteError>) -> Option<T> {
    called
        .inspect_err(|error| tracing::error!(%error, "the site database"))
        .ok()
}
