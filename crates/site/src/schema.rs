//! The tables of the embedded engine. Steps only add; each is carried out once, in its order.

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
];
