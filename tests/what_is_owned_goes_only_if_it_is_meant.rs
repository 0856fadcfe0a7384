//! What is owned is known by its name, and goes only if that is meant: what goes with it is said.

use serde_json::{Value, json};

use crate::policies::{entitlements, write};
use crate::support::{Ended, Folder, Running, finish, said, wait_for};

#[test]
fn a_name_is_one_entitlements_also_by_hand_and_in_a_spreadsheet() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let add = [
        "entitlement",
        "add",
        "cad",
        "--seats",
        "2",
        "--name",
        "cad-2026",
    ];
    running.ok(&[
        &add[..],
        &["--price", "1200.50 EUR/year", "--notice-days", "90"],
    ]
    .concat());
    let (code, why) = running.fails(&add);
    assert_eq!(code, 1, "{why}");
    assert!(why.contains("has the name cad-2026 already"), "{why}");
    let list = running.ok(&["entitlement", "list"]);
    assert!(
        list.contains("cad-2026") && list.contains("1200.50 EUR/year"),
        "{list}"
    );
    assert!(!list.contains("CONTRACT"), "nobody said one: {list}");
    let id = entitlements(&running)[0]["id"].as_str().unwrap().to_owned();
    running.ok(&["entitlement", "edit", &id, "--seats", "3"]);
    let kept = entitlements(&running);
    assert_eq!(
        kept[0]["price"]["amount"], 1200.5,
        "what is not named stays"
    );
    running.ok(&["entitlement", "edit", &id, "--price", "", "--name", ""]);
    let gone = entitlements(&running);
    assert_eq!(
        (&gone[0]["price"], &gone[0]["name"]),
        (&Value::Null, &Value::Null)
    );
    let sheet = "product;seats;name;price;currency;per;cost_centre\n\
                 cad;5;cad-2027;99.50;USD;month;4200\n";
    let file = write(&folder, "owned.csv", sheet);
    running.ok(&["entitlement", "import", file.to_str().unwrap()]);
    let owned = entitlements(&running);
    assert_eq!(owned[1]["name"], "cad-2027");
    assert_eq!(
        (&owned[1]["price"], &owned[1]["cost_centre"]),
        (
            &json!({ "amount": 99.5, "currency": "USD", "per": "month" }),
            &json!("4200")
        )
    );
}

/// A server with a product of which ten seats are owned, named and paid for.
fn with_a_contract(folder: &Folder) -> Running {
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let add = ["entitlement", "add", "cad", "--seats", "10"];
    let said = ["--name", "cad-2026", "--price", "15.000,50 eur/year"];
    let until = ["--to", "2199-12-31", "--contract", "Rahmen 7"];
    running.ok(&[&add[..], &said, &until].concat());
    running
}

#[test]
fn an_entitlement_is_changed_and_removed_by_its_name() {
    let folder = Folder::new();
    let running = with_a_contract(&folder);
    let id = entitlements(&running)[0]["id"].as_str().unwrap().to_owned();
    let changed = running.ok(&["entitlement", "edit", "cad-2026", "--seats", "12"]);
    assert_eq!(
        changed,
        format!("Entitlement cad-2026 ({id}): 10 seats before, 12 now.\n")
    );
    let (code, why) = running.fails(&["entitlement", "edit", "cad-2025", "--seats", "1"]);
    assert_eq!(code, 1, "{why}");
    assert!(
        why.contains("no entitlement has the name or the id cad-2025"),
        "{why}"
    );
    assert!(why.contains("Did you mean cad-2026?"), "{why}");
    // Nobody is there to ask.
    let (code, why) = running.fails(&["entitlement", "remove", "cad-2026"]);
    assert_eq!(code, 2, "{why}");
    let what = format!(
        "it asks before it removes cad-2026 ({id}) (12 seats of cad until 2199-12-31, 15000.50 \
         EUR/year, contract Rahmen 7)"
    );
    assert!(why.contains(&what), "{why}");
    assert!(
        why.contains("`usher entitlement edit cad-2026 --to today` ends it"),
        "{why}"
    );
    let ended = running.ok(&["entitlement", "edit", "cad-2026", "--to", "today"]);
    assert!(
        ended.contains("2199-12-31 before"),
        "the advice works: {ended}"
    );
    assert_eq!(entitlements(&running).len(), 1);
    running.ok(&["entitlement", "remove", "cad-2026", "--yes"]);
    assert_eq!(entitlements(&running), Vec::<Value>::new());
    // What is known by its seats alone is entered again as fast as it is gone.
    let plain = running.json(&["entitlement", "add", "cad", "--seats", "1"]);
    running.ok(&["entitlement", "remove", plain["id"].as_str().unwrap()]);
}

