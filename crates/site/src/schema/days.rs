//! The table of packed days.

/// The step of the schema.
pub(super) const STEP: &str = "
-- A day (UTC) of a product that is over, packed: what the quarters say of each hour, and who used it in
-- which hours. No row: something of the day has changed since. who is NULL if rows of it have gone.
CREATE TABLE usage_packed (
    product INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    hours   BLOB NOT NULL,
    who     BLOB,
    PRIMARY KEY (product, day)
) STRICT;
";
