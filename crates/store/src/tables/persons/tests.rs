//! People of before who become accounts, on real files.

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
