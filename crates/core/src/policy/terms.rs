//! What is owned: the terms of an entitlement, and its price.

use std::fmt;
use std::str::FromStr;

use super::settings::Value;
use crate::ledger::Bound;

/// The terms of an entitlement: concurrent seats of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Product id.
    pub product: String,
    /// Seats owned.
    pub seats: u32,
    /// Seats beyond those owned that may be in use.
    pub overdraft: u32,
    /// With what validity begins; none: always was.
    pub from: Option<Bound>,
    /// With what validity ends; none: never.
    pub to: Option<Bound>,
    /// What all its seats cost together.
    pub price: Option<Price>,
    /// The contract, order or invoice that it comes from.
    pub contract: Option<String>,
    /// Who pays for it.
    pub cost_centre: Option<String>,
    /// Days before its end by which notice is to be given.
    pub notice_days: Option<u32>,
    /// What else people should know of it.
    pub note: Option<String>,
}

impl Terms {
    /// So many seats of a product, and nothing else.
    pub fn of(product: &str, seats: u32) -> Terms {
        Terms {
            product: product.to_owned(),
            seats,
            overdraft: 0,
            from: None,
            to: None,
            price: None,
            contract: None,
            cost_centre: None,
            notice_days: None,
            note: None,
        }
    }

    /// Seats that may be in use, overdraft included.
    pub fn usable(&self) -> u64 {
        u64::from(self.seats) + u64::from(self.overdraft)
    }

    /// Each term by its key, in the order in which they are written; none if it is not said.
    pub(super) fn fields(&self) -> [(&'static str, Option<Value>); 10] {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let bound = |bound: &Option<Bound>| bound.as_ref().map(|it| Value::Text(written(it)));
        [
            ("product", Some(Value::Text(self.product.clone()))),
            ("seats", Some(Value::Number(self.seats))),
            ("overdraft", Some(Value::Number(self.overdraft))),
            ("from", bound(&self.from)),
            ("to", bound(&self.to)),
            (
                "price",
                self.price.as_ref().map(|it| Value::Text(it.to_string())),
            ),
            ("contract", text(&self.contract)),
            ("cost_centre", text(&self.cost_centre)),
            ("notice_days", self.notice_days.map(Value::Number)),
            ("note", text(&self.note)),
        ]
    }
}

/// An end of a validity as people read it: a day, with its zone unless that is UTC, or an instant.
pub(super) fn written(bound: &Bound) -> String {
    match bound {
        Bound::At(at) => instant(at.0),
        Bound::Day { zone, .. } => {
            let day = bound.date().map(|day| day.to_string()).unwrap_or_default();
            match &**zone {
                "UTC" => day,
                zone => format!("{day} ({zone})"),
            }
        }
    }
}

/// An instant in RFC 3339.
pub(super) fn instant(wall_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(wall_ms)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

/// What all seats of an entitlement cost together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// How much.
    pub amount: Amount,
    /// In which currency: three capital letters.
    pub currency: String,
    /// For how long that is paid.
    pub per: Per,
}

/// For how long a price is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        match text {
            "year" => Ok(Per::Year),
            "month" => Ok(Per::Month),
            "once" => Ok(Per::Once),
            _ => Err(format!("{text:?} is not year, month or once")),
        }
    }
}

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

impl FromStr for Amount {
    type Err = String;

    /// Reads `12000`, `1200.5` or `1200.50`.
    fn from_str(text: &str) -> Result<Amount, String> {
        let wrong = || {
            format!(
                "{text:?} is not an amount: write a number from 0 to {MOST_UNITS} with at most \
                 four decimals, such as 1200.50"
            )
        };
        let (units, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(units) || !is_number(decimals) {
            return Err(wrong());
        }
        // Zeros at the end say nothing.
        let decimals = decimals.trim_end_matches('0');
        if decimals.len() > 4 {
            return Err(wrong());
        }
        let units: u64 = units.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{decimals:0<4}").parse().map_err(|_| wrong())?;
        let ten_thousandths = units
            .checked_mul(UNIT)
            .and_then(|all| all.checked_add(part));
        ten_thousandths
            .filter(|all| *all <= MOST_UNITS * UNIT)
            .map(|ten_thousandths| Amount { ten_thousandths })
            .ok_or_else(wrong)
    }
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

impl FromStr for Price {
    type Err = String;

    /// Reads `12000 EUR/year`, `99.50 USD/month` or `5000 CHF once`.
    fn from_str(text: &str) -> Result<Price, String> {
        let wrong = || {
            format!("{text:?} is not a price: write it like \"12000 EUR/year\" or \"500 EUR once\"")
        };
        let parts = text.split([' ', '/']).filter(|part| !part.is_empty());
        let parts: Vec<&str> = parts.collect();
        let [amount, currency, per] = parts[..] else {
            return Err(wrong());
        };
        let price = Price {
            amount: amount.parse()?,
            currency: currency.to_owned(),
            per: per.parse().map_err(|_| wrong())?,
        };
        match is_currency(currency) {
            true => Ok(price),
            false => Err(wrong()),
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

/// Whether it has the form of ISO 4217: three capital letters.
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_as_it_is_written() {
        for (text, written) in [
            ("12000 EUR/year", "12000 EUR/year"),
            ("1200.5 EUR / month", "1200.50 EUR/month"),
            ("0.0001 JPY once", "0.0001 JPY once"),
            ("100000000000.000 USD/once", "100000000000 USD once"),
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
            "1 eur/year",
            "1 EURO/year",
            "1 EUR/week",
            "1. EUR/year",
            ".5 EUR/year",
            "1 EUR/year more",
        ] {
            assert!(wrong.parse::<Price>().is_err(), "{wrong:?}");
        }
    }
}
