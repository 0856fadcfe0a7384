//! Prices as they are written, and what is said of those that are wrong.

use super::*;

#[test]
fn a_price_is_read_as_it_is_written() {
    for (text, written) in [
        ("12000 EUR/year", "12000 EUR/year"),
        ("1200.5 EUR / month", "1200.50 EUR/month"),
        ("0.0001 JPY once", "0.0001 JPY once"),
        ("100000000000.000 USD/once", "100000000000 USD once"),
        ("15.000,50 eur/Year", "15000.50 EUR/year"),
        ("1200\u{a0}€ once", "1200 EUR once"),
        ("1200€/month", "1200 EUR/month"),
    ] {
        let price: Price = text.parse().unwrap();
        assert_eq!(price.to_string(), written);
        assert_eq!(written.parse::<Price>().unwrap(), price);
    }
    for wrong in [
        "",
        "12000",
        "12000 EUR",
        "EUR 12000/year",
        "12,000 EUR/year",
        "-1 EUR/year",
        "1.00001 EUR/year",
        "100000000000.1 EUR/year",
        "1 EURO/year",
        "1 $/year",
        "1 EUR/week",
        "1. EUR/year",
        ".5 EUR/year",
        "1 EUR/year more",
    ] {
        assert!(wrong.parse::<Price>().is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_wrong_with_a_price_is_said_by_what_it_is() {
    let why = |text: &str| text.parse::<Price>().unwrap_err();
    insta::assert_snapshot!(why("15.000 EUR/year"), @r#""15.000" can be read in two ways: write 15000 or 15.00"#);
    insta::assert_snapshot!(why("1200 EUR"), @r#""1200 EUR" does not say for how long that is paid: write "1200 EUR/year", "1200 EUR/month" or "1200 EUR once""#);
    insta::assert_snapshot!(why("1200 Euro/year"), @r#""Euro" is not a currency: write its three capital letters, such as EUR"#);
    insta::assert_snapshot!(why("1200 EUR/week"), @r#""week" is not year, month or once"#);
    insta::assert_snapshot!(why("1200"), @r#""1200" is not a price: write it like "12000 EUR/year" or "500 EUR once""#);
}
