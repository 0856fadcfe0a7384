//! Rows beside what is owned, one by one.

use super::super::rows::tests::rows;
use super::super::samples::wire;
use super::*;

fn product(id: &str) -> Product {
    serde_json::from_value(serde_json::json!({ "id": id, "name": "CAD 3D" })).unwrap()
}

/// Ten seats without a name, and six of a name with a price.
fn owned() -> Vec<Entitlement> {
    let plain = wire("E1", 10, Some(("2026-01-01", "2026-12-31")));
    let mut named = wire("E2", 6, Some(("2026-01-01", "2026-12-31")));
    named.name = Some("cad-2026".to_owned());
    named.price = super::super::details::read_price("14000 EUR/year").ok();
    named.contract = Some("A-1".to_owned());
    vec![plain, named]
}

const COLUMNS: &str = "product;seats;from;to;name;price;contract\n";

fn settled(text: &str, what: Duplicates) -> Settled {
    settle(
        rows(&format!("{COLUMNS}{text}")),
        &owned(),
        &[product("cad")],
        what,
    )
}

fn told(faults: &[Fault]) -> String {
    let lines = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.line.unwrap_or(0), fault.what));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_row_of_another_name_price_contract_or_date_is_none_that_is_there() {
    for new in [
        "cad;10;2026-01-01;2026-12-31;cad-b;;",
        "cad;10;2026-01-01;2027-12-31;;;",
        "cad;10;;2026-12-31;;;",
        "cad;6;2026-01-01;2026-12-31;;15000 EUR/year;",
        "cad;6;2026-01-01;2026-12-31;;;A-2",
        "cad;11;2026-01-01;2026-12-31;;;",
    ] {
        let settled = settled(new, Duplicates::Refuse);
        assert_eq!((settled.new.len(), settled.again.len()), (1, 0), "{new}");
    }
}

#[test]
fn rows_that_are_there_already_are_told_left_out_or_added_as_it_is_said() {
    let text = "cad;10;2026-01-01;2026-12-31;;;\ncad;6;2026-01-01;2026-12-31;cad-2026;;\n\
                cad;1;;;;;\n";
    let refused = settled(text, Duplicates::Refuse);
    insta::assert_snapshot!(told(&refused.again), @r"
    2: such an entitlement is there already: E1
    3: such an entitlement is there already: cad-2026 (E2)
    ");
    assert!(refused.is_again_by_name, "one of them cannot be added");
    let unnamed = settled("cad;10;2026-01-01;2026-12-31;;;\n", Duplicates::Refuse);
    assert_eq!((unnamed.again.len(), unnamed.is_again_by_name), (1, false));
    let skipped = settled(text, Duplicates::Skip);
    assert_eq!((skipped.new.len(), skipped.left_out), (1, 2));
    let added = settled(text, Duplicates::Add);
    assert_eq!(added.new.len(), 2);
    insta::assert_snapshot!(told(&added.faults), @"3: the name is that of cad-2026 (E2) already: choose another, or leave it out");
}

#[test]
fn what_is_otherwise_than_what_has_its_name_is_said_with_the_command_that_changes_it() {
    let text = "cad;8;2026-01-01;;cad-2026;15000 EUR/year;\n\
                cad;10;2026-01-01;2026-12-31;;500 EUR once;A 2\n";
    let refused = settled(text, Duplicates::Refuse);
    insta::assert_snapshot!(told(&refused.again), @r"
    2: cad-2026 (E2) is there already, and differs: seats 6 (8 in the file), to 2026-12-31 (none in the file), price 14000 EUR/year (15000 EUR/year in the file); to change it: usher entitlement edit cad-2026 --seats 8 --to '' --price '15000 EUR/year'
    3: E1 is there already, and differs: price none (500 EUR once in the file), contract none (A 2 in the file); to change it: usher entitlement edit E1 --price '500 EUR once' --contract 'A 2'
    ");
    let minus = settled("cad;6;;;cad-2026;;-7\n", Duplicates::Refuse);
    let told = told(&minus.again);
    assert!(told.contains(" --contract=-7"), "{told}");
    let skipped = settled(text, Duplicates::Skip);
    assert_eq!(skipped.differing, refused.again, "it is said all the same");
    assert!(skipped.new.is_empty());
}

#[test]
fn names_that_stand_twice_and_products_that_are_none_are_told_of_every_row() {
    let text = "cad;1;;;new;;\ncad;2;;;new;;\nCAD 3D;1;;;;;\nviz;1;;;cad-2026;;\n";
    let settled = settled(text, Duplicates::Skip);
    insta::assert_snapshot!(told(&settled.faults), @r#"
    3: the name new stands in line 2 already
    4: there is no product "CAD 3D": that is the name of cad, write cad
    5: there is no product "viz"
    5: cad-2026 (E2) is of cad, and an entitlement keeps its product: choose another name
    "#);
}

#[test]
fn two_rows_alike_are_two_entitlements() {
    let row = "cad;10;2026-01-01;2026-12-31;;;\n";
    let settled = settled(&format!("{row}{row}"), Duplicates::Skip);
    assert_eq!(
        (settled.new.len(), settled.left_out),
        (1, 1),
        "the first of them was imported before"
    );
}

#[test]
fn a_day_that_was_entered_in_another_zone_is_the_same_day() {
    let mut rows = rows("product,seats,from,to\ncad,10,2026-01-01,2026-12-31\n");
    rows[0].request.time_zone = Some("Europe/Berlin".to_owned());
    let settled = settle(rows, &owned(), &[product("cad")], Duplicates::Skip);
    assert_eq!(settled.left_out, 1);
}
