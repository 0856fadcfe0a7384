//! The tables of what other licence servers count, as [`crate::schema`] has them for the embedded
//! engine: what is in a table `import_...` says what an import brought, and what counts of it is in the
//! view `elsewhere_...`.

/// The part of the first step.
pub(super) const STEP: &str = "
CREATE TABLE import_sources (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text COLLATE \"C\" NOT NULL UNIQUE
);
-- request tells a repeat of the request that began it. state: 0 rows may follow, 1 finished, 2 removed.
-- finish_order counts the imports of a source and kind that were finished. from_ms and to_ms are the first
-- and the last instant of which the file tells.
CREATE TABLE imports (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            text COLLATE \"C\" NOT NULL UNIQUE,
    request       text COLLATE \"C\" UNIQUE,
    kind          text COLLATE \"C\" NOT NULL,
    source        bigint NOT NULL,
    time_zone     text,
    state         bigint NOT NULL,
    begun_ms      bigint NOT NULL,
    touched_ms    bigint NOT NULL,
    finished_ms   bigint,
    finish_order  bigint,
    next_number   bigint NOT NULL,
    added         bigint NOT NULL,
    already_there bigint NOT NULL,
    completed     bigint NOT NULL,
    summary       text,
    from_ms       bigint,
    to_ms         bigint
);
CREATE INDEX imports_by_state ON imports (state);
CREATE INDEX imports_by_finish ON imports (source, kind, finish_order);
-- In each but the last two: a key is there once for each import that said something new of it. Of those
-- that count the one with the highest rank does, and of these the first. others: rows of other imports
-- have the key, too, or had it.
CREATE TABLE import_uses (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     bigint NOT NULL,
    key        text COLLATE \"C\" NOT NULL,
    import     bigint NOT NULL,
    rank       bigint NOT NULL,
    others     bigint NOT NULL,
    product    bigint NOT NULL,
    person     bigint,
    computer   bigint,
    seats      bigint NOT NULL,
    program    text,
    version    text,
    started_ms bigint NOT NULL,
    ended_ms   bigint,
    seen_ms    bigint,
    ending     text,
    UNIQUE (source, key, import)
);
CREATE INDEX import_uses_by_import ON import_uses (import);
CREATE INDEX import_uses_by_product ON import_uses (product, started_ms);
CREATE TABLE import_denials (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source   bigint NOT NULL,
    key      text COLLATE \"C\" NOT NULL,
    import   bigint NOT NULL,
    rank     bigint NOT NULL,
    others   bigint NOT NULL,
    product  bigint NOT NULL,
    person   bigint,
    computer bigint,
    seats    bigint NOT NULL,
    version  text,
    at_ms    bigint NOT NULL,
    reason   text NOT NULL,
    words    text NOT NULL,
    UNIQUE (source, key, import)
);
CREATE INDEX import_denials_by_import ON import_denials (import);
CREATE INDEX import_denials_by_product ON import_denials (product, at_ms);
CREATE TABLE import_waits (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    bigint NOT NULL,
    key       text COLLATE \"C\" NOT NULL,
    import    bigint NOT NULL,
    rank      bigint NOT NULL,
    others    bigint NOT NULL,
    product   bigint NOT NULL,
    person    bigint,
    computer  bigint,
    seats     bigint NOT NULL,
    queued_ms bigint NOT NULL,
    ended_ms  bigint,
    seen_ms   bigint,
    granted   boolean,
    UNIQUE (source, key, import)
);
CREATE INDEX import_waits_by_import ON import_waits (import);
CREATE INDEX import_waits_by_product ON import_waits (product, queued_ms);
CREATE TABLE import_levels (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source   bigint NOT NULL,
    key      text COLLATE \"C\" NOT NULL,
    import   bigint NOT NULL,
    rank     bigint NOT NULL,
    others   bigint NOT NULL,
    product  bigint NOT NULL,
    server   text,
    at_ms    bigint NOT NULL,
    issued   bigint,
    in_use   bigint,
    reserved bigint NOT NULL,
    queued   bigint NOT NULL,
    trouble  text,
    UNIQUE (source, key, import)
);
CREATE INDEX import_levels_by_import ON import_levels (import);
CREATE TABLE import_sums (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       bigint NOT NULL,
    key          text COLLATE \"C\" NOT NULL,
    import       bigint NOT NULL,
    rank         bigint NOT NULL,
    others       bigint NOT NULL,
    product      bigint NOT NULL,
    person       bigint,
    computer     bigint,
    version      text,
    from_ms      bigint,
    to_ms        bigint,
    starts       bigint,
    seconds      bigint,
    users        bigint,
    last_used_ms bigint,
    UNIQUE (source, key, import)
);
CREATE INDEX import_sums_by_import ON import_sums (import);
CREATE TABLE import_silences (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source  bigint NOT NULL,
    key     text COLLATE \"C\" NOT NULL,
    import  bigint NOT NULL,
    rank    bigint NOT NULL,
    others  bigint NOT NULL,
    from_ms bigint NOT NULL,
    to_ms   bigint NOT NULL,
    server  text,
    daemon  text,
    why     text,
    UNIQUE (source, key, import)
);
CREATE INDEX import_silences_by_import ON import_silences (import);
CREATE TABLE import_peaks (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source  bigint NOT NULL,
    key     text COLLATE \"C\" NOT NULL,
    import  bigint NOT NULL,
    rank    bigint NOT NULL,
    others  bigint NOT NULL,
    product bigint,
    daemon  text,
    seats   bigint NOT NULL,
    at_ms   bigint,
    UNIQUE (source, key, import)
);
CREATE INDEX import_peaks_by_import ON import_peaks (import);
-- A state: those of the last finished import of a source and kind are valid.
CREATE TABLE import_entitlements (
    import     bigint NOT NULL,
    key        text COLLATE \"C\" NOT NULL,
    product    bigint NOT NULL,
    version    text,
    seats      bigint,
    overdraft  bigint NOT NULL,
    from_day   text,
    to_day     text,
    grouping   text,
    host_id    text,
    components text NOT NULL,
    set_aside  text,
    note       text,
    PRIMARY KEY (import, key)
);
CREATE TABLE import_limits (
    import  bigint NOT NULL,
    key     text COLLATE \"C\" NOT NULL,
    product bigint,
    rule    text NOT NULL,
    amount  bigint,
    whom    text,
    text    text NOT NULL,
    PRIMARY KEY (import, key)
);
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

/// The third step.
pub(super) const REMOVALS: &str = "
-- Imports that were taken out while others of their source and kind may have left out what they had: those
-- with a later finish_order, up to a number; and the time of which nothing is known thereby.
CREATE TABLE import_removals (
    source       bigint NOT NULL,
    kind         text COLLATE \"C\" NOT NULL,
    finish_order bigint NOT NULL,
    until_number bigint NOT NULL,
    from_ms      bigint NOT NULL,
    to_ms        bigint NOT NULL
);
CREATE INDEX import_removals_by_source ON import_removals (source, kind);
";
