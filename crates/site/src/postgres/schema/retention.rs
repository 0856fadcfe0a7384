//! The tables of what is kept for a time.

/// The step that makes them.
pub(super) const STEP: &str = "
-- From which instant on the rows of a kind are all there. what: 0 sessions and leases, 1 refusals,
-- 2 waits.
CREATE TABLE retained (
    what     bigint PRIMARY KEY,
    since_ms bigint NOT NULL
);
";
