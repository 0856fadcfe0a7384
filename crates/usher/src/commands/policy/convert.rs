//! Products and entitlements of the API as those of a policy, and back.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use usher_api::{Entitlement, EntitlementRequest, Metric, Product as Wire};
use usher_core::ledger::{Bound, Wall};
use usher_core::policy::{Field, Product, SETTINGS, Terms, Value};

use crate::commands::entitlement::details::{core_price, wire_price};
use crate::failure::Failure;

/// A product as a policy has it.
pub(super) fn product(wire: &Wire) -> Product {
    let json = serde_json::to_value(wire).unwrap_or_default();
    let mut product = Product::default();
    for setting in SETTINGS {
        let value = match json.get(setting.key) {
            Some(Json::String(text)) => Value::Text(text.clone()),
            Some(Json::Bool(flag)) => Value::Flag(*flag),
            Some(Json::Number(number)) => {
                let number = number
                    .as_u64()
                    .and_then(|number| u32::try_from(number).ok());
                Value::Number(number.unwrap_or(u32::MAX))
            }
            Some(Json::Array(items)) => {
                let texts = items.iter().filter_map(Json::as_str);
                Value::Texts(texts.map(str::to_owned).collect())
            }
            _ => continue,
        };
        product.set(setting.key, value);
    }
    product
}

/// A product as the API takes it.
pub(super) fn wire_product(id: &str, product: &Product) -> Result<Wire, Failure> {
    let mut json = Map::new();
    json.insert("id".to_owned(), id.into());
    for (key, value) in product.settings() {
        json.insert(key.to_owned(), json_of(value));
    }
    serde_json::from_value(json.into())
        .map_err(|error| Failure::failed(format!("cannot make a product of {id}: {error}")))
}

/// A value in JSON.
pub(super) fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Number(number) => (*number).into(),
        Value::Texts(texts) => texts.as_slice().into(),
    }
}

/// The name of an entitlement in a policy: its own, or its id if nobody named it.
pub(super) fn name(wire: &Entitlement) -> &str {
    wire.name.as_deref().unwrap_or(&wire.id)
}

/// An entitlement as a policy has it.
///
/// # Errors
/// It counts what this version of the form has no words for.
pub(super) fn terms(wire: &Entitlement) -> Result<Terms, Failure> {
    if wire.metric != Metric::Concurrent {
        return Err(Failure::failed(format!(
            "entitlement {} counts in another way than by concurrent seats, which this version has \
             no form for",
            name(wire)
        )));
    }
    let zone: Arc<str> = wire.time_zone.as_deref().unwrap_or("UTC").into();
    let bound = |day: &Option<String>, at: Option<Timestamp>| {
        let day = day.as_deref().and_then(|day| day.parse().ok());
        let day = day.map(|day| Bound::day(day, zone.clone()));
        day.or_else(|| at.map(|at| Bound::At(Wall(at.as_millisecond()))))
    };
    Ok(Terms {
        overdraft: wire.overdraft,
        from: bound(&wire.from_day, wire.from),
        to: bound(&wire.to_day, wire.to),
        price: wire.price.as_ref().map(core_price),
        contract: wire.contract.clone(),
        cost_centre: wire.cost_centre.clone(),
        notice_days: wire.notice_days,
        note: wire.note.clone(),
        ..Terms::of(&wire.product, wire.seats)
    })
}

/// A new entitlement as the API takes it. What is not said is not sent: a server of the version
/// before may not know it.
pub(super) fn new_request(name: &str, terms: &Terms) -> EntitlementRequest {
    EntitlementRequest {
        name: Some(Some(name.to_owned())),
        price: terms.price.as_ref().map(|price| Some(wire_price(price))),
        contract: terms.contract.clone().map(Some),
        cost_centre: terms.cost_centre.clone().map(Some),
        notice_days: terms.notice_days.map(Some),
        note: terms.note.clone().map(Some),
        ..plain_request(terms)
    }
}

/// A change of an entitlement as the API takes it: of what a request may leave out it says what
/// differs, and `name` if that is to be another.
pub(super) fn changed_request(
    name: Option<&str>,
    terms: &Terms,
    fields: &[Field],
) -> EntitlementRequest {
    let differs = |key: &str| fields.iter().any(|field| field.key == key);
    EntitlementRequest {
        name: name.map(|name| Some(name.to_owned())),
        price: differs("price").then(|| terms.price.as_ref().map(wire_price)),
        contract: differs("contract").then(|| terms.contract.clone()),
        cost_centre: differs("cost_centre").then(|| terms.cost_centre.clone()),
        notice_days: differs("notice_days").then_some(terms.notice_days),
        note: differs("note").then(|| terms.note.clone()),
        ..plain_request(terms)
    }
}

/// What every request says.
fn plain_request(terms: &Terms) -> EntitlementRequest {
    let text = |bound: &Bound| match (bound, bound.date()) {
        (_, Some(day)) => day.to_string(),
        (bound, None) => Timestamp::from_millisecond(bound.begins().0)
            .unwrap_or(Timestamp::MAX)
            .to_string(),
    };
    let (from, to) = (terms.from.as_ref(), terms.to.as_ref());
    let zone = from.and_then(Bound::zone).or(to.and_then(Bound::zone));
    EntitlementRequest {
        product: terms.product.clone(),
        seats: terms.seats,
        overdraft: terms.overdraft,
        from: from.map(text),
        to: to.map(text),
        time_zone: zone.map(|zone| zone.to_string()),
        ..EntitlementRequest::default()
    }
}

#[cfg(test)]
mod tests;
