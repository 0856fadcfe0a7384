//! An entitlement in the form of the API. Its name, price and the like are checked and stored as a
//! document.

use serde::Serialize;
use serde_json::{Map, Value};
use usher_api::{
    Entitlement, EntitlementRequest, Metric, NAME_LIMIT_BYTES, NOTE_LIMIT_BYTES, NOTICE_LIMIT_DAYS,
    Price,
};
use usher_core::ledger::{self, Bound, Details};

use crate::base::time::timestamp;
use crate::wire::input;
use crate::wire::problem::{self, Refusal};
use crate::wire::records;

/// The details after a request; none: it does not change them.
pub(crate) fn changed(
    request: &EntitlementRequest,
    before: &Details,
) -> Result<Option<Details>, Refusal> {
    let mut document = Document::of(before);
    let mut changes = document.text("contract", &request.contract, NAME_LIMIT_BYTES)?;
    changes |= document.text("cost_centre", &request.cost_centre, NAME_LIMIT_BYTES)?;
    changes |= document.text("note", &request.note, NOTE_LIMIT_BYTES)?;
    if let Some(days) = request.notice_days.flatten() {
        input::within("notice_days", days, 0, NOTICE_LIMIT_DAYS)?;
    }
    changes |= document.put("notice_days", request.notice_days);
    if let Some(price) = request.price.iter().flatten().next() {
        check_price(price)?;
    }
    changes |= document.put("price", request.price.as_ref().map(Option::as_ref));
    let name = match &request.name {
        None => before.name.clone(),
        Some(None) => None,
        Some(Some(name)) => Some(checked_name(name)?.into()),
    };
    if request.name.is_none() && !changes {
        return Ok(None);
    }
    Ok(Some(Details {
        name,
        document: document.written().into(),
    }))
}

/// An entitlement in the form of the API.
pub(crate) fn shown(view: &ledger::EntitlementView) -> Entitlement {
    let entitlement = &view.entitlement;
    let (from, to) = (entitlement.from.as_ref(), entitlement.to.as_ref());
    let day = |bound: &Bound| bound.date().map(|date| date.to_string());
    let zone = from.and_then(Bound::zone).or(to.and_then(Bound::zone));
    let ledger::Model::Concurrent { seats, overdraft } = entitlement.model;
    let said = said(&view.details);
    Entitlement {
        id: records::entitlement_id(entitlement.number),
        product: view.product.to_string(),
        metric: Metric::Concurrent,
        seats,
        overdraft,
        from: from.map(|from| timestamp(from.begins().0)),
        to: to.map(|to| timestamp(to.ends().0)),
        from_day: from.and_then(day),
        to_day: to.and_then(day),
        time_zone: zone.map(|zone| zone.to_string()),
        in_use: view.in_use,
        allotment: records::allotment_id(entitlement.allotment),
        name: said.name,
        price: said.price,
        contract: said.contract,
        cost_centre: said.cost_centre,
        notice_days: said.notice_days,
        note: said.note,
    }
}

/// The name, price and the like of an entitlement, each if it is set.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) name: Option<String>,
    pub(crate) price: Option<Price>,
    pub(crate) contract: Option<String>,
    pub(crate) cost_centre: Option<String>,
    pub(crate) notice_days: Option<u32>,
    pub(crate) note: Option<String>,
}

/// Reads the document. What only a later version can read is ignored.
pub(crate) fn said(details: &Details) -> Said {
    let Document(fields) = Document::of(details);
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let text = |name: &str| serde_json::from_value(field(name)).unwrap_or_default();
    Said {
        name: details.name.as_deref().map(str::to_owned),
        price: serde_json::from_value(field("price")).unwrap_or_default(),
        contract: text("contract"),
        cost_centre: text("cost_centre"),
        notice_days: serde_json::from_value(field("notice_days")).unwrap_or_default(),
        note: text("note"),
    }
}

/// The fields of the document; unknown ones of a later version are kept.
struct Document(Map<String, Value>);

