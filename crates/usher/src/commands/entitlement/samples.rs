//! Entitlements for tests.

use usher_api::Entitlement as Wire;

/// Seats of cad; with days, in UTC.
pub(super) fn wire(id: &str, seats: u32, days: Option<(&str, &str)>) -> Wire {
    let at = |day: &str, hour: &str| format!("{day}T{hour}:00:00Z");
    let mut text = serde_json::json!({
        "id": id, "product": "cad", "metric": "concurrent", "seats": seats, "overdraft": 0,
        "in_use": 0, "allotment": "A1",
    });
    if let Some((from, to)) = days {
        text["from"] = at(from, "00").into();
        text["from_day"] = from.into();
        text["to_day"] = to.into();
        text["time_zone"] = "UTC".into();
        let day: jiff::civil::Date = to.parse().unwrap();
        text["to"] = at(&day.tomorrow().unwrap().to_string(), "00").into();
    }
    serde_json::from_value(text).unwrap()
}
