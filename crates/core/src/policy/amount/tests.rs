//! Amounts that can be read in one way, and such as cannot.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<String, String> {
    text.parse::<Amount>().map(|amount| amount.to_string())
}

#[test]
fn an_amount_is_read_with_a_decimal_point_and_with_a_decimal_comma() {
    for (text, amount) in [
        ("15000", "15000"),
        ("15000,50", "15000.50"),
        ("15000.5", "15000.50"),
        ("15.000,50", "15000.50"),
        ("15,000.50", "15000.50"),
        ("1.234.567,8", "1234567.80"),
        ("1,234,567", "1234567"),
        ("1.234,567", "1234.5670"),
        // Thousands begin with no zero, and have three digits before them at the most.
        ("0.125", "0.1250"),
        ("15000.500", "15000.50"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(amount), "{text}");
    }
}

#[test]
fn an_amount_that_can_be_read_in_two_ways_is_refused_with_both() {
    let why = |text: &str| read(text).unwrap_err();
    insta::assert_snapshot!(why("15.000"), @r#""15.000" can be read in two ways: write 15000 or 15.00"#);
    insta::assert_snapshot!(why("1,200"), @r#""1,200" can be read in two ways: write 1200 or 1.20"#);
    insta::assert_snapshot!(why("1.234"), @r#""1.234" can be read in two ways: write 1234 or 1.2340"#);
    for wrong in [
        "",
        ".",
        ",",
        "1.",
        ",5",
        "1.2.3",
        "1.23.456,7",
        "1,2.3,4",
        "1.2,3.4",
        "1 000",
    ] {
        assert!(why(wrong).contains("is not an amount"), "{wrong}");
    }
}

proptest! {
    #[test]
    fn an_amount_is_read_as_it_is_shown(ten_thousandths in 0..=MOST_UNITS * UNIT) {
        let amount = Amount { ten_thousandths };
        prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        let with_decimals = amount.with_decimals();
        prop_assert_eq!(with_decimals.parse::<Amount>(), Ok(amount));
        // As it is written elsewhere.
        let with_comma = with_decimals.replace('.', ",");
        prop_assert_eq!(with_comma.parse::<Amount>(), Ok(amount));
    }
}