#[test]
fn an_entitlement_that_is_ended_says_who_holds_a_seat_and_who_waits() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let add = ["entitlement", "add", "cad", "--seats", "1"];
    running.ok(&[&add[..], &["--name", "cad-2026", "--from", "2026-01-01"]].concat());
    running.ok(&["checkout", "cad", "--user", "anna"]);
    let wait = [
        "checkout",
        "cad",
        "--user",
        "ben",
        "--wait=30s",
        "--ttl",
        "60s",
    ];
    let waiting = running.usher(&wait).spawn().unwrap();
    wait_for("somebody who waits", || {
        let queue = running.json(&["queue"]);
        (!queue["items"].as_array().unwrap().is_empty()).then_some(())
    });
    let longer = running.ok(&["entitlement", "edit", "cad-2026", "--to", "2199-12-31"]);
    assert!(!longer.contains("in use"), "nothing is lost: {longer}");
    let ended = running.ok(&["entitlement", "edit", "cad-2026", "--to", "2026-01-02"]);
    for lost in [
        "1 seat of it is in use, and stays so until it is given back.",
        "1 request waits for a seat of cad.",
    ] {
        assert!(ended.contains(lost), "{lost}: {ended}");
    }
    running.ok(&["product", "remove", "cad", "--yes"]);
    assert_ne!(finish(waiting).status.code(), Some(0));
}

#[test]
fn a_product_is_not_removed_with_its_contracts_by_mistake() {
    let folder = Folder::new();
    let running = with_a_contract(&folder);
    let shown = running.ok(&["product", "show", "cad"]);
    assert!(shown.contains("cad-2026  15000.50 EUR/year"), "{shown}");
    running.ok(&["checkout", "cad", "--user", "anna"]);
    let (code, why) = running.fails(&["product", "remove", "cad"]);
    assert_eq!(code, 2, "{why}");
    for what in [
        "With it goes cad-2026 (",
        "1 seat of it is in use",
        "--yes removes it",
    ] {
        assert!(why.contains(what), "{why}");
    }
    assert_eq!(running.json(&["product", "show", "cad"])["in_use"], 1);
    let removed = running
        .usher(&["product", "remove", "cad", "--yes"])
        .ended();
    assert!(removed.status.success(), "{}", said(&removed));
    let told = said(&removed);
    assert!(told.contains("Product cad is removed."), "{told}");
    assert!(told.contains("contract Rahmen 7"), "{told}");
}

#[test]
fn a_gap_and_the_day_of_notice_are_told_when_they_are_entered() {
    let folder = Folder::new();
    let running = with_a_contract(&folder);
    let add = [
        "entitlement",
        "add",
        "cad",
        "--seats",
        "10",
        "--time-zone",
        "UTC",
    ];
    let next = [
        "--name",
        "cad-2200",
        "--from",
        "2200-01-25",
        "--to",
        "2201-12-31",
    ];
    let told = running.ok(&[&add[..], &next, &["--notice-days", "90"]].concat());
    assert!(
        told.contains("no seat of cad is owned: then cad-2200 ("),
        "{told}"
    );
    assert!(
        told.contains("Notice of it is to be given by 2201-10-02, 90 days before it ends."),
        "{told}"
    );
    let list = running.ok(&["entitlement", "list"]);
    assert!(list.contains("2201-10-02 (90 d)"), "{list}");
    assert!(
        list.ends_with("\n\nWhat is valid today costs 15000.50 EUR/year.\n"),
        "{list}"
    );
    let told = running.ok(&["entitlement", "edit", "cad-2200", "--from", "2200-01-01"]);
    assert!(!told.contains("no seat of cad"), "{told}");
    let late = [
        "entitlement",
        "edit",
        "cad-2026",
        "--to",
        "tomorrow",
        "--notice-days",
        "90",
    ];
    let told = running.ok(&late);
    assert!(told.contains("that day is past."), "{told}");
}
