//! A policy has all that the API has, and the other way round.

use usher_api::{
    CLAIM_LIMIT_SECONDS, GRACE_LIMITS_SECONDS, IDLE_LIMITS_SECONDS, IMPOSSIBLE_LIMIT_SECONDS,
};
use usher_core::policy::Kind;

use super::*;

fn plain(id: &str) -> Wire {
    serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
}

#[test]
fn a_policy_has_every_setting_of_a_product_and_what_it_usually_is() {
    let usual = product(&plain("cad"));
    assert_eq!(usual, Product::default());
    let json = serde_json::to_value(plain("cad")).unwrap();
    for key in json.as_object().unwrap().keys() {
        // The id is the product's name in a policy; force is never kept.
        let is_setting = SETTINGS.iter().any(|it| it.key == key);
        assert!(
            is_setting || key == "id" || key == "force",
            "{key} has no setting"
        );
    }
    assert_eq!(wire_product("cad", &usual).unwrap(), plain("cad"));
}

#[test]
fn a_policy_takes_what_the_api_takes() {
    for (key, least, most) in [
        ("impossible_seconds", 1, IMPOSSIBLE_LIMIT_SECONDS),
        ("claim_seconds", 1, CLAIM_LIMIT_SECONDS),
        (
            "grace_seconds",
            GRACE_LIMITS_SECONDS.0,
            GRACE_LIMITS_SECONDS.1,
        ),
        ("idle_seconds", IDLE_LIMITS_SECONDS.0, IDLE_LIMITS_SECONDS.1),
    ] {
        let setting = SETTINGS.iter().find(|it| it.key == key).unwrap();
        let Kind::Seconds(range) = setting.kind else {
            panic!("{key} is no duration")
        };
        assert_eq!((range.least, range.most), (least, most), "{key}");
    }
    for setting in SETTINGS {
        let Kind::Word(words) = setting.kind else {
            continue;
        };
        for word in words {
            let mut product = Product::default();
            product.set(setting.key, Value::Text((*word).to_owned()));
            let wire = wire_product("cad", &product);
            assert!(wire.is_ok(), "{}: {word}: {wire:?}", setting.key);
        }
    }
}

#[test]
fn an_answer_of_an_older_server_is_an_entitlement_that_nobody_named() {
    let wire: Entitlement = serde_json::from_value(serde_json::json!({
        "id": "E7", "product": "cad", "metric": "concurrent", "seats": 3, "overdraft": 1,
        "from": "2025-12-31T23:00:00Z", "to": null, "from_day": "2026-01-01",
        "time_zone": "Europe/Berlin", "in_use": 2, "allotment": "A7",
    }))
    .unwrap();
    assert_eq!(name(&wire), "E7");
    let found = terms(&wire).unwrap();
    assert_eq!(found.usable(), 4);
    let request = serde_json::to_value(changed_request(None, &found, &[])).unwrap();
    assert_eq!(
        request,
        serde_json::json!({
            "product": "cad", "metric": "concurrent", "seats": 3, "overdraft": 1,
            "from": "2026-01-01", "time_zone": "Europe/Berlin",
        }),
        "what an older server does not know is not sent"
    );
}
