//! Names that builds of before kept with their accents apart.

use usher_store::*;

use crate::support::*;
use crate::versions::{SCHEMA_1, data_of, later};

/// A text as the journal of a version before has it.
fn written(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).unwrap()];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[test]
fn names_whose_accents_were_kept_apart_are_found_by_their_composed_form_and_nothing_is_lost() {
    const APART: &str = "solve\u{301}r";
    const WHOLE: &str = "solv\u{e9}r";
    let data = data_of(SCHEMA_1);
    let file = data.path().join("cache.db");
    let before = Inventory::of(&file).unwrap();
    let journal = rusqlite::Connection::open(&file).unwrap();
    // Two products and two computers that become one each, and one of a kind.
    for sql in [
        format!("UPDATE products SET id = '{APART}' WHERE id = 'solver'"),
        format!("UPDATE products SET id = '{WHOLE}' WHERE id = 'tool'"),
        "UPDATE products SET id = 'ca\u{308}d' WHERE id = 'cad'".to_owned(),
        "UPDATE computers SET key = 'e\u{301}va', name = 'e\u{301}va' WHERE key = 'pc-eve'"
            .to_owned(),
        "UPDATE computers SET key = 'a\u{308}da', name = 'a\u{308}da' WHERE key = 'pc-ada'"
            .to_owned(),
        "UPDATE computers SET key = '\u{e4}da' WHERE key = 'pc-bob'".to_owned(),
        "INSERT INTO subjects VALUES (91, 'mu\u{308}nchen.example', 'S-1-5', 'ann')".to_owned(),
    ] {
        assert_eq!(journal.execute(&sql, []).unwrap(), 1, "{sql}");
    }
    // And what only the journal has of them: a product that is changed, a computer that is new.
    let product = [
        &[2, 2][..],
        &written(APART),
        &[1, 0x80, 0xa3, 5, 100, 0],
        &written("{}"),
    ];
    let computer = [
        &[1, 79][..],
        &written("pe\u{301}t"),
        &written("pe\u{301}t"),
        &written("{}"),
    ];
    let events = [product.concat(), computer.concat()].concat();
    journal
        .execute(
            "INSERT INTO journal (first, count, steady, wall, events)
             SELECT first + count, 2, steady, wall, ?1 FROM journal ORDER BY first DESC LIMIT 1",
            [events],
        )
        .unwrap();
    drop(journal);

    for opened in ["from tables and journal", "from tables"] {
        let (engine, _) = open_with(data.path(), later()).unwrap();
        let ids = engine
            .read(|ledger, _| {
                let product = |id: &str| ledger.product(id).map(|(number, _)| number.0);
                let computer =
                    |key: &str| ledger.computers().find(key).map(|it| it.name.to_string());
                let person = ledger.subjects().find("m\u{fc}nchen.example", "ann");
                (
                    [APART, WHOLE, "solv\u{e9}r-2", "c\u{e4}d"].map(product),
                    [
                        "\u{e9}va",
                        "\u{e4}da",
                        "a\u{308}da",
                        "p\u{e9}t",
                        "pe\u{301}t",
                    ]
                    .map(computer),
                    person.map(|person| person.id.0),
                )
            })
            .unwrap();
        let (products, computers, person) = ids;
        assert_eq!(products, [None, Some(3), Some(2), Some(1)], "{opened}");
        let called = |name: &str| Some(name.to_owned());
        let names = [
            called("\u{e9}va"),
            called("pc-bob"),
            called("\u{e4}da"),
            called("p\u{e9}t"),
            None,
        ];
        assert_eq!(computers, names, "{opened}");
        assert_eq!(person, Some(91), "{opened}");
        let in_use = engine
            .read(|ledger, _| ledger.product("solv\u{e9}r-2").map(|(_, pool)| pool.in_use))
            .unwrap();
        assert_eq!(in_use, Some(3), "{opened}: its seats are with it");
        engine.settle().unwrap();
        engine.close();
    }
    assert_eq!(before.lost_in(&file).unwrap(), []);
}
