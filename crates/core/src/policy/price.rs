//! Prices as people write them: an amount, a currency, and for how long it is paid.

use std::fmt;
use std::str::FromStr;

use super::amount::Amount;

/// What all seats of an entitlement cost together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The amount, in the price's currency.
    pub amount: Amount,
    /// In which currency: three capital letters.
    pub currency: String,
    /// For how long that is paid.
    pub per: Per,
}

/// For how long a price is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// Each year.
    Year,
    /// Each month.
    Month,
    /// Once, for as long as it is valid.
    Once,
}

impl Per {
    /// The words, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &["year", "month", "once"];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Per::Year => "year",
            Per::Month => "month",
            Per::Once => "once",
        }
    }
}

impl FromStr for Per {
    type Err = String;

    fn from_str(text: &str) -> Result<Per, String> {
        match text.to_lowercase().as_str() {
            "year" => Ok(Per::Year),
            "month" => Ok(Per::Month),
            "once" => Ok(Per::Once),
            _ => Err(format!("{text:?} is not year, month or once")),
        }
    }
}

/// Reads a currency: three letters of ISO 4217 in capitals or not, or the sign of one that only one
/// currency has. Answers it in capitals.
///
/// # Errors
/// Anything else, with what to write.
pub fn currency(text: &str) -> Result<String, String> {
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
    match text {
        "€" => Ok("EUR".to_owned()),
        _ if is_code => Ok(text.to_ascii_uppercase()),
        _ => Err(format!(
            "{text:?} is not a currency: write its three capital letters, such as EUR"
        )),
    }
}

impl FromStr for Price {
    type Err = String;

    /// Reads `12000 EUR/year`, `99,50 usd/month` or `5000 € once`.
    fn from_str(text: &str) -> Result<Price, String> {
        let apart = text.replace('€', " € ");
        let parts = apart.split(|c: char| c.is_whitespace() || c == '/');
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [amount, code, per] => {
                let amount: Amount = amount.parse()?;
                Ok(Price {
                    amount,
                    currency: currency(code)?,
                    per: per.parse()?,
                })
            }
            [amount, code] if amount.parse::<Amount>().is_ok() && currency(code).is_ok() => {
                Err(format!(
                    "{text:?} does not say for how long that is paid: write \
                     \"{amount} {code}/year\", \"{amount} {code}/month\" or \"{amount} {code} once\""
                ))
            }
            _ => Err(format!(
                "{text:?} is not a price: write it like \"12000 EUR/year\" or \"500 EUR once\""
            )),
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, currency) = (self.amount, &self.currency);
        match self.per {
            Per::Once => write!(f, "{amount} {currency} once"),
            per => write!(f, "{amount} {currency}/{}", per.word()),
        }
    }
}

#[cfg(test)]
mod tests;
