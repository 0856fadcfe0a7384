//! Amounts as the cells of spreadsheets have them, one by one.

use super::*;

fn read(text: &str) -> Result<String, String> {
    let money: Money = text.parse()?;
    let sign = money.sign.unwrap_or_default();
    Ok(format!("{} {sign}", money.amount).trim_end().to_owned())
}

#[test]
fn an_amount_is_read_as_spreadsheets_show_it() {
    for (text, expected) in [
        ("15000.5", "15000.50"),
        ("15,000.50 €", "15000.50 €"),
        ("15.000,50 €", "15000.50 €"),
        ("€15,000.50", "15000.50 €"),
        ("$ 1,200.00", "1200 $"),
        ("EUR 15000", "15000 EUR"),
        ("15\u{202f}000,50\u{a0}€", "15000.50 €"),
        ("15 000 kr", "15000 kr"),
        ("CHF 15'000.-", "15000 CHF"),
        ("CHF 15’000.50", "15000.50 CHF"),
        ("15.000,-- €", "15000 €"),
        ("15.000,–\u{a0}€", "15000 €"),
        ("Fr. 12", "12 Fr."),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_may_be_meant_otherwise_is_refused() {
    let unclear = read("15.000 €").unwrap_err();
    assert_eq!(
        unclear,
        r#""15.000" can be read in two ways: write 15000 or 15.00"#
    );
    for wrong in [
        "",
        "€",
        "-12 €",
        "12- €",
        "(12 €)",
        "€ 12 EUR",
        "1.",
        ".5",
        "12 €/year",
        "1 00 €",
        "15,000,-- €",
        "1 2 3",
        "12 ; 3",
    ] {
        let why = read(wrong).unwrap_err();
        assert!(why.contains("is not an amount"), "{wrong}: {why}");
    }
}

#[test]
fn what_stands_beside_an_amount_is_of_the_currency_that_is_named() {
    let beside = |text: &str, code: &str| text.parse::<Money>().unwrap().must_be_of(code);
    for (text, code) in [
        ("12 €", "EUR"),
        ("12 eur", "EUR"),
        ("$12", "CAD"),
        ("Fr. 12", "CHF"),
        ("12 Kč", "CZK"),
        ("12", "USD"),
    ] {
        assert_eq!(beside(text, code), Ok(()), "{text} {code}");
    }
    let differs = beside("15,000.50 €", "USD").unwrap_err();
    assert_eq!(
        differs,
        r#""€" stands beside the amount, and the currency is USD: write the same in both, or the amount alone, such as 15000.50"#
    );
    assert!(beside("12 seats", "EUR").is_err());
}
