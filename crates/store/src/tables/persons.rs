//! A file of before persons were accounts: the key of an account was its uid or SID.
//!
//! The people of a computer's own accounts and of directories get their account as their key.

use rusqlite::{Connection, params};
use usher_core::ledger::{Subject, SubjectId};
use usher_core::names::composed;

use crate::base::columns::from_i64;

/// Makes the account the key of each person, in the tables.
///
/// Of several people of one realm and account (a uid that was given to another account) the one
/// whose last use is the newest gets it; the others keep the key that they have, and with it their
/// history. Nobody gets a key that somebody has. Of a directory, names that are not plain ASCII
/// keep their keys: SQLite folds no others. `persons_entered` may be there before: whom the
/// journal has entered, and at which event.
const PERSONS_BY_ACCOUNT: &str = "
    CREATE TABLE IF NOT EXISTS persons_entered (id INTEGER PRIMARY KEY, number INTEGER NOT NULL);
    CREATE TABLE persons_moving (
        id INTEGER PRIMARY KEY, authority TEXT NOT NULL, key TEXT NOT NULL, used INTEGER);
    INSERT INTO persons_moving (id, authority, key)
        SELECT id, authority, name FROM subjects
            WHERE authority GLOB 'computer:*' AND key <> name
        UNION ALL
        SELECT id, authority, lower(name) FROM subjects
            WHERE authority NOT GLOB 'computer:*' AND authority NOT IN ('usher', 'local')
                AND authority = lower(authority) AND name NOT GLOB '*[^ -~]*'
                AND key <> lower(name);
    CREATE INDEX persons_moving_to ON persons_moving (authority, key);
    CREATE TABLE persons_named AS
        SELECT s.authority, s.key FROM persons_moving m
        JOIN subjects s ON s.authority = m.authority AND s.key = m.key;
    DELETE FROM persons_moving WHERE (authority, key) IN (SELECT authority, key FROM persons_named);
    CREATE TABLE persons_several AS
        SELECT id FROM persons_moving WHERE (authority, key) IN (
            SELECT authority, key FROM persons_moving GROUP BY 1, 2 HAVING count(*) > 1);
    UPDATE persons_moving SET used = u.number FROM (
        SELECT subject, max(number) AS number FROM (
            SELECT subject, number FROM leases WHERE subject IN (SELECT id FROM persons_several)
            UNION ALL
            SELECT subject, number FROM tickets WHERE subject IN (SELECT id FROM persons_several)
            UNION ALL
            SELECT subject, number FROM denials WHERE subject IN (SELECT id FROM persons_several)
            UNION ALL
            SELECT subject, number FROM sessions WHERE subject IN (SELECT id FROM persons_several)
            UNION ALL
            SELECT subject, number FROM unseated WHERE subject IN (SELECT id FROM persons_several)
            UNION ALL
            SELECT id, number FROM persons_entered)
        GROUP BY subject) u WHERE u.subject = persons_moving.id;
    UPDATE subjects SET key = m.key FROM (
        SELECT id, key, row_number() OVER (
            PARTITION BY authority, key ORDER BY used DESC NULLS LAST, id) AS place
        FROM persons_moving) m WHERE m.id = subjects.id AND m.place = 1;
    DROP TABLE persons_several;
    DROP TABLE persons_named;
    DROP TABLE persons_moving;
    DROP TABLE persons_entered;
";

/// Carries it out in the tables, in which all people of the journal are [entered](enter).
pub(super) fn by_account(connection: &Connection) -> rusqlite::Result<()> {
    compose(connection)?;
    connection.execute_batch(PERSONS_BY_ACCOUNT)
}

/// Gives realms, keys and names their composed form (NFC), in which those of requests are: builds of
/// before kept them as they were written, and would not be found any more. Nobody gets a realm and
/// key that somebody has.
fn compose(connection: &Connection) -> rusqlite::Result<()> {
    let mut written = connection.prepare(
        "SELECT id, authority, key, name FROM subjects WHERE authority GLOB '*[^ -~]*'
            OR key GLOB '*[^ -~]*' OR name GLOB '*[^ -~]*' ORDER BY id",
    )?;
    let rows = written.query_map([], |row| {
        let texts: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        Ok((row.get::<_, i64>(0)?, texts))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut named = connection.prepare("UPDATE subjects SET name = ?2 WHERE id = ?1")?;
    let mut keyed = connection.prepare(
        "UPDATE subjects SET authority = ?2, key = ?3 WHERE id = ?1 AND NOT EXISTS (
            SELECT 1 FROM subjects other WHERE other.authority = ?2 AND other.key = ?3)",
    )?;
    for (id, texts) in rows {
        let [authority, key, name] = texts.each_ref().map(|text| composed(text));
        if *name != texts[2] {
            named.execute(params![id, &*name])?;
        }
        if *authority != texts[0] || *key != texts[1] {
            keyed.execute(params![id, &*authority, &*key])?;
        }
    }
    Ok(())
}

/// Makes the room in which it is kept whom the journal has entered, and at which event.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE persons_entered (id INTEGER PRIMARY KEY, number INTEGER NOT NULL)",
    )
}

/// Puts a person of the journal into the tables.
pub(super) fn enter(
    connection: &Connection,
    person: &Subject,
    number: u64,
) -> rusqlite::Result<()> {
    let id = person.id.0.cast_signed();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO subjects (id, authority, key, name) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, &*person.authority, &*person.key, &*person.name])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO persons_entered (id, number) VALUES (?1, ?2)")?
        .execute(params![id, number.cast_signed()])
        .map(drop)
}

/// A person as the tables have them.
pub(super) fn kept(connection: &Connection, id: SubjectId) -> rusqlite::Result<Subject> {
    connection
        .prepare_cached("SELECT id, authority, key, name FROM subjects WHERE id = ?1")?
        .query_row([id.0.cast_signed()], |row| {
            Ok(Subject {
                id: SubjectId(from_i64(row.get(0)?)),
                authority: row.get(1)?,
                key: row.get(2)?,
                name: row.get(3)?,
            })
        })
}

#[cfg(test)]
mod tests;
