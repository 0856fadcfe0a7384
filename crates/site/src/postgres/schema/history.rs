//! The tables of the collected history.
//!
//! Sessions are many, so they are in partitions by the day in which they began. A unique key of a
//! partitioned table would have to hold the day, and who reports a session a second time may say another
//! beginning: so what a session is known by, and what changes of it, is in a table of its own,
//! `history_session_keys`, and the rows of the partitions never change.

/// The part of the first step.
pub(super) const STEP: &str = "
-- Names stand here only: what happened holds the surrogates.
CREATE TABLE history_people (
    id      bigint PRIMARY KEY,
    realm   text COLLATE \"C\" NOT NULL,
    account text COLLATE \"C\" NOT NULL,
    name    text NOT NULL,
    UNIQUE (realm, account)
);
CREATE TABLE history_computers (
    id   bigint PRIMARY KEY,
    key  text COLLATE \"C\" NOT NULL UNIQUE,
    name text NOT NULL
);
CREATE TABLE history_products (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product text COLLATE \"C\" NOT NULL UNIQUE
);
CREATE TABLE history_sources (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server       text COLLATE \"C\" NOT NULL UNIQUE,
    head_event   bigint NOT NULL,
    collected_ms bigint NOT NULL
);
-- When the first began of all that is known.
CREATE TABLE history_first (
    one      boolean PRIMARY KEY CHECK (one),
    first_ms bigint NOT NULL
);
-- Up to where each life of a server's data is collected; the last is the one to go on with.
CREATE TABLE history_places (
    source      bigint NOT NULL,
    place       bigint NOT NULL,
    incarnation bigint NOT NULL,
    event       bigint NOT NULL,
    cursor      text NOT NULL,
    PRIMARY KEY (source, place)
);
-- In each but history_sessions: source, incarnation and event are where it was collected, and gone_ms is
-- since when that is no longer on the server.
CREATE TABLE history_session_keys (
    computer          bigint NOT NULL,
    agent_incarnation bigint NOT NULL,
    session           bigint NOT NULL,
    source            bigint NOT NULL,
    incarnation       bigint NOT NULL,
    event             bigint NOT NULL,
    gone_ms           bigint,
    lease_made_in     bigint,
    lease_made_by     bigint,
    PRIMARY KEY (computer, agent_incarnation, session)
);
CREATE INDEX history_session_keys_by_lease ON history_session_keys (lease_made_in, lease_made_by)
    WHERE lease_made_in IS NOT NULL;
-- source: who told of it first, and made its lease.
CREATE TABLE history_sessions (
    computer          bigint NOT NULL,
    agent_incarnation bigint NOT NULL,
    session           bigint NOT NULL,
    source            bigint NOT NULL,
    product           bigint NOT NULL,
    person            bigint,
    real_person       bigint,
    program           text NOT NULL,
    version           text,
    started_ms        bigint NOT NULL,
    ended_ms          bigint NOT NULL,
    duration_ms       bigint NOT NULL,
    unseated_ms       bigint NOT NULL,
    lease_made_in     bigint,
    lease_made_by     bigint
) PARTITION BY RANGE (started_ms);
CREATE INDEX history_sessions_by_start ON history_sessions (product, started_ms);
-- What began long before it was collected, or has not begun by the clock of the manager.
CREATE TABLE history_sessions_late PARTITION OF history_sessions DEFAULT;
CREATE TABLE history_leases (
    source            bigint NOT NULL,
    made_in           bigint NOT NULL,
    made_by           bigint NOT NULL,
    incarnation       bigint NOT NULL,
    event             bigint NOT NULL,
    gone_ms           bigint,
    product           bigint NOT NULL,
    person            bigint,
    computer          bigint,
    seats             bigint NOT NULL,
    program           text,
    agent_incarnation bigint,
    session           bigint,
    kept              boolean NOT NULL,
    granted_ms        bigint NOT NULL,
    ended_ms          bigint NOT NULL,
    held_ms           bigint NOT NULL,
    cause             text COLLATE \"C\" NOT NULL,
    ticket_made_in    bigint,
    ticket_made_by    bigint,
    with_made_in      bigint,
    with_made_by      bigint,
    retry             boolean NOT NULL,
    PRIMARY KEY (source, made_in, made_by)
);
CREATE INDEX history_leases_by_grant ON history_leases (product, granted_ms);
CREATE TABLE history_denials (
    source      bigint NOT NULL,
    made_in     bigint NOT NULL,
    made_by     bigint NOT NULL,
    incarnation bigint NOT NULL,
    event       bigint NOT NULL,
    gone_ms     bigint,
    product     bigint NOT NULL,
    person      bigint,
    computer    bigint,
    seats       bigint NOT NULL,
    reason      text COLLATE \"C\" NOT NULL,
    count       bigint NOT NULL,
    retries     bigint NOT NULL,
    waits       boolean,
    first_ms    bigint NOT NULL,
    last_ms     bigint NOT NULL,
    PRIMARY KEY (source, made_in, made_by)
);
CREATE INDEX history_denials_by_first ON history_denials (product, first_ms);
CREATE TABLE history_waits (
    source        bigint NOT NULL,
    made_in       bigint NOT NULL,
    made_by       bigint NOT NULL,
    incarnation   bigint NOT NULL,
    event         bigint NOT NULL,
    gone_ms       bigint,
    product       bigint NOT NULL,
    person        bigint,
    computer      bigint,
    seats         bigint NOT NULL,
    priority      bigint NOT NULL,
    outcome       text COLLATE \"C\" NOT NULL,
    reason        text,
    lease_made_in bigint,
    lease_made_by bigint,
    with_made_in  bigint,
    with_made_by  bigint,
    queued_ms     bigint NOT NULL,
    decided_ms    bigint,
    waited_ms     bigint,
    retry         boolean NOT NULL,
    PRIMARY KEY (source, made_in, made_by)
);
CREATE INDEX history_waits_by_begin ON history_waits (product, queued_ms);
";

/// The second step.
pub(super) const MARKS: &str = "
-- Servers that were restored, and of which not all is marked yet that is gone: how far that is. part is a
-- table, and one, two and three are the key in it after which it goes on.
CREATE TABLE history_marks (
    source  bigint PRIMARY KEY,
    target  text NOT NULL,
    gone_ms bigint NOT NULL,
    part    bigint NOT NULL,
    one     bigint NOT NULL,
    two     bigint NOT NULL,
    three   bigint NOT NULL,
    marked  bigint NOT NULL
);
";
