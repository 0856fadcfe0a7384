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

/// The step that makes the table of the archive.
pub(super) const ARCHIVE: &str = "
-- From which instant on what was removed of a kind is in the archive; null: it is not.
ALTER TABLE retained ADD COLUMN archived_ms INTEGER;
-- Files with rows that were removed. what: 0 sessions, 1 leases. first_ms: when the first of them began,
-- last_ms: when the last of them ended.
CREATE TABLE archive_parts (
    number   INTEGER PRIMARY KEY,
    what     INTEGER NOT NULL,
    file     TEXT NOT NULL UNIQUE,
    sha256   TEXT NOT NULL,
    bytes    INTEGER NOT NULL,
    rows     INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL
) STRICT;
";
