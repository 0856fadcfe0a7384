//! The tables of the embedded engine. Steps only add; each is carried out once, in its order.

mod days;
mod elsewhere;
mod retention;
mod sessions;
mod usage;

/// Each step, from an empty file on. `user_version` counts those that were carried out.
pub(crate) const STEPS: &[&str] = &[
    "
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE servers (
    name     TEXT PRIMARY KEY,
    url      TEXT NOT NULL,
    token    TEXT NOT NULL,
    unit     TEXT,
    data     TEXT,
    added_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE messages (
    record_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    id            INTEGER NOT NULL,
    severity      INTEGER NOT NULL,
    component     TEXT NOT NULL,
    computer      TEXT NOT NULL,
    site          TEXT NOT NULL,
    server        TEXT,
    process_id    INTEGER NOT NULL,
    first_ms      INTEGER NOT NULL,
    last_ms       INTEGER NOT NULL,
    vals          TEXT NOT NULL,
    count         INTEGER NOT NULL,
    recovered_ms  INTEGER,
    keep_until_ms INTEGER NOT NULL,
    summarised    INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_end ON messages (keep_until_ms);
CREATE INDEX messages_by_last ON messages (last_ms);
CREATE INDEX messages_by_server ON messages (server, record_id);
CREATE TABLE episodes (
    server     TEXT NOT NULL,
    number     INTEGER NOT NULL,
    verdict    TEXT NOT NULL,
    record_id  INTEGER,
    message_id INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    first_ms   INTEGER NOT NULL,
    last_ms    INTEGER NOT NULL,
    ended_ms   INTEGER,
    PRIMARY KEY (server, number)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE concerns (
    server     TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    about      TEXT NOT NULL,
    record_id  INTEGER,
    count      INTEGER NOT NULL,
    PRIMARY KEY (server, message_id, about)
) STRICT, WITHOUT ROWID;
CREATE INDEX concerns_by_record ON concerns (record_id);
",
    "
CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id   INTEGER,
    rule        TEXT NOT NULL,
    destination TEXT NOT NULL,
    message     TEXT NOT NULL,
    since_ms    INTEGER NOT NULL,
    is_told     INTEGER NOT NULL
) STRICT;
CREATE TABLE destinations (
    destination TEXT PRIMARY KEY,
    since_ms    INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    why         TEXT NOT NULL,
    given_up    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
-- Names stand here only: what happened holds the surrogates.
CREATE TABLE history_people (
    id      INTEGER PRIMARY KEY,
    realm   TEXT NOT NULL,
    account TEXT NOT NULL,
    name    TEXT NOT NULL,
    UNIQUE (realm, account)
) STRICT;
CREATE TABLE history_computers (
    id   INTEGER PRIMARY KEY,
    key  TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL
) STRICT;
CREATE TABLE history_products (
    number  INTEGER PRIMARY KEY,
    product TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE history_sources (
    number       INTEGER PRIMARY KEY,
    server       TEXT NOT NULL UNIQUE,
    head_event   INTEGER NOT NULL,
    collected_ms INTEGER NOT NULL
) STRICT;
-- Up to where each life of a server's data is collected; the last is the one to go on with.
CREATE TABLE history_places (
    source      INTEGER NOT NULL,
    place       INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    event       INTEGER NOT NULL,
    cursor      TEXT NOT NULL,
    PRIMARY KEY (source, place)
) STRICT, WITHOUT ROWID;
-- In each: source, incarnation and event are where it was collected, and gone_ms is since when that
-- is no longer on the server.
CREATE TABLE history_sessions (
    computer          INTEGER NOT NULL,
    agent_incarnation INTEGER NOT NULL,
    session           INTEGER NOT NULL,
    source            INTEGER NOT NULL,
    incarnation       INTEGER NOT NULL,
    event             INTEGER NOT NULL,
    gone_ms           INTEGER,
    product           INTEGER NOT NULL,
    person            INTEGER,
    real_person       INTEGER,
    program           TEXT NOT NULL,
    version           TEXT,
    started_ms        INTEGER NOT NULL,
    ended_ms          INTEGER NOT NULL,
    duration_ms       INTEGER NOT NULL,
    unseated_ms       INTEGER NOT NULL,
    lease_made_in     INTEGER,
    lease_made_by     INTEGER,
    PRIMARY KEY (computer, agent_incarnation, session)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_leases (
    source            INTEGER NOT NULL,
    made_in           INTEGER NOT NULL,
    made_by           INTEGER NOT NULL,
    incarnation       INTEGER NOT NULL,
    event             INTEGER NOT NULL,
    gone_ms           INTEGER,
    product           INTEGER NOT NULL,
    person            INTEGER,
    computer          INTEGER,
    seats             INTEGER NOT NULL,
    program           TEXT,
    agent_incarnation INTEGER,
    session           INTEGER,
    kept              INTEGER NOT NULL,
    granted_ms        INTEGER NOT NULL,
    ended_ms          INTEGER NOT NULL,
    held_ms           INTEGER NOT NULL,
    cause             TEXT NOT NULL,
    ticket_made_in    INTEGER,
    ticket_made_by    INTEGER,
    with_made_in      INTEGER,
    with_made_by      INTEGER,
    retry             INTEGER NOT NULL,
    PRIMARY KEY (source, made_in, made_by)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_denials (
    source      INTEGER NOT NULL,
    made_in     INTEGER NOT NULL,
    made_by     INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    event       INTEGER NOT NULL,
    gone_ms     INTEGER,
    product     INTEGER NOT NULL,
    person      INTEGER,
    computer    INTEGER,
    seats       INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    count       INTEGER NOT NULL,
    retries     INTEGER NOT NULL,
    waits       INTEGER,
    first_ms    INTEGER NOT NULL,
    last_ms     INTEGER NOT NULL,
    PRIMARY KEY (source, made_in, made_by)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_waits (
    source        INTEGER NOT NULL,
    made_in       INTEGER NOT NULL,
    made_by       INTEGER NOT NULL,
    incarnation   INTEGER NOT NULL,
    event         INTEGER NOT NULL,
    gone_ms       INTEGER,
    product       INTEGER NOT NULL,
    person        INTEGER,
    computer      INTEGER,
    seats         INTEGER NOT NULL,
    priority      INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    reason        TEXT,
    lease_made_in INTEGER,
    lease_made_by INTEGER,
    with_made_in  INTEGER,
    with_made_by  INTEGER,
    queued_ms     INTEGER NOT NULL,
    decided_ms    INTEGER,
    waited_ms     INTEGER,
    retry         INTEGER NOT NULL,
    PRIMARY KEY (source, made_in, made_by)
) STRICT, WITHOUT ROWID;
",
    elsewhere::STEP,
    usage::STEP,
    usage::RUNS,
    sessions::STEP,
    retention::STEP,
    elsewhere::REMOVALS,
    usage::BY_TIME,
    days::STEP,
    retention::ARCHIVE,
];
