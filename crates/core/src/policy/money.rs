//! Amounts of money as the cells of spreadsheets show them: with the sign or the letters of their
//! currency, with blanks or apostrophes between thousands, and with a dash for no decimals.

use std::str::FromStr;

use super::amount::{Amount, is_grouped, is_number, not_an_amount};

/// Signs that stand in cells, and of which currencies each may be.
const SIGNS: [(&str, &[&str]); 21] = [
    ("€", &["EUR"]),
    (
        "$",
        &[
            "USD", "AUD", "CAD", "NZD", "SGD", "HKD", "TWD", "MXN", "CLP", "COP", "ARS",
        ],
    ),
    ("us$", &["USD"]),
    ("a$", &["AUD"]),
    ("c$", &["CAD"]),
    ("ca$", &["CAD"]),
    ("r$", &["BRL"]),
    ("£", &["GBP", "EGP", "GIP", "FKP", "SHP"]),
    ("¥", &["JPY", "CNY"]),
    ("￥", &["JPY", "CNY"]),
    ("₩", &["KRW"]),
    ("₹", &["INR"]),
    ("₺", &["TRY"]),
    ("₽", &["RUB"]),
    ("₴", &["UAH"]),
    ("₪", &["ILS"]),
    ("fr", &["CHF"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("kč", &["CZK"]),
    ("zł", &["PLN"]),
    ("ft", &["HUF"]),
];

/// What stands for no decimals, with the separator that it follows: `15.000,-- €`, `CHF 15'000.-`.
const NO_DECIMALS: [&str; 4] = ["--", "-", "–", "—"];

/// What may set thousands apart and is no separator of decimals: blanks, also those at which no
/// line is broken, and apostrophes.
const APART: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’'];

/// An amount, and what stands of a currency beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// The sign or the letters of the currency, as they are written.
    pub sign: Option<String>,
}

impl Money {
    /// Checks that what stands beside the amount is of the currency with these three letters.
    ///
    /// # Errors
    /// It is of another, or none that is known: what to write.
    pub fn must_be_of(&self, currency: &str) -> Result<(), String> {
        match &self.sign {
            Some(sign) if !may_be(sign, currency) => Err(format!(
                "{sign:?} stands beside the amount, and the currency is {currency}: write the same \
                 in both, or the amount alone, such as {}",
                self.amount
            )),
            _ => Ok(()),
        }
    }
}

/// Whether a sign or letters may be of a currency.
fn may_be(sign: &str, currency: &str) -> bool {
    let sign = sign.trim_end_matches('.').to_lowercase();
    let of_sign = SIGNS.iter().find(|(known, _)| *known == sign);
    sign == currency.to_lowercase() || of_sign.is_some_and(|(_, may)| may.contains(&currency))
}

impl FromStr for Money {
    type Err = String;

    /// Reads `15000`, `15.000,50 €`, `€15,000.50`, `EUR 15000`, `15 000,50 €`, `CHF 15'000.-`. An
    /// amount that can be read in two ways is refused, as one without a currency is.
    fn from_str(text: &str) -> Result<Money, String> {
        let wrong = || not_an_amount(text);
        let is_digit = |c: char| c.is_ascii_digit();
        let first = text.find(is_digit).ok_or_else(wrong)?;
        let last = text.rfind(is_digit).ok_or_else(wrong)?;
        let (before, figures) = (text[..first].trim(), &text[first..=last]);
        let behind = text[last + 1..].trim();
        let (dash, behind) = without_dash(behind);
        let sign = match (before, behind.trim()) {
            ("", "") => None,
            (sign, "") | ("", sign) if is_sign(sign) => Some(sign.to_owned()),
            _ => return Err(wrong()),
        };
        let amount = match dash {
            Some(separator) => whole(figures, separator).ok_or_else(wrong)?.parse()?,
            None => joined(figures).ok_or_else(wrong)?.parse()?,
        };
        Ok(Money { amount, sign })
    }
}

/// The separator before a dash that stands for no decimals, and what follows the dash.
fn without_dash(behind: &str) -> (Option<char>, &str) {
    let mut chars = behind.chars();
    let separator = chars.next().filter(|c| ",.".contains(*c));
    let rest = chars.as_str();
    let dash = NO_DECIMALS.iter().find_map(|dash| rest.strip_prefix(dash));
    match (separator, dash) {
        (Some(separator), Some(rest)) => (Some(separator), rest),
        _ => (None, behind),
    }
}

/// Whether it may be the sign or the letters of a currency, known or not.
fn is_sign(text: &str) -> bool {
    let has_letter = text
        .chars()
        .any(|c| c.is_alphabetic() || c == '$' || !c.is_ascii());
    has_letter && !text.contains([',', '+', '-', '/', '(', ')', '−'])
}

/// Figures without decimals, thousands set apart by anything but `decimal`; only the figures.
fn whole(figures: &str, decimal: char) -> Option<String> {
    let other = if decimal == ',' { '.' } else { ',' };
    let mut separators = APART.into_iter().chain([other]);
    let is_whole = is_number(figures) || separators.any(|it| is_grouped(figures, it));
    is_whole.then(|| digits(figures))
}

/// Figures as an amount is read; thousands that blanks or apostrophes set apart are joined.
fn joined(figures: &str) -> Option<String> {
    let Some(apart) = APART.into_iter().find(|it| figures.contains(*it)) else {
        return Some(figures.to_owned());
    };
    match figures.rsplit_once([',', '.']) {
        None => is_grouped(figures, apart).then(|| digits(figures)),
        Some((units, decimals)) => (is_grouped(units, apart) && is_number(decimals))
            .then(|| format!("{}.{decimals}", digits(units))),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
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
}
