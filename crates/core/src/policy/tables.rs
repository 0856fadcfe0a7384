//! The tables of a text: a product and its settings, an entitlement and its terms.

use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::amount::Amount;
use super::fields::{Fields, LINE_LIMIT_BYTES, Page};
use super::price::{Per, Price, currency};
use super::settings::{Kind, Range, SETTINGS, Value};
use super::terms::Terms;
use super::whole::Product;
use crate::identify::Rule;
use crate::ledger::Bound;

/// The largest number of program rules of a product.
const RULES_LIMIT: usize = 1_000;
/// The longest note, in bytes.
const NOTE_LIMIT_BYTES: usize = 1_000;
/// The keys of an entitlement.
const TERMS: [&str; 14] = [
    "name",
    "was",
    "product",
    "seats",
    "overdraft",
    "metric",
    "from",
    "to",
    "time_zone",
    "price",
    "contract",
    "cost_centre",
    "notice_days",
    "note",
];

const fn range(least: u32, most: u32) -> Range {
    Range {
        least,
        most,
        usual: least,
        or_zero: false,
    }
}

/// A time zone by its name; none if there is no such field or no such zone.
pub(super) fn zone(page: &mut Page<'_>, fields: Fields<'_, '_>) -> Option<String> {
    let name = page.name(fields, "time_zone")?;
    if TimeZone::get(&name).is_ok() {
        return Some(name);
    }
    page.fault(
        fields.at_key("time_zone"),
        format!("{name:?} is no time zone known here: give an IANA name such as Europe/Berlin"),
    );
    None
}

/// Whether the text can be a product's id.
pub(super) fn may_be_id(id: &str) -> bool {
    !id.contains(|c: char| c.is_whitespace() || c == '/') && id != "." && id != ".."
}

/// Reads a product: its id, if it has one, and its settings as far as they are valid.
pub(super) fn product(page: &mut Page<'_>, fields: Fields<'_, '_>) -> (Option<String>, Product) {
    let keys: Vec<&str> = std::iter::once("id")
        .chain(SETTINGS.iter().map(|it| it.key))
        .collect();
    page.only(fields, &keys);
    let id = page.needed(fields, "id", "product");
    if let Some(id) = &id
        && !may_be_id(id)
    {
        page.fault(
            fields.at_key("id"),
            format!("the id {id:?} has blanks or `/`, or no path can name it: write one such as acme-cad"),
        );
    }
    let mut product = Product::default();
    for setting in SETTINGS {
        let key = setting.key;
        let value = match setting.kind {
            Kind::Text => page.text(fields, key, LINE_LIMIT_BYTES).map(Value::Text),
            Kind::Word(words) => page
                .word(fields, key, words)
                .map(|word| Value::Text(word.to_owned())),
            Kind::Flag(_) => page.flag(fields, key).map(Value::Flag),
            Kind::Count(range) => page.number(fields, key, range).map(Value::Number),
            Kind::Seconds(range) => page.seconds(fields, key, range).map(Value::Number),
            Kind::Rules => rules(page, fields, key).map(Value::Texts),
        };
        if let Some(value) = value {
            product.set(key, value);
        }
    }
    (id, product)
}

fn rules(page: &mut Page<'_>, fields: Fields<'_, '_>, key: &str) -> Option<Vec<String>> {
    let texts = page.texts(fields, key)?;
    if texts.len() > RULES_LIMIT {
        let what = format!(
            "`{key}` has {} rules: give at most {RULES_LIMIT}",
            texts.len()
        );
        page.fault(fields.at_key(key), what);
    }
    for (at, text) in &texts {
        if let Err(error) = Rule::parse(text) {
            page.fault(*at, error.to_string());
        }
    }
    Some(texts.into_iter().map(|(_, text)| text).collect())
}

/// Reads an entitlement: its name, its former name and its terms. None if it lacks a name or a
/// product.
pub(super) fn entitlement(
    page: &mut Page<'_>,
    fields: Fields<'_, '_>,
    zone_of_text: &str,
) -> Option<(String, Option<String>, Terms)> {
    page.only(fields, &TERMS);
    let name = page.needed(fields, "name", "entitlement");
    let was = page.name(fields, "was");
    let product = page.needed(fields, "product", "entitlement");
    page.word(fields, "metric", &["concurrent"]);
    page.must_have(fields, "seats", "entitlement");
    let mut terms = Terms::of(product.as_deref().unwrap_or_default(), 0);
    terms.seats = page.number(fields, "seats", Terms::SEATS).unwrap_or(0);
    terms.overdraft = page.number(fields, "overdraft", Terms::SEATS).unwrap_or(0);
    let own_zone = zone(page, fields);
    let zone = own_zone.as_deref().unwrap_or(zone_of_text);
    terms.from = page.bound(fields, "from", zone).flatten();
    terms.to = page.bound(fields, "to", zone).flatten();
    let (from, to) = (terms.from.as_ref(), terms.to.as_ref());
    if let (Some(from), Some(to)) = (from, to)
        && to.ends() <= from.begins()
    {
        page.fault(fields.at_key("to"), "it would end before it begins");
    }
    let is_day = |bound: Option<&Bound>| bound.is_some_and(|it| it.date().is_some());
    if own_zone.is_some() && !is_day(from) && !is_day(to) {
        page.fault(
            fields.at_key("time_zone"),
            "`time_zone` has no effect: neither `from` nor `to` is a day",
        );
    }
    let line = |page: &mut Page<'_>, key, limit| {
        let text = page.text(fields, key, limit);
        text.filter(|text| !text.is_empty())
    };
    terms.contract = line(page, "contract", LINE_LIMIT_BYTES);
    terms.cost_centre = line(page, "cost_centre", LINE_LIMIT_BYTES);
    terms.note = line(page, "note", NOTE_LIMIT_BYTES);
    terms.notice_days = page.number(fields, "notice_days", range(0, 3_650));
    terms.price = price(page, fields);
    product.and(name).map(|name| (name, was, terms))
}

fn price(page: &mut Page<'_>, fields: Fields<'_, '_>) -> Option<Price> {
    const LIKE: &str = "{ amount = 12000, currency = \"EUR\", per = \"year\" }";
    const KEYS: [&str; 3] = ["amount", "currency", "per"];
    let found = fields.find("price")?;
    let at = found.span().start;
    let DeValue::Table(table) = found.get_ref() else {
        page.fault(at, format!("`price` is to be like {LIKE}"));
        return None;
    };
    let fields = Fields::of(table, at);
    page.only(fields, &KEYS);
    for key in KEYS.iter().filter(|key| fields.find(key).is_none()) {
        page.fault(at, format!("`price` has no `{key}`: write it like {LIKE}"));
    }
    let amount = amount(page, fields);
    let currency = page
        .text(fields, "currency", LINE_LIMIT_BYTES)
        .and_then(|text| {
            let read = currency(&text);
            if let Err(why) = &read {
                page.fault(fields.at_key("currency"), why.as_str());
            }
            read.ok()
        });
    let per = page.word(fields, "per", Per::WORDS)?.parse().ok()?;
    Some(Price {
        amount: amount?,
        currency: currency?,
        per,
    })
}

/// Reads a number, or an amount as people write it.
fn amount(page: &mut Page<'_>, fields: Fields<'_, '_>) -> Option<Amount> {
    let text = match fields.find("amount")?.get_ref() {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => String::new(),
    };
    let amount = text.parse::<Amount>();
    if let Err(why) = &amount {
        page.fault(fields.at_key("amount"), why.as_str());
    }
    amount.ok()
}
