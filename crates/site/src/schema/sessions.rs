//! The tables of sessions, in the order in which they are asked for.
//!
//! What comes in began lately, so it goes behind what is there of its product: few pages change, and the
//! table needs no index beside it. What a session is known by is in ranges, see `history/known.rs`.

/// The step that puts them so.
pub(super) const STEP: &str = "
DROP INDEX history_sessions_by_start;
DROP INDEX history_sessions_by_lease;
ALTER TABLE history_sessions RENAME TO history_sessions_by_key;
CREATE TABLE history_sessions (
    product           INTEGER NOT NULL,
    started_ms        INTEGER NOT NULL,
    computer          INTEGER NOT NULL,
    agent_incarnation INTEGER NOT NULL,
    session           INTEGER NOT NULL,
    ended_ms          INTEGER NOT NULL,
    person            INTEGER,
    unseated_ms       INTEGER NOT NULL,
    lease_made_in     INTEGER,
    lease_made_by     INTEGER,
    source            INTEGER NOT NULL,
    incarnation       INTEGER NOT NULL,
    event             INTEGER NOT NULL,
    gone_ms           INTEGER,
    real_person       INTEGER,
    duration_ms       INTEGER NOT NULL,
    program           TEXT NOT NULL,
    version           TEXT,
    PRIMARY KEY (product, started_ms, computer, agent_incarnation, session)
) STRICT, WITHOUT ROWID;
INSERT INTO history_sessions (product, started_ms, computer, agent_incarnation, session, ended_ms, person,
    unseated_ms, lease_made_in, lease_made_by, source, incarnation, event, gone_ms, real_person,
    duration_ms, program, version)
    SELECT product, started_ms, computer, agent_incarnation, session, ended_ms, person, unseated_ms,
    lease_made_in, lease_made_by, source, incarnation, event, gone_ms, real_person, duration_ms, program,
    version FROM history_sessions_by_key
    ORDER BY product, started_ms, computer, agent_incarnation, session;
-- Which sessions are there: of each incarnation of the agent of a computer the ranges of their numbers.
CREATE TABLE history_known_sessions (
    computer          INTEGER NOT NULL,
    agent_incarnation INTEGER NOT NULL,
    first             INTEGER NOT NULL,
    last              INTEGER NOT NULL,
    PRIMARY KEY (computer, agent_incarnation, first)
) STRICT, WITHOUT ROWID;
INSERT INTO history_known_sessions (computer, agent_incarnation, first, last)
    SELECT computer, agent_incarnation, min(session), max(session) FROM (
        SELECT computer, agent_incarnation, session, session - row_number() OVER (
            PARTITION BY computer, agent_incarnation ORDER BY session) AS range
        FROM history_sessions_by_key)
    GROUP BY computer, agent_incarnation, range;
DROP TABLE history_sessions_by_key;
CREATE INDEX history_sessions_by_lease ON history_sessions (lease_made_in, lease_made_by)
    WHERE lease_made_in IS NOT NULL;
-- Those that come back are found by what they are known by: few, if any.
CREATE INDEX history_sessions_gone ON history_sessions (computer, agent_incarnation, session)
    WHERE gone_ms IS NOT NULL;
";
