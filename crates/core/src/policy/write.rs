//! Writes a policy as people write it: with headings, and without settings that have their default.

use std::collections::BTreeMap;

use super::read::VERSION;
use super::settings::{Kind, SETTINGS, Value};
use super::spelling::span;
use super::terms::{Terms, instant};
use super::whole::{Policy, Product};
use crate::ledger::Bound;

/// The lines at the beginning of each text.
pub fn heading() -> String {
    format!(
        "# What is metered and owned. `usher policy diff` compares it with a server,\n\
         # `usher policy apply` makes the server so. What is not said is as usual.\n\
         policy = {VERSION}\n"
    )
}

/// The products in the order of their ids, each with its entitlements, as parts of a text: a
/// heading before one or more of them makes a whole one. Entitlements of no product come last.
pub fn parts(policy: &Policy) -> Vec<String> {
    let mut owned: BTreeMap<&str, Vec<(&String, &Terms)>> = BTreeMap::new();
    for (name, terms) in &policy.entitlements {
        owned.entry(&terms.product).or_default().push((name, terms));
    }
    let mut parts = Vec::new();
    for (id, product) in &policy.products {
        let mut text = String::new();
        put_product(&mut text, id, product);
        for (name, terms) in owned.remove(id.as_str()).unwrap_or_default() {
            put_terms(&mut text, name, terms);
        }
        parts.push(text);
    }
    for (name, terms) in owned.into_values().flatten() {
        let mut text = String::new();
        put_terms(&mut text, name, terms);
        parts.push(text);
    }
    parts
}

/// The whole policy as one text.
pub fn whole(policy: &Policy) -> String {
    let parts = parts(policy);
    std::iter::once(heading()).chain(parts).collect()
}

fn put_product(text: &mut String, id: &str, product: &Product) {
    let title = match product.text("name") {
        "" => id.to_owned(),
        name => format!("{id}: {name}"),
    };
    *text += &format!("\n# {}\n\n[[product]]\nid = {}\n", seen(&title), quoted(id));
    for setting in SETTINGS {
        let Some(value) = product
            .get(setting.key)
            .filter(|it| **it != setting.usual())
        else {
            continue;
        };
        let value = match (value, setting.kind) {
            (Value::Number(seconds), Kind::Seconds(_)) => quoted(&span(*seconds)),
            (value, _) => plain(value),
        };
        *text += &format!("{} = {value}\n", setting.key);
    }
}

fn put_terms(text: &mut String, name: &str, terms: &Terms) {
    *text += "\n[[entitlement]]\n";
    let mut put = |key: &str, value: String| *text += &format!("{key} = {value}\n");
    put("name", quoted(name));
    put("product", quoted(&terms.product));
    put("seats", terms.seats.to_string());
    if terms.overdraft > 0 {
        put("overdraft", terms.overdraft.to_string());
    }
    let ends = [("from", &terms.from), ("to", &terms.to)];
    for (key, bound) in ends {
        if let Some(bound) = bound {
            put(key, date(bound));
        }
    }
    let zone = ends.iter().find_map(|(_, bound)| bound.as_ref()?.zone());
    if let Some(zone) = zone.filter(|zone| ***zone != *"UTC") {
        put("time_zone", quoted(zone));
    }
    if let Some(price) = &terms.price {
        put(
            "price",
            format!(
                "{{ amount = {}, currency = {}, per = {} }}",
                price.amount,
                quoted(&price.currency),
                quoted(price.per.word())
            ),
        );
    }
    let texts = [
        ("contract", &terms.contract),
        ("cost_centre", &terms.cost_centre),
        ("note", &terms.note),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            put(key, quoted(value));
        }
    }
    if let Some(days) = terms.notice_days {
        put("notice_days", days.to_string());
    }
}

/// A day or an instant, in TOML's own types.
fn date(bound: &Bound) -> String {
    match bound {
        Bound::At(at) => instant(at.0),
        Bound::Day { .. } => bound.date().map(|day| day.to_string()).unwrap_or_default(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Texts(texts) => match &texts[..] {
            [] => "[]".to_owned(),
            [one] => format!("[{}]", quoted(one)),
            many => {
                let lines = many.iter().map(|text| format!("  {},\n", quoted(text)));
                format!("[\n{}]", lines.collect::<String>())
            }
        },
    }
}

/// A text as a TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text made fit for the line of a comment.
fn seen(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
