//! What a site has of the sessions that a server had recorded: each once, as it was told, and counted once.

use super::backlog::{Backlog, PRODUCTS, name_of};
use super::parts::Parts;

/// What is compared of each session: its times, and what of it tells product and person.
const SUM: &str = "SELECT coalesce(sum((s.started_ms % 1009 + s.ended_ms % 1013) \
    * (1 + right(p.product, 3)::bigint) + (s.started_ms % 1019) \
    * substring(h.account FROM 7)::bigint), 0)::bigint FROM history_sessions s \
    JOIN history_products p ON p.number = s.product JOIN history_people h ON h.id = s.person";
/// Each computer numbers its sessions from 1 on without a gap.
const GAPS: &str = "SELECT count(*) FROM (SELECT computer, count(*) AS n, max(session) AS last \
    FROM history_sessions GROUP BY computer) c WHERE n <> last";

/// What is lost, changed or there twice, a sentence each; none: nothing.
pub(super) fn differences(
    parts: &Parts,
    backlog: &Backlog,
    sessions: u64,
) -> Result<Vec<String>, String> {
    let count = i64::try_from(sessions).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for (what, sql, expected) in [
        (
            "rows of sessions",
            "SELECT count(*) FROM history_sessions",
            count,
        ),
        (
            "keys of sessions",
            "SELECT count(*) FROM history_session_keys",
            count,
        ),
        ("computers of which sessions are missing", GAPS, 0),
        (
            "the sum over times, products and people",
            SUM,
            backlog.sum(sessions),
        ),
    ] {
        let is = parts.number(sql)?;
        if is != expected {
            found.push(format!("{what}: {is} instead of {expected}"));
        }
    }
    // The first product is also used while the rest is caught up with.
    for product in 1..PRODUCTS {
        let (used, open_seconds) = parts.usage(&name_of(product), backlog.first_ms())?;
        let (expected, seconds) = backlog.usage(product, sessions);
        if used != expected || (open_seconds - seconds).abs() > 0.5 {
            found.push(format!(
                "the roll-ups of {} have {used} sessions of {open_seconds} s together instead of \
                 {expected} of {seconds} s",
                name_of(product)
            ));
        }
    }
    Ok(found)
}
