//! Names of before that become composed ones, on real files.

use super::*;

const APART: &str = "cafe\u{301}";
const WHOLE: &str = "caf\u{e9}";

#[track_caller]
fn check(products: &[(u64, &str, bool)], ids: &[&str]) {
    let mut names = Names::default();
    let connection = Connection::open_in_memory().unwrap();
    let tables = "
            CREATE TABLE products (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
            CREATE TABLE computers (id INTEGER PRIMARY KEY, key TEXT, name TEXT);
            CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL);";
    connection.execute_batch(tables).unwrap();
    for (number, id, removed) in products {
        names.put_product(ProductNumber(*number), id, *removed);
        let row = params![number.cast_signed(), id];
        connection
            .execute("INSERT INTO products VALUES (?1, ?2)", row)
            .unwrap();
    }
    names.compose(&connection).unwrap();
    let mut statement = connection
        .prepare("SELECT id FROM products ORDER BY number")
        .unwrap();
    let now = statement.query_map([], |row| row.get(0)).unwrap();
    let now: Vec<String> = now.collect::<Result<_, _>>().unwrap();
    assert_eq!(now, ids);
    for ((number, before, _), now) in products.iter().zip(ids) {
        let told = names.product_id(ProductNumber(*number)).unwrap_or(before);
        assert_eq!(told, *now, "the journal is told the same");
    }
}

#[test]
fn a_products_id_is_composed_and_others_stay() {
    check(
        &[(1, "cad", false), (2, APART, false), (3, WHOLE, true)],
        &["cad", WHOLE, "caf\u{e9}-2"],
    );
    check(&[(1, WHOLE, false)], &[WHOLE]);
}

#[test]
fn products_whose_ids_become_one_stay_under_ids_of_their_own() {
    check(
        &[
            (1, APART, false),
            (2, WHOLE, false),
            (3, "caf\u{e9}-2", false),
        ],
        &["caf\u{e9}-3", WHOLE, "caf\u{e9}-2"],
    );
    // The one that is there has the id, and not the one that was removed.
    check(
        &[(1, WHOLE, true), (2, APART, false)],
        &["caf\u{e9}-2", WHOLE],
    );
}

#[test]
fn a_computer_has_the_composed_key_unless_another_has_it() {
    let mut names = Names::default();
    for (id, key) in [
        (1, "e\u{301}1"),
        (2, "\u{e9}1"),
        (3, "e\u{301}2"),
        (4, "pc"),
    ] {
        names.put_computer(ComputerId(id), key);
    }
    names.choose_keys();
    let keys: Vec<(u64, &str)> = names.keys.iter().map(|(id, key)| (*id, &**key)).collect();
    assert_eq!(keys, [(3, "\u{e9}2")]);
    let named = |id, key: &str, name: &str| Computer {
        id: ComputerId(id),
        key: key.into(),
        name: name.into(),
        document: "{}".into(),
    };
    let told = names.computer(&named(3, "e\u{301}2", "e\u{301}2"));
    assert_eq!(told, Some(named(3, "\u{e9}2", "\u{e9}2")));
    let told = names.computer(&named(1, "e\u{301}1", "e\u{301}1"));
    assert_eq!(told, Some(named(1, "e\u{301}1", "\u{e9}1")));
    assert_eq!(names.computer(&named(4, "pc", "pc")), None);
}
