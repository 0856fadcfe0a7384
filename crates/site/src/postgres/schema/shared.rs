//! What several managers on one database share.

/// The step that makes their tables.
pub(super) const STEP: &str = "
-- The manager that leads the site, in one row. Whoever takes the lead raises the epoch, which is a key:
-- a transaction of the leader holds FOR KEY SHARE on it, which a renewal of the lease does not wait for,
-- and the next leader does. Times are this database's clock.
CREATE TABLE site_leader (
    epoch      bigint PRIMARY KEY,
    lead       boolean NOT NULL DEFAULT true UNIQUE CHECK (lead),
    holder     text COLLATE \"C\" NOT NULL,
    name       text NOT NULL,
    address    text NOT NULL,
    since_ms   bigint NOT NULL,
    expires_ms bigint NOT NULL,
    given_up   boolean NOT NULL
);
INSERT INTO site_leader (epoch, holder, name, address, since_ms, expires_ms, given_up)
    VALUES (0, '', '', '', 0, 0, true);
-- How the leader sees each server, for the managers that do not lead.
CREATE TABLE site_views (
    server text COLLATE \"C\" PRIMARY KEY,
    seen   text NOT NULL
);
";
