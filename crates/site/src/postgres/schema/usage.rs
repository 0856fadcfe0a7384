//! The tables of the roll-ups.

/// The part of the first step.
pub(super) const STEP: &str = "
-- What changes in a quarter of an hour of a quantity of a product: a node of core::usage, and the
-- edges that it is of. Only of quarters in which something begins or ends.
CREATE TABLE usage_quarters (
    product       bigint NOT NULL,
    counted       bigint NOT NULL,
    line          bigint NOT NULL,
    quarter       bigint NOT NULL,
    seats_change  bigint NOT NULL,
    uses_change   bigint NOT NULL,
    best_over     bigint,
    best_at_ms    bigint,
    seat_ms       bigint NOT NULL,
    use_ms        bigint NOT NULL,
    begun         bigint NOT NULL,
    ended_at_once bigint NOT NULL,
    edges         bytea NOT NULL,
    PRIMARY KEY (product, counted, line, quarter)
);
-- The sums of the changes of each day (UTC), from which the level at an instant is added up.
CREATE TABLE usage_days (
    product      bigint NOT NULL,
    counted      bigint NOT NULL,
    line         bigint NOT NULL,
    day          bigint NOT NULL,
    seats_change bigint NOT NULL,
    uses_change  bigint NOT NULL,
    PRIMARY KEY (product, counted, line, day)
);
";

/// The step after which a quarter has what happens to all quantities, in runs. The roll-ups are made again
/// from the rows.
pub(super) const RUNS: &str = "
DROP TABLE usage_quarters;
DELETE FROM usage_days;
-- What happens in a quarter of an hour of a product: runs of edges, each with the quantities that it is an
-- edge of. Only of quarters in which something begins or ends.
CREATE TABLE usage_quarters (
    product bigint NOT NULL,
    counted bigint NOT NULL,
    quarter bigint NOT NULL,
    edges   bytea NOT NULL,
    PRIMARY KEY (product, counted, quarter)
);
";

/// The step by which uses that are counted elsewhere are found by their ends.
pub(super) const BY_END: &str = "
CREATE INDEX import_uses_by_end ON import_uses (product, ended_ms);
";
