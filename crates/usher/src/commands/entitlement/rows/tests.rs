//! Files as people save them, and what is told of what is wrong in them.

use proptest::prelude::*;

use super::super::details::wire_price;
use super::super::samples::wire;
use super::super::sheet::written;
use super::*;
use usher_core::policy;
use usher_core::policy::{Range, Terms, is_servers_own};

pub(in crate::commands::entitlement) fn parsed(text: &str) -> Parsed {
    parse(text.as_bytes(), &Zone::of(Some("UTC")).unwrap(), &[])
}

/// The rows of a text in which nothing is wrong.
pub(in crate::commands::entitlement) fn rows(text: &str) -> Vec<Row> {
    let Parsed { rows, faults } = parsed(text);
    assert_eq!(faults, []);
    rows
}

fn faults(text: &str) -> String {
    let faults = parsed(text).faults.into_iter();
    let lines = faults.map(|fault| format!("{}: {}", fault.line.unwrap_or(0), fault.what));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn empty_rows_are_none() {
    let lines = |text: &str| rows(text).iter().map(|row| row.line).collect::<Vec<_>>();
    assert_eq!(lines("product;seats;to\n;;\ncad;1;\n;;\n ; ;\n"), [3]);
    assert_eq!(lines("product,seats\ncad,1\n\n\ncad,2\n"), [2, 5]);
}

#[test]
fn all_that_is_wrong_is_told_with_its_line() {
    let text = "product,seats,metric,from,to,overdraft,price,currency,per,notice_days,name\n\
        cad,-1,cpu,2026-11-31,12/31/2026,x,15.000,Euro,week,4000,E12\n\
        ,0,core,2026-02-01,2026-01-31,,1200,EUR,,,\n\
        cad,,,,,,,,month,,\n\
        cad,1\n\
        cad,1,,,31.12.26,,12 USD,,,,\n";
    insta::assert_snapshot!(faults(text), @r#"
    2: seats: "-1" is not a whole number from 0 to 1000000000
    2: metric: there is no metric cpu: write concurrent
    2: from: "2026-11-31" is not a day: November 2026 has 30 days
    2: to: 12/31/2026 is not a date; write it like 2026-12-31 or 31.12.2026
    2: overdraft: "x" is not a whole number from 0 to 1000000000
    2: price: "15.000" can be read in two ways: write 15000 or 15.00
    2: currency: "Euro" is not a currency: write its three capital letters, such as EUR
    2: per: "week" is not year, month or once
    2: notice_days: "4000" is not a number of days from 0 to 3650
    2: name: E12 has the form of the ids that a server gives: choose a name such as cad-2026
    3: the product is missing
    3: metric: core cannot be counted yet: write concurrent
    3: it ends before it begins
    3: per: it is missing: write for how long the price is paid, year, month or once
    4: the seats are missing
    4: price: it is missing, and there is a currency, or for how long it is paid
    5: it has 2 columns, and the first line 11: write the , of empty cells, too
    6: to: "31.12.26" may be of any century; write the year with four figures, such as 31.12.2026
    6: price: "12 USD" does not say for how long that is paid: write "12 USD/year", "12 USD/month" or "12 USD once"
    "#);
    insta::assert_snapshot!(faults("sep=;\nproduct;seats\ncad;x\n"), @r#"3: seats: "x" is not a whole number from 0 to 1000000000"#);
    insta::assert_snapshot!(faults("product,seat\ncad,1\n"), @r#"
    1: there is no column "seat" to import: if it is "seats", name it so
    1: the column seats is missing: the first line names the columns
    "#);
    insta::assert_snapshot!(faults("product,seats,note\ncad,1,for A, B\n"), @"2: it has 4 columns, and the first line 3: a text with , in it stands in quotes");
    insta::assert_snapshot!(faults("SERVER lic1 ANY 27000\nVENDOR acme\n"), @"0: it is a licence file of a licence server such as FlexNet, and these are not read yet: write a table of what it says, with a column product and a column seats");
    // The rows are looked at all the same.
    insta::assert_snapshot!(faults("sep=;\nproduct;seats;Vendor\ncad;x;y\n"), @r#"
    2: there is no column "Vendor" to import: --ignore-column Vendor leaves it out
    3: seats: "x" is not a whole number from 0 to 1000000000
    "#);
}

#[test]
fn a_price_is_whole_in_one_column_or_in_three() {
    let read = |text: &str| {
        let text = format!("product;seats;price;currency;per;name;notice_days\n{text}\n");
        let owned = as_owned(&rows(&text)).remove(0);
        serde_json::to_string(&(owned.price, owned.name, owned.notice_days)).unwrap()
    };
    let whole = read("cad;5;1200.50 EUR/year;;;cad-2026;90");
    insta::assert_snapshot!(whole, @r#"[{"amount":1200.5,"currency":"EUR","per":"year"},"cad-2026",90]"#);
    assert_eq!(read("cad;5;1200,5;eur;year;cad-2026;90"), whole);
    assert_eq!(read("cad;5;1.200,50;€;Year;cad-2026;90"), whole);
    // As LibreOffice saves a cell of money.
    assert_eq!(read("cad;5;\"1,200.50 €\";EUR;year;cad-2026;90"), whole);
    assert_eq!(read("cad;5;1.200,50 €;EUR;year;cad-2026;90"), whole);
    assert_eq!(read("cad;5;€1,200.50;;year;cad-2026;90"), whole);
    let none = read("cad;5;;;;;");
    insta::assert_snapshot!(none, @"[null,null,null]");
    for wrong in [
        "cad;5;1200;;;;",
        "cad;5;;EUR;;;",
        "cad;5;1200.5;EUR;;;",
        "cad;5;;;;;4000",
    ] {
        let text = format!("product;seats;price;currency;per;name;notice_days\n{wrong}\n");
        assert!(parsed(&text).rows.is_empty(), "{wrong}");
    }
}

#[test]
fn a_currency_in_the_cell_of_the_amount_is_that_of_its_column() {
    let told = |row: &str| faults(&format!("product;seats;price;currency;per\n{row}\n"));
    insta::assert_snapshot!(told("cad;1;15.000,50 €;USD;year"), @r#"2: price: "€" stands beside the amount, and the currency is USD: write the same in both, or the amount alone, such as 15000.50"#);
    insta::assert_snapshot!(told("cad;1;15.000 €;EUR;year"), @r#"2: price: "15.000" can be read in two ways: write 15000 or 15.00"#);
    insta::assert_snapshot!(told("cad;1;$12;;year"), @r#"2: currency: "$" is not a currency: write its three capital letters, such as EUR"#);
}

#[test]
fn a_file_is_the_same_rows_however_a_spreadsheet_saved_it() {
    let rows = |text: &str| format!("{:?}", rows(text));
    let plain = rows("product,seats,to\ncad,5,2026-12-31\n");
    for text in [
        "\u{feff}Product;Seats;To\r\ncad;5;31.12.2026\r\n",
        "product\tseats\tto\ncad\t5\t2026-12-31\n",
        "\"product\";\"seats\";\"to\"\n\"cad\";\"5\";\"2026-12-31\"\n",
        "product;seats;to;;\ncad;5;31.12.2026;;\n",
    ] {
        assert_eq!(rows(text), plain, "{text}");
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    let texts = "[a-zA-Z0-9=+@\"',;ä-][a-zA-Z0-9 =+@\"',;.ä-]{0,12}";
    let no_end = |text: String| text.trim_end().to_owned();
    proptest::option::of(texts.prop_map(no_end))
}

fn seats() -> impl Strategy<Value = u32> {
    let Range { least, most, .. } = Terms::SEATS;
    prop_oneof![Just(0), least..=most]
}

prop_compose! {
    fn owned()(
        (seats, overdraft) in (seats(), seats()),
        is_of_days in any::<bool>(),
        (year, days) in (2000..2100_i32, 1..900_i32),
        price in proptest::option::of((0..=1_000_000_000_000_u64, 0..3_usize)),
        notice_days in proptest::option::of(0..=3_650_u32),
        texts in [text(), text(), text(), text()],
    ) -> Entitlement {
        let [name, contract, cost_centre, note] = texts;
        let from = jiff::civil::date(i16::try_from(year).unwrap(), 3, 1);
        let to = from.checked_add(jiff::Span::new().days(days)).unwrap();
        let days = (from.to_string(), to.to_string());
        let mut it = wire("E1", seats, is_of_days.then_some((&*days.0, &*days.1)));
        if !is_of_days {
            it.from = Some(format!("{year}-03-01T12:30:00.250Z").parse().unwrap());
        }
        it.overdraft = overdraft;
        // The form of a server's ids is none that can be entered.
        it.name = name.filter(|name| !is_servers_own(name));
        (it.contract, it.cost_centre, it.note) = (contract, cost_centre, note);
        it.notice_days = notice_days;
        it.price = price.map(|(ten_thousandths, per)| wire_price(&policy::Price {
            amount: policy::Amount { ten_thousandths },
            currency: "EUR".to_owned(),
            per: policy::Per::WORDS[per].parse().unwrap(),
        }));
        it
    }
}

proptest! {
    #[test]
    fn what_a_list_writes_an_import_reads_unchanged(
        owned in proptest::collection::vec(owned(), 1..4),
    ) {
        let Parsed { rows, faults } = parsed(&written(&owned).unwrap());
        prop_assert_eq!(&faults, &[]);
        let mut read = as_owned(&rows);
        for (read, it) in read.iter_mut().zip(&owned) {
            (read.id, read.allotment) = (it.id.clone(), it.allotment.clone());
        }
        prop_assert_eq!(read, owned);
    }
}
