//! The changes as text for people.

use std::fmt;

use jiff::Span;

use super::difference::{Change, Field};
use super::settings::{Kind, SETTINGS, Value};
use super::spelling::span;
use super::terms::{Terms, written};
use super::whole::Product;
use crate::concerns::counted;
use crate::ledger::Bound;

impl fmt::Display for Change {
    /// The change as the end of "it would ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::AddProduct { id, product } => {
                write!(f, "add product {id}{}", described(product))
            }
            Change::ChangeProduct { id, fields, .. } => {
                write!(f, "change product {id}: {}", differing(fields))
            }
            Change::RemoveProduct { id, product } => {
                write!(f, "remove product {id}{}", described(product))
            }
            Change::AddEntitlement { name, terms } => write!(f, "add {name}: {}", owned(terms)),
            Change::ChangeEntitlement {
                name, was, fields, ..
            } => match (was, fields.is_empty()) {
                (None, _) => write!(f, "change {name}: {}", differing(fields)),
                (Some(was), true) => write!(f, "rename {was} to {name}"),
                (Some(was), false) => {
                    write!(
                        f,
                        "rename {was} to {name}, and change {}",
                        differing(fields)
                    )
                }
            },
            Change::RemoveEntitlement { name, terms } => {
                write!(f, "remove {name}: {}", owned(terms))
            }
        }
    }
}

fn described(product: &Product) -> String {
    let name = match product.text("name") {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    let rules = match product.get("programs") {
        Some(Value::Texts(rules)) => rules.len() as u64,
        _ => 0,
    };
    let mode = match product.text("mode") {
        "enforce" => "enforced",
        _ => "tracked",
    };
    format!("{name}, {mode}, with {}", counted(rules, "program rule"))
}

/// `25 seats of cad, and 2 of overdraft, from 2026-01-01 to 2026-12-31, 12000 EUR/year, contract
/// A-4711, cost centre 4200, notice by 2026-10-02, for the lab`: all that is known of it, as nothing
/// brings back what is removed.
fn owned(terms: &Terms) -> String {
    let seats = counted(terms.seats.into(), "seat");
    let mut text = format!("{seats} of {}", terms.product);
    if terms.overdraft > 0 {
        text += &format!(", and {} of overdraft,", terms.overdraft);
    }
    if let Some(from) = &terms.from {
        text += &format!(" from {}", written(from));
    }
    if let Some(to) = &terms.to {
        text += &format!(" to {}", written(to));
    }
    let mut text = text.trim_end_matches(',').to_owned();
    let price = terms.price.as_ref().map(ToString::to_string);
    let contract = terms.contract.as_ref().map(|it| format!("contract {it}"));
    let cost_centre = terms.cost_centre.as_ref();
    let cost_centre = cost_centre.map(|it| format!("cost centre {it}"));
    let also = [
        price,
        contract,
        cost_centre,
        notice(terms),
        terms.note.clone(),
    ];
    for also in also.into_iter().flatten() {
        text += &format!(", {also}");
    }
    text
}

/// The day by which notice is to be given; if the end is not a day, how long before it.
fn notice(terms: &Terms) -> Option<String> {
    let days = terms.notice_days?;
    let before = Span::new().try_days(i64::from(days)).ok();
    let last = terms.to.as_ref().and_then(Bound::date);
    let by = before.and_then(|before| last?.checked_sub(before).ok());
    Some(match by {
        Some(day) => format!("notice by {day}"),
        None => format!("notice {} before its end", counted(days.into(), "day")),
    })
}

fn differing(fields: &[Field]) -> String {
    let texts: Vec<String> = fields.iter().map(Field::to_string).collect();
    texts.join("; ")
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key;
        if let (Some(Value::Texts(before)), Some(Value::Texts(after))) = (&self.before, &self.after)
        {
            return f.write_str(&lists(key, before, after));
        }
        match (&self.before, &self.after) {
            (before, None) => write!(f, "{key} no longer {}", said(key, before)),
            (None, after) => write!(f, "{key} {}", said(key, after)),
            (before, after) => {
                write!(
                    f,
                    "{key} from {} to {}",
                    said(key, before),
                    said(key, after)
                )
            }
        }
    }
}

/// The entries that only one of two lists has.
fn lists(key: &str, before: &[String], after: &[String]) -> String {
    let without = |some: &[String], others: &[String]| {
        let only = some.iter().filter(|text| !others.contains(text));
        only.map(String::as_str).collect::<Vec<_>>().join(" and ")
    };
    match (without(after, before), without(before, after)) {
        (more, less) if more.is_empty() && less.is_empty() => format!("{key} in another order"),
        (more, less) if less.is_empty() => format!("{key} with {more}"),
        (more, less) if more.is_empty() => format!("{key} without {less}"),
        (more, less) => format!("{key} with {more}, without {less}"),
    }
}

fn said(key: &str, value: &Option<Value>) -> String {
    match value {
        None => "unsaid".to_owned(),
        Some(Value::Text(text)) if text.is_empty() => "nothing".to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Flag(flag)) => flag.to_string(),
        Some(Value::Number(number)) if is_duration(key) => span(*number),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Texts(texts)) => texts.join(" and "),
    }
}

fn is_duration(key: &str) -> bool {
    let mut settings = SETTINGS.iter();
    settings.any(|it| it.key == key && matches!(it.kind, Kind::Seconds(_)))
}
