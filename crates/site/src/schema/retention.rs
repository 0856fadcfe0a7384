//! The tables of what is kept for a time.

/// The step that makes them.
pub(super) const STEP: &str = "
-- From which instant on the rows of a kind are all there. what: 0 sessions and leases, 1 refusals,
-- 2 waits.
CREATE TABLE retained (
    what     INTEGER PRIMARY KEY,
    since_ms INTEGER NOT NULL
) STRICT;
-- Those that the other index of leases leaves out.
CREATE INDEX history_leases_unused ON history_leases (ended_ms)
    WHERE kept <> 0 OR cause = 'unclaimed';
";
