//! The tables of the roll-ups, and the indexes by which the rows are read that they leave out.

/// The step with the first of them.
pub(super) const STEP: &str = "
-- What changes in a quarter of an hour of a quantity of a product: a node of core::usage, and the
-- edges that it is of. Only of quarters in which something begins or ends.
CREATE TABLE usage_quarters (
    product       INTEGER NOT NULL,
    counted       INTEGER NOT NULL,
    line          INTEGER NOT NULL,
    quarter       INTEGER NOT NULL,
    seats_change  INTEGER NOT NULL,
    uses_change   INTEGER NOT NULL,
    best_over     INTEGER,
    best_at_ms    INTEGER,
    seat_ms       INTEGER NOT NULL,
    use_ms        INTEGER NOT NULL,
    begun         INTEGER NOT NULL,
    ended_at_once INTEGER NOT NULL,
    edges         BLOB NOT NULL,
    PRIMARY KEY (product, counted, line, quarter)
) STRICT, WITHOUT ROWID;
-- The sums of the changes of each day (UTC), from which the level at an instant is added up.
CREATE TABLE usage_days (
    product      INTEGER NOT NULL,
    counted      INTEGER NOT NULL,
    line         INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    seats_change INTEGER NOT NULL,
    uses_change  INTEGER NOT NULL,
    PRIMARY KEY (product, counted, line, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_sessions_by_start ON history_sessions (product, started_ms, ended_ms, person);
CREATE INDEX history_sessions_by_lease ON history_sessions (lease_made_in, lease_made_by)
    WHERE lease_made_in IS NOT NULL;
CREATE INDEX history_leases_by_grant
    ON history_leases (product, granted_ms, ended_ms, person, computer)
    WHERE kept = 0 AND cause <> 'unclaimed';
CREATE INDEX history_denials_by_first ON history_denials (product, first_ms);
CREATE INDEX history_waits_by_begin ON history_waits (product, queued_ms);
";

/// The step after which a quarter has what happens to all quantities, in runs. The roll-ups are made again
/// from the rows.
pub(super) const RUNS: &str = "
DROP TABLE usage_quarters;
DELETE FROM usage_days;
-- What happens in a quarter of an hour of a product: runs of edges, each with the quantities that it is an
-- edge of. Only of quarters in which something begins or ends.
CREATE TABLE usage_quarters (
    product INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    quarter INTEGER NOT NULL,
    edges   BLOB NOT NULL,
    PRIMARY KEY (product, counted, quarter)
) STRICT, WITHOUT ROWID;
";

/// The step by which the rows of a product are found by time, also those of which there was no index.
pub(super) const BY_TIME: &str = "
CREATE INDEX history_leases_unused_by_grant ON history_leases (product, granted_ms)
    WHERE kept <> 0 OR cause = 'unclaimed';
CREATE INDEX import_uses_by_end ON import_uses (product, ended_ms);
-- When the first began of all that is known.
CREATE TABLE history_first (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    first_ms INTEGER NOT NULL
) STRICT;
INSERT INTO history_first (one, first_ms) SELECT 1, first_ms FROM (
    SELECT min(begun_ms) AS first_ms FROM (
        SELECT min(granted_ms) AS begun_ms FROM history_leases
        UNION ALL SELECT min(started_ms) FROM history_sessions
        UNION ALL SELECT min(queued_ms) FROM history_waits
        UNION ALL SELECT min(first_ms) FROM history_denials
    )
) WHERE first_ms IS NOT NULL;
";
