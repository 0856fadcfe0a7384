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
    /// The amount.
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
mod tests;
