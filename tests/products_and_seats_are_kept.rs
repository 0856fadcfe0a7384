//! Products, entitlements and tokens, by the commands that people use.

use crate::support::{Ended, Folder, Running, said, stderr, stdout, usher};

fn seats(running: &Running, product: &str) -> u64 {
    running.json(&["product", "show", product])["seats"]
        .as_u64()
        .unwrap()
}

#[test]
fn a_product_is_added_changed_and_removed() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&[
        "product",
        "add",
        "gimp",
        "--name",
        "GIMP",
        "--program",
        "gimp-2.10",
        "--seats",
        "3",
    ]);
    assert_eq!(seats(&running, "gimp"), 3);
    running.ok(&[
        "product",
        "edit",
        "gimp",
        "--add-program",
        "script-fu,role=helper",
        "--max-ttl",
        "1h",
    ]);
    let product = running.json(&["product", "show", "gimp"]);
    assert_eq!(product["name"], "GIMP");
    assert_eq!(product["max_ttl_seconds"], 3600);
    assert_eq!(product["programs"].as_array().unwrap().len(), 2);
    running.ok(&["product", "edit", "gimp", "--disable"]);
    let (code, why) = running.fails(&["checkout", "gimp"]);
    assert_eq!(code, 77, "{why}");
    running.ok(&["product", "edit", "gimp", "--enable"]);
    running.ok(&["checkout", "gimp", "--ttl", "1s"]);
    running.ok(&["product", "remove", "gimp"]);
    assert_eq!(running.fails(&["product", "show", "gimp"]).0, 1);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "gimp"]);
    for args in [
        &["product", "add", "gimp"][..],
        &["product", "add", "a b"],
        &["product", "add", "x", "--program", "colour=red"],
        &["product", "add", "x", "--mode", "forbid"],
        &["entitlement", "add", "gimp", "--seats", "-1"],
        &["entitlement", "add", "gimp", "--seats", "5000000000"],
        &[
            "entitlement",
            "add",
            "gimp",
            "--seats",
            "1",
            "--from",
            "2026-02-01",
            "--to",
            "2026-01-01",
        ],
        &[
            "entitlement",
            "add",
            "gimp",
            "--seats",
            "1",
            "--metric",
            "core",
        ],
        &["entitlement", "add", "no-such", "--seats", "1"],
    ] {
        let (code, why) = running.fails(args);
        assert!(code == 1 || code == 2, "{args:?}: {code}");
        assert!(!why.is_empty(), "{args:?}");
    }
    assert_eq!(
        running.json(&["entitlement", "list"])["items"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn entitlements_add_up_and_fewer_seats_throw_nobody_out() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let id = running.json(&["entitlement", "add", "cad", "--seats", "2"])["id"]
        .as_str()
        .unwrap()
        .to_owned();
    running.ok(&[
        "entitlement",
        "add",
        "cad",
        "--seats",
        "3",
        "--to",
        "2020-12-31",
    ]);
    assert_eq!(seats(&running, "cad"), 2, "what has ended does not count");
    let lease = running.ok(&["checkout", "cad", "--user", "anna"]);
    running.ok(&["checkout", "cad", "--user", "bert"]);
    running.ok(&["entitlement", "edit", &id, "--seats", "1"]);
    running.ok(&["renew", lease.trim()]);
    assert_eq!(running.fails(&["checkout", "cad", "--user", "cora"]).0, 77);
    running.ok(&["checkin", lease.trim()]);
    assert_eq!(
        running.fails(&["checkout", "cad", "--user", "cora"]).0,
        77,
        "it must fit first"
    );
    running.ok(&["entitlement", "remove", &id]);
    assert_eq!(seats(&running, "cad"), 0);
}

#[test]
fn an_import_adds_to_what_is_owned_and_is_not_repeated_by_mistake() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad", "--seats", "10"]);
    let file = folder.path("owned.csv");
    std::fs::write(
        &file,
        "product,seats,from,to\ncad,5,2020-01-01,2099-12-31\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let import = ["entitlement", "import", file];
    let planned = running.json(&["entitlement", "import", file, "--dry-run"]);
    assert_eq!(planned["products"][0]["seats_after"], 15);
    assert_eq!(seats(&running, "cad"), 10);
    running.ok(&import);
    assert_eq!(seats(&running, "cad"), 15);
    assert_eq!(running.fails(&import).0, 1);
    assert_eq!(seats(&running, "cad"), 15);
    running.ok(&["entitlement", "import", file, "--duplicates", "add"]);
    assert_eq!(seats(&running, "cad"), 20);
}

#[test]
fn a_token_opens_what_its_role_allows_until_it_is_revoked() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let output = running
        .usher(&["token", "create", "--role", "viewer", "--name", "board"])
        .ended();
    assert_eq!(stdout(&output).lines().count(), 1, "{}", said(&output));
    let token = stdout(&output).trim().to_owned();
    let id = stderr(&output).split(' ').nth(1).unwrap().to_owned();
    running.ok(&["leases", "--token", &token]);
    assert_eq!(
        running.fails(&["product", "add", "x", "--token", &token]).0,
        77
    );
    running.ok(&["token", "revoke", &id]);
    let (code, why) = running.fails(&["leases", "--token", &token]);
    assert_eq!(code, 77);
    assert!(why.contains("usher token create"), "{why}");
    assert!(!running.ok(&["token", "list"]).contains(&token));
    assert_eq!(running.fails(&["token", "create", "--role", "client"]).0, 2);
}

