//! What an entitlement costs.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// What all seats of an entitlement cost together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// How much: a number from 0 to 100,000,000,000 with at most four decimals.
    #[schema(value_type = f64)]
    pub amount: Amount,
    /// In which currency: three capital letters of ISO 4217, such as EUR.
    pub currency: String,
    /// The period that the amount pays for.
    pub per: Per,
}

impl Price {
    /// Sums prices of the same currency and period, in the order of their first occurrence.
    pub fn sums(prices: impl IntoIterator<Item = Price>) -> Vec<Price> {
        let mut sums: Vec<Price> = Vec::new();
        for price in prices {
            let is_like = |it: &&mut Price| (&it.currency, it.per) == (&price.currency, price.per);
            match sums.iter_mut().find(is_like) {
                Some(sum) => {
                    let both = sum.amount.ten_thousandths + price.amount.ten_thousandths;
                    sum.amount.ten_thousandths = both.min(Amount::MAX_TEN_THOUSANDTHS);
                }
                None => sums.push(price),
            }
        }
        sums
    }
}

/// The period that a price pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A year: the amount is paid each year.
    Year,
    /// A month: the amount is paid each month.
    Month,
    /// The whole validity: the amount is paid once.
    Once,
}

/// An amount of money, exact to four decimals; a number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// The amount in ten-thousandths of the currency's unit.
    pub ten_thousandths: u64,
}

impl Amount {
    /// The largest amount, in ten-thousandths: up to it, a JSON number is exact to four decimals.
    pub const MAX_TEN_THOUSANDTHS: u64 = 100_000_000_000 * UNIT;

    fn of(number: f64) -> Option<Amount> {
        let ten_thousandths = number * UNIT as f64;
        let whole = ten_thousandths.round();
        // A number of JSON is off by half of its last bit, and so is its product.
        let off = 0.001 + 2.0 * f64::EPSILON * ten_thousandths.abs();
        let is_exact = (ten_thousandths - whole).abs() < off;
        let is_within = (0.0..=Self::MAX_TEN_THOUSANDTHS as f64).contains(&whole);
        (is_exact && is_within).then_some(Amount {
            ten_thousandths: whole as u64,
        })
    }
}

/// Ten-thousandths of a currency's unit.
const UNIT: u64 = 10_000;

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.ten_thousandths % UNIT {
            0 => serializer.serialize_u64(self.ten_thousandths / UNIT),
            _ => serializer.serialize_f64(self.ten_thousandths as f64 / UNIT as f64),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Amount::of(number).ok_or_else(|| {
            let expected = "an amount from 0 to 100000000000 with at most four decimals";
            D::Error::invalid_value(Unexpected::Float(number), &expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_one_currency_and_time_are_added_up() {
        let price = |amount: u64, currency: &str, per| Price {
            amount: Amount {
                ten_thousandths: amount * UNIT,
            },
            currency: currency.into(),
            per,
        };
        let sums = Price::sums([
            price(10, "EUR", Per::Year),
            price(5, "USD", Per::Year),
            price(7, "EUR", Per::Once),
            price(3, "EUR", Per::Year),
        ]);
        let expected = [
            price(13, "EUR", Per::Year),
            price(5, "USD", Per::Year),
            price(7, "EUR", Per::Once),
        ];
        assert_eq!(sums, expected);
    }

    #[test]
    fn an_amount_is_read_back_as_it_was_written_to_four_decimals() {
        for text in ["0", "12000", "1200.5", "0.0001", "99999999999.9999", "0.1"] {
            let amount: Amount = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&amount).unwrap(), text);
        }
        let largest = Amount {
            ten_thousandths: Amount::MAX_TEN_THOUSANDTHS,
        };
        let text = serde_json::to_string(&largest).unwrap();
        assert_eq!(text, "100000000000");
        assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), largest);
        for wrong in [
            "-1",
            "0.00001",
            "100000000000.0001",
            "1e300",
            "\"12\"",
            "null",
        ] {
            assert!(serde_json::from_str::<Amount>(wrong).is_err(), "{wrong}");
        }
    }
}
