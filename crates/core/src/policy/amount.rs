//! Amounts of money: read with a decimal point or a decimal comma, and refused if it is not clear
//! which of them it is.

use std::fmt;
use std::str::FromStr;

/// An amount of money, exact to four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// In ten-thousandths of the currency's unit.
    pub ten_thousandths: u64,
}

/// Ten-thousandths of a currency's unit.
const UNIT: u64 = 10_000;
/// The most units of a currency.
const MOST_UNITS: u64 = 100_000_000_000;

impl Amount {
    /// The amount with at least two decimals.
    fn with_decimals(self) -> String {
        match self.ten_thousandths % UNIT {
            0 => format!("{self}.00"),
            _ => self.to_string(),
        }
    }
}

impl FromStr for Amount {
    type Err = String;

    /// Reads `12000`, `1200.5`, `1200,50`, `12.000,50` or `12,000.50`. With three digits behind its
    /// only separator, as in `12.000`, an amount may be twelve thousand or twelve: it is refused.
    fn from_str(text: &str) -> Result<Amount, String> {
        let wrong = || not_an_amount(text);
        let (units, decimals) = Written::of(text).ok_or_else(wrong)?.parts();
        let amount = exact(&units, &decimals).ok_or_else(wrong)?;
        match is_unclear(text) {
            false => Ok(amount),
            true => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                let whole = exact(&digits, "").ok_or_else(wrong)?;
                Err(format!(
                    "{text:?} can be read in two ways: write {whole} or {}",
                    amount.with_decimals()
                ))
            }
        }
    }
}

/// That a text is no amount, and what to write.
pub(super) fn not_an_amount(text: &str) -> String {
    format!(
        "{text:?} is not an amount: write a number from 0 to {MOST_UNITS} with at most four \
         decimals, such as 1200.50"
    )
}

/// An amount as it is written, by what its separators are.
enum Written<'a> {
    /// Without decimals; digits in groups.
    Whole(&'a str),
    /// With decimals behind a separator.
    Decimal(&'a str, &'a str),
}

impl<'a> Written<'a> {
    /// None: it has no form that an amount has.
    fn of(text: &'a str) -> Option<Written<'a>> {
        let (points, commas) = (text.matches('.').count(), text.matches(',').count());
        let (grouping, decimal) = match (points, commas) {
            (0, 0) => return is_number(text).then_some(Written::Whole(text)),
            (1, 0) => (None, '.'),
            (0, 1) => (None, ','),
            // One that stands more than once sets thousands apart.
            (_, 0) => return is_grouped(text, '.').then_some(Written::Whole(text)),
            (0, _) => return is_grouped(text, ',').then_some(Written::Whole(text)),
            // Of both, the one that stands once and last is that of the decimals.
            (_, 1) if text.rfind('.') < text.find(',') => (Some('.'), ','),
            (1, _) if text.rfind(',') < text.find('.') => (Some(','), '.'),
            _ => return None,
        };
        let (units, decimals) = text.split_once(decimal)?;
        let is_whole = grouping.map_or_else(|| is_number(units), |it| is_grouped(units, it));
        (is_whole && is_number(decimals)).then_some(Written::Decimal(units, decimals))
    }

    /// Its digits before and behind the decimal separator.
    fn parts(&self) -> (String, String) {
        let (units, decimals) = match self {
            Written::Whole(units) => (*units, ""),
            Written::Decimal(units, decimals) => (*units, *decimals),
        };
        let units = units.chars().filter(char::is_ascii_digit).collect();
        (units, decimals.to_owned())
    }
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether these are digits in groups of three; the first may have fewer.
pub(super) fn is_grouped(text: &str, separator: char) -> bool {
    let mut groups = text.split(separator);
    let first = groups.next().unwrap_or_default();
    let is_first = is_number(first) && first.len() <= 3;
    is_first && groups.all(|group| group.len() == 3 && is_number(group))
}

/// Whether the only separator may be that of decimals and that of thousands.
fn is_unclear(text: &str) -> bool {
    let separators = text.matches(['.', ',']).count();
    let is_of_thousands = is_grouped(text, '.') || is_grouped(text, ',');
    separators == 1 && is_of_thousands && !text.starts_with('0')
}

/// The amount of these digits; none: it is more than there is, or finer.
fn exact(units: &str, decimals: &str) -> Option<Amount> {
    // Zeros at the end say nothing.
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > 4 {
        return None;
    }
    let units: u64 = units.parse().ok()?;
    let part: u64 = format!("{decimals:0<4}").parse().ok()?;
    let ten_thousandths = units.checked_mul(UNIT)?.checked_add(part)?;
    (ten_thousandths <= MOST_UNITS * UNIT).then_some(Amount { ten_thousandths })
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, part) = (self.ten_thousandths / UNIT, self.ten_thousandths % UNIT);
        match (part, part % 100) {
            (0, _) => write!(f, "{units}"),
            (_, 0) => write!(f, "{units}.{:02}", part / 100),
            _ => write!(f, "{units}.{part:04}"),
        }
    }
}

#[cfg(test)]
mod tests;
