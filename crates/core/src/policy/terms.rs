//! What is owned: the terms of an entitlement.

use super::price::Price;
use super::settings::{Range, Value};
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
    /// The first instant or day of validity; none: it always was valid.
    pub from: Option<Bound>,
    /// The last day of validity, or the instant at which it ends; none: it never ends.
    pub to: Option<Bound>,
    /// What all its seats cost together.
    pub price: Option<Price>,
    /// The contract, order or invoice that it comes from.
    pub contract: Option<String>,
    /// Who pays for it.
    pub cost_centre: Option<String>,
    /// Days before its end by which notice is to be given.
    pub notice_days: Option<u32>,
    /// A note for people.
    pub note: Option<String>,
}

impl Terms {
    /// The range of seats and of overdraft, however they are entered. An entitlement with 0 seats
    /// keeps its contract and other terms, and grants nothing.
    pub const SEATS: Range = Range {
        least: 0,
        most: 1_000_000_000,
        usual: 0,
        or_zero: false,
    };

    /// The terms of so many seats of a product, and nothing else.
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

    /// Each term by its key, in the order in which they are written; none if it is not set.
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

/// One end of a validity as people read it: a day, with its time zone unless that is UTC, or an
/// instant.
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
