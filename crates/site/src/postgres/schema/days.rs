//! The table of packed days.

/// The step of the schema.
pub(super) const STEP: &str = "
-- A day (UTC) of a product that is over, packed: what the quarters say of each hour, and who used it in
-- which hours. No row: something of the day has changed since. who is NULL if rows of it have gone.
CREATE TABLE usage_packed (
    product bigint NOT NULL,
    day     bigint NOT NULL,
    hours   bytea NOT NULL,
    who     bytea,
    PRIMARY KEY (product, day)
);
-- Who is known by random numbers: trying to make them shorter takes time and nothing else.
ALTER TABLE usage_packed ALTER COLUMN who SET STORAGE EXTERNAL;
";
