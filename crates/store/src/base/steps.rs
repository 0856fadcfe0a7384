//! The steps by which the tables of a data file came about. A step that was released is never
//! changed: the next one only adds.

/// Each step makes version `index + 1` out of `index`, and says who may still write it then.
pub(crate) const STEPS: &[(&str, u32)] = &[
    (
        "
    -- A batch's events as one record, until the tables hold them.
    CREATE TABLE journal (
        first INTEGER PRIMARY KEY, count INTEGER NOT NULL, steady INTEGER NOT NULL,
        wall INTEGER NOT NULL, events BLOB NOT NULL);
    CREATE TABLE subjects (
        id INTEGER PRIMARY KEY, authority TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL);
    CREATE TABLE computers (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL);
    CREATE TABLE products (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL,
        max_ttl_seconds INTEGER NOT NULL, queue_limit INTEGER NOT NULL,
        shared_by_subject INTEGER NOT NULL, document TEXT NOT NULL,
        created_at INTEGER NOT NULL, removed INTEGER NOT NULL);
    CREATE TABLE entitlements (
        number INTEGER PRIMARY KEY, product INTEGER NOT NULL, seats INTEGER NOT NULL,
        overdraft INTEGER NOT NULL, valid_from INTEGER, valid_to INTEGER,
        allotment INTEGER NOT NULL);
    CREATE TABLE allotments (
        number INTEGER PRIMARY KEY, product INTEGER NOT NULL, entitlement INTEGER NOT NULL,
        seats INTEGER NOT NULL, valid_from INTEGER, valid_to INTEGER, deadline INTEGER);
    CREATE TABLE leases (
        number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, computer INTEGER NOT NULL, seats INTEGER NOT NULL,
        ttl_seconds INTEGER NOT NULL, deadline INTEGER NOT NULL, granted_at INTEGER NOT NULL,
        granted INTEGER NOT NULL, draws TEXT NOT NULL, session INTEGER,
        ticket INTEGER, ticket_incarnation INTEGER, holders TEXT NOT NULL,
        graced INTEGER NOT NULL, scene_seats INTEGER NOT NULL, scene_in_use INTEGER NOT NULL,
        scene_queued INTEGER NOT NULL, ended INTEGER, ended_at INTEGER, held_ms INTEGER,
        cause TEXT, program TEXT);
    CREATE INDEX leases_open ON leases (product, number) WHERE ended IS NULL;
    -- In the order in which the rows lie, for a walk over all that are out.
    CREATE INDEX leases_held ON leases (number) WHERE ended IS NULL;
    CREATE INDEX leases_ended ON leases (product, ended) WHERE ended IS NOT NULL;
    CREATE TABLE tickets (
        number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, computer INTEGER NOT NULL, seats INTEGER NOT NULL,
        ttl_seconds INTEGER NOT NULL, priority INTEGER NOT NULL, queued_at INTEGER NOT NULL,
        scene_seats INTEGER NOT NULL, scene_in_use INTEGER NOT NULL,
        scene_queued INTEGER NOT NULL, state TEXT NOT NULL, until INTEGER, lease INTEGER,
        lease_incarnation INTEGER, forgotten INTEGER NOT NULL, program TEXT);
    CREATE INDEX tickets_kept ON tickets (product, number) WHERE forgotten = 0;
    CREATE TABLE denials (
        number INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, computer INTEGER NOT NULL, seats INTEGER NOT NULL,
        reason TEXT NOT NULL, scene_seats INTEGER NOT NULL, scene_in_use INTEGER NOT NULL,
        scene_queued INTEGER NOT NULL, first INTEGER NOT NULL, first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL, count INTEGER NOT NULL);
    CREATE INDEX denials_last ON denials (last_at);
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY, computer INTEGER NOT NULL, session INTEGER NOT NULL,
        sender_incarnation INTEGER NOT NULL, product INTEGER NOT NULL, program TEXT NOT NULL,
        version TEXT, subject INTEGER NOT NULL, real_subject INTEGER,
        started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
        lease INTEGER, lease_incarnation INTEGER,
        UNIQUE (computer, sender_incarnation, session));
    CREATE INDEX sessions_lease ON sessions (lease) WHERE lease IS NOT NULL;
    CREATE TABLE unseated (
        computer INTEGER NOT NULL, session INTEGER NOT NULL, product INTEGER NOT NULL,
        subject INTEGER NOT NULL, ttl_seconds INTEGER NOT NULL, deadline INTEGER NOT NULL,
        reason TEXT NOT NULL, number INTEGER NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (computer, session));
    CREATE TABLE marks (
        computer INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL);
    CREATE TABLE programs (
        program TEXT NOT NULL, computer INTEGER NOT NULL, starts INTEGER NOT NULL,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, PRIMARY KEY (program, computer));
    CREATE TABLE answers (
        number INTEGER PRIMARY KEY, key BLOB NOT NULL, body INTEGER NOT NULL,
        reply BLOB NOT NULL, steady INTEGER NOT NULL);
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, role TEXT NOT NULL, name TEXT NOT NULL,
        subject INTEGER, computer INTEGER, created_at INTEGER NOT NULL, expires_at INTEGER,
        revoked_at INTEGER);
    -- One row a use: what an agent saw, leases that no agent's session names, and what runs.
    CREATE VIEW uses AS
        SELECT s.number, 'S' || s.number AS id, s.product, s.program, s.subject,
            s.real_subject, s.computer, s.started_at, s.ended_at, s.duration_ms,
            CASE WHEN s.lease IS NULL THEN NULL
                ELSE printf('L%08x-%d', s.lease_incarnation, s.lease) END AS lease
        FROM sessions s
        UNION ALL
        SELECT l.number, 'S' || l.number, l.product, l.program, l.subject, NULL, l.computer,
            l.granted_at, l.ended_at, l.held_ms, printf('L%08x-%d', l.incarnation, l.number)
        FROM leases l
        WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.lease = l.number
                AND s.lease_incarnation = l.incarnation)
            AND (l.session IS NULL OR l.ended IS NULL)
        UNION ALL
        SELECT u.number, 'S' || u.number, u.product, NULL, u.subject, NULL, u.computer,
            u.since, NULL, NULL, NULL
        FROM unseated u;
    ",
        1,
    ),
    (
        "
    -- Which versions have served this file, oldest first, and when each passed its first
    -- scheduled pack.
    CREATE TABLE versions (
        number INTEGER PRIMARY KEY, version TEXT NOT NULL, schema INTEGER NOT NULL,
        since INTEGER NOT NULL, packed_at INTEGER);
    -- The one version that wrote schema 1; when it began to is not known.
    INSERT INTO versions (version, schema, since)
        SELECT '0.1.0', 1, 0 FROM meta WHERE key = 'server_id';
    ",
        1,
    ),
    // What it changes of people and names takes more than statements.
    (
        "
    -- Whether each event of the record, or the answer, is a frame with its length and form.
    ALTER TABLE journal ADD COLUMN framed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE answers ADD COLUMN framed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE products ADD COLUMN impossible_seconds INTEGER NOT NULL DEFAULT 60;
    -- A day stays a day, with the zone in which it is meant; valid_from and valid_to are instants.
    ALTER TABLE entitlements ADD COLUMN from_day TEXT;
    ALTER TABLE entitlements ADD COLUMN from_zone TEXT;
    ALTER TABLE entitlements ADD COLUMN to_day TEXT;
    ALTER TABLE entitlements ADD COLUMN to_zone TEXT;
    ALTER TABLE allotments ADD COLUMN from_day TEXT;
    ALTER TABLE allotments ADD COLUMN from_zone TEXT;
    ALTER TABLE allotments ADD COLUMN to_day TEXT;
    ALTER TABLE allotments ADD COLUMN to_zone TEXT;
    -- How seats were asked for: whether it would wait, and which refusal it comes after. NULL
    -- where that was not kept.
    ALTER TABLE leases ADD COLUMN waits INTEGER;
    ALTER TABLE leases ADD COLUMN repeats INTEGER;
    -- What else was asked for at once: `product:seats`, with commas. NULL where nothing was.
    ALTER TABLE leases ADD COLUMN also TEXT;
    ALTER TABLE tickets ADD COLUMN also TEXT;
    ALTER TABLE denials ADD COLUMN also TEXT;
    -- The first of the leases or tickets that it is one with, and how many they are.
    ALTER TABLE leases ADD COLUMN bundle INTEGER;
    ALTER TABLE leases ADD COLUMN bundle_count INTEGER;
    ALTER TABLE tickets ADD COLUMN bundle INTEGER;
    ALTER TABLE tickets ADD COLUMN bundle_count INTEGER;
    ALTER TABLE denials ADD COLUMN waits INTEGER;
    ALTER TABLE denials ADD COLUMN repeats INTEGER;
    -- How many of `count` came after another refusal of the same person, computer and product.
    ALTER TABLE denials ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE denials ADD COLUMN last_steady INTEGER;
    UPDATE denials SET last_steady = first;
    -- Seconds in which a program of no product ran, and the package that it came with.
    ALTER TABLE programs ADD COLUMN run_seconds INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE programs ADD COLUMN package TEXT;
    -- What desktops show it as.
    ALTER TABLE programs ADD COLUMN desktop_name TEXT;
    -- One person's or computer's are asked for, newest first: an index ends with the row's number.
    CREATE INDEX denials_subject ON denials (subject);
    CREATE INDEX denials_computer ON denials (computer);
    CREATE INDEX subjects_person ON subjects (authority, key);
    CREATE INDEX computers_key ON computers (key);
    -- Of the session that holds it; 0 where that was not kept.
    ALTER TABLE leases ADD COLUMN session_incarnation INTEGER NOT NULL DEFAULT 0;
    -- How much of a session's time it had no seat.
    ALTER TABLE sessions ADD COLUMN unseated_ms INTEGER NOT NULL DEFAULT 0;
    UPDATE sessions SET unseated_ms = duration_ms WHERE lease IS NULL;
    DROP VIEW uses;
    ALTER TABLE unseated RENAME TO unseated_before;
    CREATE TABLE unseated (
        computer INTEGER NOT NULL, session INTEGER NOT NULL,
        session_incarnation INTEGER NOT NULL,
        product INTEGER NOT NULL, subject INTEGER NOT NULL, ttl_seconds INTEGER NOT NULL,
        deadline INTEGER NOT NULL, reason TEXT NOT NULL, number INTEGER NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (computer, session, session_incarnation));
    INSERT INTO unseated SELECT computer, session, 0, product, subject, ttl_seconds, deadline,
        reason, number, since FROM unseated_before;
    DROP TABLE unseated_before;
    CREATE VIEW uses AS
        SELECT s.number, 'S' || s.number AS id, s.product, s.program, s.subject,
            s.real_subject, s.computer, s.started_at, s.ended_at, s.duration_ms,
            CASE WHEN s.lease IS NULL THEN NULL
                ELSE printf('L%08x-%d', s.lease_incarnation, s.lease) END AS lease,
            s.unseated_ms
        FROM sessions s
        UNION ALL
        SELECT l.number, 'S' || l.number, l.product, nullif(l.program, '(kept)'),
            l.subject, NULL, l.computer, l.granted_at, l.ended_at, l.held_ms,
            printf('L%08x-%d', l.incarnation, l.number), 0
        FROM leases l
        WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.lease = l.number
                AND s.lease_incarnation = l.incarnation)
            AND (l.session IS NULL OR l.ended IS NULL)
            -- A seat that is kept for a start to come is no use before that.
            AND NOT (l.session IS NULL AND l.program IS '(kept)')
        UNION ALL
        SELECT u.number, 'S' || u.number, u.product, NULL, u.subject, NULL, u.computer,
            u.since, NULL, NULL, NULL, NULL
        FROM unseated u;
    ALTER TABLE tickets ADD COLUMN repeats INTEGER;
    -- Since when it is passed over, and when it is refused for that.
    ALTER TABLE tickets ADD COLUMN aside_since INTEGER;
    ALTER TABLE tickets ADD COLUMN deny_at INTEGER;
    -- Of a refused one.
    ALTER TABLE tickets ADD COLUMN denied_for TEXT;
    ALTER TABLE tickets ADD COLUMN decision INTEGER;
    ALTER TABLE tickets ADD COLUMN decision_incarnation INTEGER;
    -- When its wait was over, and how long it was.
    ALTER TABLE tickets ADD COLUMN queued INTEGER;
    ALTER TABLE tickets ADD COLUMN decided_at INTEGER;
    ALTER TABLE tickets ADD COLUMN waited_ms INTEGER;
    -- Who has changed what.
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor_kind TEXT NOT NULL,
        actor TEXT NOT NULL, request TEXT NOT NULL, what TEXT NOT NULL, product INTEGER,
        entitlement INTEGER, lease INTEGER, ticket INTEGER);
    -- One row an ask and its outcome, however it was answered.
    CREATE VIEW asks AS
        SELECT l.number, l.incarnation, l.product, l.subject, l.computer, l.seats,
            l.granted_at AS asked_at, l.waits, 0 AS waited_ms, 'granted' AS outcome,
            NULL AS reason, l.repeats, 1 AS count, l.repeats IS NOT NULL AS retries,
            l.also, l.bundle
        FROM leases l WHERE l.ticket IS NULL
        UNION ALL
        SELECT t.number, t.incarnation, t.product, t.subject, t.computer, t.seats, t.queued_at,
            1, t.waited_ms, CASE WHEN t.state = 'granted' OR t.lease IS NOT NULL THEN 'granted'
                ELSE t.state END, t.denied_for, t.repeats, 1, t.repeats IS NOT NULL,
            t.also, t.bundle
        FROM tickets t
        UNION ALL
        SELECT d.number, d.incarnation, d.product, d.subject, d.computer, d.seats, d.first_at,
            d.waits, 0, 'denied', d.reason, d.repeats, d.count, d.retries, d.also, NULL
        FROM denials d WHERE d.reason <> 'impossible';
    ",
        3,
    ),
    (
        "
    -- What is said of an entitlement besides its seats and dates: a name that no other has, and
    -- price, contract and their like as JSON. No row where nothing is said.
    CREATE TABLE entitlement_details (
        number INTEGER PRIMARY KEY, name TEXT, document TEXT NOT NULL);
    ",
        3,
    ),
    (
        "
    -- The event by which a ticket came to its end: fetched, refused, cancelled or expired.
    ALTER TABLE tickets ADD COLUMN settled INTEGER;
    -- What it came to then: its state goes on, as when the lease that was fetched ends.
    ALTER TABLE tickets ADD COLUMN settled_as TEXT;
    ALTER TABLE tickets ADD COLUMN settled_lease INTEGER;
    ALTER TABLE tickets ADD COLUMN settled_lease_incarnation INTEGER;
    UPDATE tickets SET settled = coalesce(lease, decision, number), settled_as = state,
        settled_lease = lease, settled_lease_incarnation = lease_incarnation
        WHERE state IN ('expired', 'cancelled', 'denied') OR state = 'granted' AND until IS NULL;
    CREATE INDEX tickets_settled ON tickets (settled) WHERE settled IS NOT NULL;
    -- Those that wait, and those that a version without the column has settled.
    CREATE INDEX tickets_unsettled ON tickets (number) WHERE settled IS NULL;
    -- The lives of these data: by which event each began. A restore begins another.
    CREATE TABLE lives (began INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL);
    INSERT INTO lives (began, incarnation)
        SELECT 0, value FROM meta WHERE key = 'incarnation';
    -- Who collects the history, and through which event each had acknowledged it, by days.
    CREATE TABLE history_consumers (
        name TEXT PRIMARY KEY, since INTEGER NOT NULL, asked_at INTEGER NOT NULL);
    CREATE TABLE history_acknowledged (
        consumer TEXT NOT NULL, day INTEGER NOT NULL, through INTEGER NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (consumer, day));
    ",
        3,
    ),
    (
        "
    -- What runs without a seat, where that was said.
    DROP VIEW IF EXISTS uses;
    ALTER TABLE unseated ADD COLUMN program TEXT;
    CREATE VIEW uses AS
        SELECT s.number, 'S' || s.number AS id, s.product, s.program, s.subject,
            s.real_subject, s.computer, s.started_at, s.ended_at, s.duration_ms,
            CASE WHEN s.lease IS NULL THEN NULL
                ELSE printf('L%08x-%d', s.lease_incarnation, s.lease) END AS lease,
            s.unseated_ms
        FROM sessions s
        UNION ALL
        SELECT l.number, 'S' || l.number, l.product, nullif(l.program, '(kept)'),
            l.subject, NULL, l.computer, l.granted_at, l.ended_at, l.held_ms,
            printf('L%08x-%d', l.incarnation, l.number), 0
        FROM leases l
        WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.lease = l.number
                AND s.lease_incarnation = l.incarnation)
            AND (l.session IS NULL OR l.ended IS NULL)
            -- A seat that is kept for a start to come is no use before that.
            AND NOT (l.session IS NULL AND l.program IS '(kept)')
            -- Nor is one that was waited for, before it is fetched.
            AND l.cause IS NOT 'unclaimed'
            AND NOT (l.ended IS NULL AND l.ticket IS NOT NULL AND EXISTS (
                SELECT 1 FROM tickets t WHERE t.number = l.ticket
                AND t.incarnation = l.ticket_incarnation
                AND t.state = 'granted' AND t.until IS NOT NULL))
        UNION ALL
        SELECT u.number, 'S' || u.number, u.product, u.program, u.subject, NULL, u.computer,
            u.since, NULL, NULL, NULL, NULL
        FROM unseated u;
    ",
        3,
    ),
];