#[test]
fn check_and_doctor_tell_a_server_in_order_from_none() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad", "--seats", "10"]);
    assert!(
        running
            .ok(&["check"])
            .starts_with("USHER OK - 1 product, 0 of 10 seats in use")
    );
    let doctor = running.ok(&["doctor"]);
    assert!(!doctor.contains("FAIL"), "{doctor}");
    let check = running.usher(&["check", "--token", "wrong"]).ended();
    assert_eq!(check.status.code(), Some(3), "{}", said(&check));
    let api = running.api.clone();
    let ask = |command: &str| {
        crate::support::usher()
            .args([command, "--server", &api, "--data"])
            .arg(folder.path("data"))
            .ended()
    };
    assert_eq!(running.stop(), Some(0));
    assert_eq!(ask("check").status.code(), Some(2));
    assert!(stdout(&ask("check")).starts_with("USHER CRITICAL - "));
    let doctor = ask("doctor");
    assert_eq!(doctor.status.code(), Some(1));
    assert!(
        stdout(&doctor).contains("nothing answers"),
        "{}",
        said(&doctor)
    );
}

#[test]
fn use_is_summed_for_each_product_page_by_page() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    for id in ["cad", "gimp", "sim"] {
        running.ok(&["product", "add", id, "--seats", "2"]);
        running.ok(&["checkout", id, "--user", "anna"]);
    }
    running.ok(&["checkout", "gimp", "--user", "bert"]);
    let sums = running.json(&["usage", "by-product"]);
    let sums: Vec<(&str, u64)> = sums["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["product"].as_str().unwrap(),
                item["sessions"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(sums, [("cad", 1), ("gimp", 2), ("sim", 1)]);
    let some = running.json(&["usage", "by-product", "--limit", "2"]);
    assert_eq!(some["items"].as_array().unwrap().len(), 2);
    assert!(some["next"].is_string(), "{some}");
    assert!(running.ok(&["usage", "by-product"]).contains("gimp"));
}

#[test]
fn a_check_that_is_asked_wrongly_is_no_outage() {
    assert_eq!(
        usher().args(["check", "nosuch"]).ended().status.code(),
        Some(3)
    );
    assert_eq!(
        usher().args(["leases", "nosuch"]).ended().status.code(),
        Some(2)
    );
}

#[test]
fn what_is_named_and_is_not_there_or_says_nothing_is_told() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad", "--seats", "1"]);
    for list in ["leases", "queue", "denials"] {
        running.ok(&[list, "--product", "cad"]);
        let (code, why) = running.fails(&[list, "--product", "cda"]);
        assert_eq!(code, 1, "{why}");
        assert!(why.contains("there is no product cda\n"), "{why}");
    }
    let (code, why) = running.fails(&["product", "edit", "cad"]);
    assert_eq!(code, 2, "{why}");
    let (_, why) = running.fails(&["product", "add", "cad"]);
    assert!(
        why.contains("usher product edit") && !why.contains("/v1"),
        "{why}"
    );
    let (code, why) = running.fails(&["checkout", "cad", "--ttl", "2d"]);
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("--ttl is"), "{why}");
    let (code, _) = running.fails(&[
        "entitlement",
        "add",
        "cad",
        "--seats",
        "1",
        "--metric",
        "core",
    ]);
    assert_eq!(code, 2);
    let nothing = folder.path("nothing");
    let mut leases = running.usher(&["leases"]);
    let without = leases.env("USHER_DATA", &nothing).ended();
    assert_eq!(without.status.code(), Some(69), "{}", said(&without));
    assert!(
        said(&without).contains("no Usher agent answers on this computer"),
        "{}",
        said(&without)
    );
    let mut tokens = running.usher(&["token", "list"]);
    let refused = tokens.env("USHER_DATA", &nothing).ended();
    assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    let wrong = leases.env("USHER_TOKEN", "usher_none").ended();
    assert_eq!(wrong.status.code(), Some(77), "{}", said(&wrong));
}