impl Document {
    fn of(details: &Details) -> Document {
        Document(serde_json::from_str(&details.document).unwrap_or_default())
    }

    /// Sets or removes a text; an empty one removes it. Answers whether the request mentions the
    /// field.
    fn text(
        &mut self,
        field: &str,
        said: &usher_api::Said<String>,
        limit: usize,
    ) -> Result<bool, Refusal> {
        let Some(text) = said else { return Ok(false) };
        let text = text.as_deref().filter(|text| !text.is_empty());
        if let Some(text) = text {
            input::check_line(field, text, limit).map_err(Refusal::invalid)?;
        }
        Ok(self.put(field, Some(text)))
    }

    fn put(&mut self, field: &str, said: usher_api::Said<impl Serialize>) -> bool {
        match said {
            None => return false,
            Some(None) => drop(self.0.remove(field)),
            Some(Some(value)) => {
                let value = serde_json::to_value(value).unwrap_or_default();
                self.0.insert(field.to_owned(), value);
            }
        }
        true
    }

    fn written(&self) -> String {
        match self.0.is_empty() {
            true => String::new(),
            false => serde_json::to_string(&self.0).unwrap_or_default(),
        }
    }
}

fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = input::name("name", name)?;
    if records::entitlement_number(&name).is_some() {
        return Err(Refusal::invalid(format!(
            "`name` is {}, the form of the ids that a server gives by itself: choose a name such \
             as cad-2026",
            problem::shown(&name)
        )));
    }
    Ok(name.into_owned())
}

fn check_price(price: &Price) -> Result<(), Refusal> {
    let is_code =
        price.currency.len() == 3 && price.currency.bytes().all(|b| b.is_ascii_uppercase());
    if !is_code {
        return Err(Refusal::invalid(format!(
            "`currency` is {}: give three capital letters, such as EUR",
            problem::shown(&price.currency)
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str) -> EntitlementRequest {
        let json = format!(r#"{{"product": "cad", "seats": 1{json}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn details(json: &str, before: &Details) -> Option<Details> {
        changed(&request(json), before).unwrap()
    }

    #[test]
    fn what_is_not_said_stays_and_what_is_null_goes() {
        let none = Details::default();
        assert_eq!(details("", &none), None);
        let first = r#", "name": "cad-2026", "contract": "A-1", "notice_days": 90,
            "price": {"amount": 1200.5, "currency": "EUR", "per": "year"}"#;
        let first = details(first, &none).unwrap();
        assert_eq!(details("", &first), None, "an older program says nothing");
        let second = details(
            r#", "contract": null, "note": "x", "cost_centre": """#,
            &first,
        );
        let second = second.unwrap();
        assert_eq!(second.name.as_deref(), Some("cad-2026"));
        assert_eq!(
            &*second.document,
            r#"{"note":"x","notice_days":90,"price":{"amount":1200.5,"currency":"EUR","per":"year"}}"#
        );
        let all_gone = r#", "name": null, "note": null, "notice_days": null, "price": null"#;
        assert_eq!(details(all_gone, &second), Some(Details::default()));
    }

    #[test]
    fn what_a_later_version_wrote_stays() {
        let later = Details {
            name: None,
            document: r#"{"model":{"suite":{}},"note":"x"}"#.into(),
        };
        let changed = details(r#", "note": "y""#, &later).unwrap();
        assert_eq!(&*changed.document, r#"{"model":{"suite":{}},"note":"y"}"#);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let long = format!(r#", "note": "{}""#, "x".repeat(1_001));
        for wrong in [
            r#", "name": """#,
            r#", "name": "E12""#,
            r#", "name": "a\nb""#,
            r#", "notice_days": 3651"#,
            r#", "price": {"amount": 1, "currency": "eur", "per": "year"}"#,
            &long,
        ] {
            assert!(
                changed(&request(wrong), &Details::default()).is_err(),
                "{wrong}"
            );
        }
        let name = r#", "name": "E-12""#;
        assert!(changed(&request(name), &Details::default()).is_ok());
    }
}
