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
mod tests {
    use super::*;

    /// What becomes of people (id, authority, key, name), each with the number of its last lease.
    fn moved(people: &[(i64, &str, &str, &str, i64)]) -> Vec<(i64, String)> {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "
            CREATE TABLE subjects (id INTEGER PRIMARY KEY, authority TEXT, key TEXT, name TEXT);
            CREATE TABLE leases (subject INTEGER, number INTEGER);
            CREATE TABLE tickets (subject INTEGER, number INTEGER);
            CREATE TABLE denials (subject INTEGER, number INTEGER);
            CREATE TABLE sessions (subject INTEGER, number INTEGER);
            CREATE TABLE unseated (subject INTEGER, number INTEGER);";
        connection.execute_batch(tables).unwrap();
        for (id, authority, key, name, used) in people {
            let row = params![id, authority, key, name];
            connection
                .execute("INSERT INTO subjects VALUES (?1, ?2, ?3, ?4)", row)
                .unwrap();
            let row = params![id, used];
            connection
                .execute("INSERT INTO leases VALUES (?1, ?2)", row)
                .unwrap();
        }
        by_account(&connection).unwrap();
        let mut statement = connection
            .prepare("SELECT id, key FROM subjects ORDER BY id")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows = rows.unwrap().collect::<Result<_, _>>().unwrap();
        let left: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'persons*'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(left, 0, "what it needed meanwhile is gone");
        rows
    }

    #[track_caller]
    fn check(people: &[(i64, &str, &str, &str, i64)], keys: &[&str]) {
        let moved = moved(people);
        let keys_now: Vec<&str> = moved.iter().map(|(_, key)| key.as_str()).collect();
        assert_eq!(keys_now, keys);
    }

    #[test]
    fn an_account_becomes_the_key_in_each_realm_for_itself() {
        check(
            &[
                (1, "computer:c1", "1000", "ann", 10),
                (2, "computer:c2", "1000", "ann", 11),
                (3, "computer:c2", "1001", "Ann", 12),
                (4, "corp.example", "S-1-5", "Ann", 13),
                (5, "usher", "Ann", "Ann", 14),
                (6, "computer:c1", "1002", "1002", 15),
            ],
            &["ann", "ann", "Ann", "ann", "Ann", "1002"],
        );
    }

    #[test]
    fn of_several_with_one_account_the_last_used_gets_it_and_the_others_keep_theirs() {
        check(
            &[
                (1, "computer:c1", "1000", "ann", 20),
                (2, "computer:c1", "1001", "ann", 30),
                (3, "computer:c1", "1002", "ann", 10),
            ],
            &["1000", "ann", "1002"],
        );
    }

    #[test]
    fn nobody_gets_a_key_that_somebody_has() {
        check(
            &[
                (1, "computer:c1", "ann", "ann", 1),
                (2, "computer:c1", "1000", "ann", 2),
                (3, "computer:c1", "1001", "1000", 3),
            ],
            &["ann", "1000", "1001"],
        );
    }

    #[test]
    fn a_name_whose_accents_were_kept_apart_is_found_by_its_composed_form() {
        check(
            &[
                (1, "corp.example", "jo\u{308}rg", "Jo\u{308}rg", 1),
                (2, "computer:c1", "1000", "Jo\u{308}rg", 2),
                (3, "usher", "Jo\u{308}rg", "Jo\u{308}rg", 3),
                (4, "local", "jo\u{308}rg", "jo\u{308}rg", 4),
                (5, "local", "jörg", "jörg", 5),
                (6, "mu\u{308}nchen.example", "ann", "ann", 6),
                (7, "mu\u{308}nchen.example", "ben", "ben", 7),
                (8, "münchen.example", "ben", "ben", 8),
            ],
            &[
                "jörg",
                "Jörg",
                "Jörg",
                "jo\u{308}rg",
                "jörg",
                "ann",
                "ben",
                "ben",
            ],
        );
    }

    #[test]
    fn a_directorys_name_that_is_not_ascii_is_left_alone() {
        check(
            &[
                (1, "corp.example", "7", "Jörg", 1),
                (2, "Corp.Example", "8", "ann", 2),
                (3, "computer:c1", "9", "Jörg", 3),
            ],
            &["7", "8", "Jörg"],
        );
    }
}
