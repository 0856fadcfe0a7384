//! The tables of what other licence servers count, apart from what metering servers told.
//!
//! What is in a table `import_...` says what an import brought. What counts of it is in the view
//! `elsewhere_...`: of imports that are finished and not removed, each key of a source once.

/// The step that makes them.
pub(super) const STEP: &str = "
CREATE TABLE import_sources (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE
) STRICT;
-- request tells a repeat of the request that began it. state: 0 rows may follow, 1 finished, 2 removed.
-- finish_order counts the imports of a source and kind that were finished. from_ms and to_ms are the first
-- and the last instant of which the file tells.
CREATE TABLE imports (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    request       TEXT UNIQUE,
    kind          TEXT NOT NULL,
    source        INTEGER NOT NULL,
    time_zone     TEXT,
    state         INTEGER NOT NULL,
    begun_ms      INTEGER NOT NULL,
    touched_ms    INTEGER NOT NULL,
    finished_ms   INTEGER,
    finish_order  INTEGER,
    next_number   INTEGER NOT NULL,
    added         INTEGER NOT NULL,
    already_there INTEGER NOT NULL,
    completed     INTEGER NOT NULL,
    summary       TEXT,
    from_ms       INTEGER,
    to_ms         INTEGER
) STRICT;
CREATE INDEX imports_by_state ON imports (state);
CREATE INDEX imports_by_finish ON imports (source, kind, finish_order);
-- In each but the last two: a key is there once for each import that said something new of it. Of those
-- that count the one with the highest rank does, and of these the first. others: rows of other imports
-- have the key, too, or had it.
CREATE TABLE import_uses (
    number     INTEGER PRIMARY KEY,
    source     INTEGER NOT NULL,
    key        TEXT NOT NULL,
    import     INTEGER NOT NULL,
    rank       INTEGER NOT NULL,
    others     INTEGER NOT NULL,
    product    INTEGER NOT NULL,
    person     INTEGER,
    computer   INTEGER,
    seats      INTEGER NOT NULL,
    program    TEXT,
    version    TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    seen_ms    INTEGER,
    ending     TEXT,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_uses_by_import ON import_uses (import);
CREATE INDEX import_uses_by_product ON import_uses (product, started_ms);
CREATE TABLE import_denials (
    number   INTEGER PRIMARY KEY,
    source   INTEGER NOT NULL,
    key      TEXT NOT NULL,
    import   INTEGER NOT NULL,
    rank     INTEGER NOT NULL,
    others   INTEGER NOT NULL,
    product  INTEGER NOT NULL,
    person   INTEGER,
    computer INTEGER,
    seats    INTEGER NOT NULL,
    version  TEXT,
    at_ms    INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    words    TEXT NOT NULL,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_denials_by_import ON import_denials (import);
CREATE INDEX import_denials_by_product ON import_denials (product, at_ms);
CREATE TABLE import_waits (
    number    INTEGER PRIMARY KEY,
    source    INTEGER NOT NULL,
    key       TEXT NOT NULL,
    import    INTEGER NOT NULL,
    rank      INTEGER NOT NULL,
    others    INTEGER NOT NULL,
    product   INTEGER NOT NULL,
    person    INTEGER,
    computer  INTEGER,
    seats     INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    ended_ms  INTEGER,
    seen_ms   INTEGER,
    granted   INTEGER,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_waits_by_import ON import_waits (import);
CREATE INDEX import_waits_by_product ON import_waits (product, queued_ms);
CREATE TABLE import_levels (
    number   INTEGER PRIMARY KEY,
    source   INTEGER NOT NULL,
    key      TEXT NOT NULL,
    import   INTEGER NOT NULL,
    rank     INTEGER NOT NULL,
    others   INTEGER NOT NULL,
    product  INTEGER NOT NULL,
    server   TEXT,
    at_ms    INTEGER NOT NULL,
    issued   INTEGER,
    in_use   INTEGER,
    reserved INTEGER NOT NULL,
    queued   INTEGER NOT NULL,
    trouble  TEXT,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_levels_by_import ON import_levels (import);
CREATE TABLE import_sums (
    number       INTEGER PRIMARY KEY,
    source       INTEGER NOT NULL,
    key          TEXT NOT NULL,
    import       INTEGER NOT NULL,
    rank         INTEGER NOT NULL,
    others       INTEGER NOT NULL,
    product      INTEGER NOT NULL,
    person       INTEGER,
    computer     INTEGER,
    version      TEXT,
    from_ms      INTEGER,
    to_ms        INTEGER,
    starts       INTEGER,
    seconds      INTEGER,
    users        INTEGER,
    last_used_ms INTEGER,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_sums_by_import ON import_sums (import);
CREATE TABLE import_silences (
    number  INTEGER PRIMARY KEY,
    source  INTEGER NOT NULL,
    key     TEXT NOT NULL,
    import  INTEGER NOT NULL,
    rank    INTEGER NOT NULL,
    others  INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL,
    server  TEXT,
    daemon  TEXT,
    why     TEXT,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_silences_by_import ON import_silences (import);
CREATE TABLE import_peaks (
    number  INTEGER PRIMARY KEY,
    source  INTEGER NOT NULL,
    key     TEXT NOT NULL,
    import  INTEGER NOT NULL,
    rank    INTEGER NOT NULL,
    others  INTEGER NOT NULL,
    product INTEGER,
    daemon  TEXT,
    seats   INTEGER NOT NULL,
    at_ms   INTEGER,
    UNIQUE (source, key, import)
) STRICT;
CREATE INDEX import_peaks_by_import ON import_peaks (import);
-- A state: those of the last finished import of a source and kind are valid.
CREATE TABLE import_entitlements (
    import     INTEGER NOT NULL,
    key        TEXT NOT NULL,
    product    INTEGER NOT NULL,
    version    TEXT,
    seats      INTEGER,
    overdraft  INTEGER NOT NULL,
    from_day   TEXT,
    to_day     TEXT,
    grouping   TEXT,
    host_id    TEXT,
    components TEXT NOT NULL,
    set_aside  TEXT,
    note       TEXT,
    PRIMARY KEY (import, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE import_limits (
    import  INTEGER NOT NULL,
    key     TEXT NOT NULL,
    product INTEGER,
    rule    TEXT NOT NULL,
    amount  INTEGER,
    whom    TEXT,
    text    TEXT NOT NULL,
    PRIMARY KEY (import, key)
) STRICT, WITHOUT ROWID;
-- The times of which a source has told.
CREATE VIEW elsewhere_spans AS
    SELECT source, kind, from_ms, to_ms FROM imports WHERE state = 1 AND from_ms IS NOT NULL;
CREATE VIEW elsewhere_uses AS
    SELECT t.number, t.source, t.import, t.product, t.person, t.computer, t.seats, t.program,
        t.version, t.started_ms, t.ended_ms, t.seen_ms, t.ending
    FROM import_uses t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_uses o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_denials AS
    SELECT t.number, t.source, t.import, t.product, t.person, t.computer, t.seats, t.version,
        t.at_ms, t.reason, t.words
    FROM import_denials t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_denials o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_waits AS
    SELECT t.number, t.source, t.import, t.product, t.person, t.computer, t.seats, t.queued_ms,
        t.ended_ms, t.seen_ms, t.granted
    FROM import_waits t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_waits o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_levels AS
    SELECT t.number, t.source, t.import, t.product, t.server, t.at_ms, t.issued, t.in_use,
        t.reserved, t.queued, t.trouble
    FROM import_levels t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_levels o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_sums AS
    SELECT t.number, t.source, t.import, t.product, t.person, t.computer, t.version, t.from_ms,
        t.to_ms, t.starts, t.seconds, t.users, t.last_used_ms
    FROM import_sums t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_sums o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_silences AS
    SELECT t.number, t.source, t.import, t.from_ms, t.to_ms, t.server, t.daemon, t.why
    FROM import_silences t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_silences o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_peaks AS
    SELECT t.number, t.source, t.import, t.product, t.daemon, t.seats, t.at_ms
    FROM import_peaks t JOIN imports i ON i.number = t.import
    WHERE i.state = 1 AND (t.others = 0 OR NOT EXISTS (
        SELECT 1 FROM import_peaks o JOIN imports j ON j.number = o.import
        WHERE o.source = t.source AND o.key = t.key AND j.state = 1
        AND (o.rank > t.rank OR o.rank = t.rank AND o.number < t.number)));
CREATE VIEW elsewhere_entitlements AS
    SELECT i.source, i.kind, e.import, e.key, e.product, e.version, e.seats, e.overdraft,
        e.from_day, e.to_day, e.grouping, e.host_id, e.components, e.set_aside, e.note
    FROM import_entitlements e JOIN imports i ON i.number = e.import
    WHERE i.state = 1 AND NOT EXISTS (
        SELECT 1 FROM imports l WHERE l.source = i.source AND l.kind = i.kind AND l.state = 1
        AND l.finish_order > i.finish_order);
CREATE VIEW elsewhere_limits AS
    SELECT i.source, i.kind, l.import, l.key, l.product, l.rule, l.amount, l.whom, l.text
    FROM import_limits l JOIN imports i ON i.number = l.import
    WHERE i.state = 1 AND NOT EXISTS (
        SELECT 1 FROM imports n WHERE n.source = i.source AND n.kind = i.kind AND n.state = 1
        AND n.finish_order > i.finish_order);
";

/// The step that makes the table of what was taken out.
pub(super) const REMOVALS: &str = "
-- Imports that were taken out while others of their source and kind may have left out what they had: those
-- with a later finish_order, up to a number; and the time of which nothing is known thereby.
CREATE TABLE import_removals (
    source       INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    finish_order INTEGER NOT NULL,
    until_number INTEGER NOT NULL,
    from_ms      INTEGER NOT NULL,
    to_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX import_removals_by_source ON import_removals (source, kind);
";
