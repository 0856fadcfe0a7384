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

/// The step that makes the table of the archive.
pub(super) const ARCHIVE: &str = "
-- From which instant on what was removed of a kind is in the archive; null: it is not.
ALTER TABLE retained ADD COLUMN archived_ms bigint;
-- Files with rows that were removed. what: 0 sessions, 1 leases. first_ms: when the first of them began,
-- last_ms: when the last of them ended.
CREATE TABLE archive_parts (
    number   bigint PRIMARY KEY,
    what     bigint NOT NULL,
    file     text COLLATE \"C\" NOT NULL UNIQUE,
    sha256   text NOT NULL,
    bytes    bigint NOT NULL,
    rows     bigint NOT NULL,
    first_ms bigint NOT NULL,
    last_ms  bigint NOT NULL
);
";
