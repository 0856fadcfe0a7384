//! A policy in files: compared with a server, applied to it and written out.

use serde_json::{Value, json};

use crate::policies::{CAD, code, entitlements, policy, write};
use crate::support::{Ended, Folder, Running, finish, said, stderr, stdout, wait_for};

/// A server of which everything is said that can be said.
fn with_everything(folder: &Folder) -> Running {
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "plain"]);
    running.ok(&[
        "product",
        "add",
        "größer",
        "--name",
        "A \"quoted\" \\ name",
        "--publisher",
        "Acme = #1",
        "--program",
        "path=/opt/\"a b\"/{x,y}",
        "--program",
        "name=helper,role=helper",
        "--mode",
        "enforce",
        "--counting",
        "user",
        "--queue-limit",
        "7",
        "--impossible-seconds",
        "90s",
        "--max-ttl",
        "1h",
        "--on-unreachable",
        "refuse",
        "--on-lost-lease",
        "end",
        "--claim-seconds",
        "61",
        "--idle-seconds",
        "30m",
        "--on-idle",
        "release",
        "--grace-seconds",
        "2m",
        "--show-holders",
        "yes",
    ]);
    running.ok(&["product", "edit", "größer", "--disable"]);
    running.ok(&["entitlement", "add", "plain", "--seats", "3"]);
    running.ok(&[
        "entitlement",
        "add",
        "größer",
        "--seats",
        "10",
        "--overdraft",
        "2",
        "--from",
        "2026-01-01",
        "--to",
        "2030-12-31",
        "--time-zone",
        "Europe/Berlin",
        "--name",
        "grö\u{df}er 2026",
        "--price",
        "1200.5 EUR/month",
        "--contract",
        "A \"1\"",
        "--cost-centre",
        "4200",
        "--notice-days",
        "90",
        "--note",
        "for the lab",
    ]);
    running.ok(&[
        "entitlement",
        "add",
        "größer",
        "--seats",
        "1",
        "--from",
        "2026-01-01T12:00:00Z",
        "--to",
        "2030-01-01T12:30:15.250Z",
        "--price",
        "0.0001 JPY once",
    ]);
    running.ok(&["entitlement", "add", "plain", "--seats", "0"]);
    running
}

#[test]
fn what_a_server_has_is_written_out_and_applied_without_a_difference() {
    let folder = Folder::new();
    let running = with_everything(&folder);
    let before = (
        running.json(&["product", "list"]),
        running.json(&["entitlement", "list"]),
    );
    let file = write(&folder, "policy.toml", &running.ok(&["policy", "export"]));
    let text = std::fs::read_to_string(&file).unwrap();
    for written in [
        "idle_seconds = \"30m\"",
        "time_zone = \"Europe/Berlin\"",
        "name = \"E",
    ] {
        assert!(text.contains(written), "{text}");
    }
    let checked = policy(&running, "check", &file, &[]);
    assert_eq!(code(&checked), 0, "{}", said(&checked));
    for more in [&[][..], &["--prune"]] {
        let diff = policy(&running, "diff", &file, more);
        assert_eq!(code(&diff), 0, "{}", said(&diff));
        assert_eq!(stdout(&diff), "Nothing differs.\n");
    }
    // As it is piped.
    let mut apply = running.usher(&["policy", "apply", "-", "--yes", "--prune"]);
    let applied = apply.stdin(std::fs::File::open(&file).unwrap()).ended();
    assert_eq!(code(&applied), 0, "{}", said(&applied));
    assert_eq!(stdout(&applied), "Nothing differs.\n");
    let after = (
        running.json(&["product", "list"]),
        running.json(&["entitlement", "list"]),
    );
    assert_eq!(before, after);
    // The same in files of a folder.
    let several = folder.path("several");
    running.ok(&["policy", "export", "--folder", several.to_str().unwrap()]);
    let diff = policy(&running, "diff", &several, &["--prune"]);
    assert_eq!(code(&diff), 0, "{}", said(&diff));
    let again = running.fails(&["policy", "export", "--folder", several.to_str().unwrap()]);
    assert_eq!(again.0, 2, "{}", again.1);
}

#[test]
fn a_policy_of_one_server_makes_another_that_has_the_same() {
    let (one, other) = (Folder::new(), Folder::new());
    let first = with_everything(&one);
    // What nobody named is the server's own.
    for it in entitlements(&first) {
        let id = it["id"].as_str().unwrap();
        if it["name"].is_null() {
            let name = format!("named {id}");
            first.ok(&["entitlement", "edit", id, "--name", &name]);
        }
    }
    let text = first.ok(&["policy", "export"]);
    let file = write(&one, "policy.toml", &text);
    let second = Running::up(&other.path("data"));
    let applied = policy(&second, "apply", &file, &["--yes"]);
    assert_eq!(code(&applied), 0, "{}", said(&applied));
    assert_eq!(second.ok(&["policy", "export"]), text);
}

#[test]
fn a_difference_is_told_by_the_exit_code_and_applied_twice_it_changes_nothing() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let file = write(&folder, "policy.toml", CAD);
    let diff = policy(&running, "diff", &file, &[]);
    assert_eq!(code(&diff), 1, "{}", said(&diff));
    let told = stdout(&diff);
    assert!(told.contains("2 changes would be made:"), "{told}");
    assert!(
        told.contains("+ add product cad (CAD 3D), tracked, with 1 program rule"),
        "{told}"
    );
    assert!(
        told.contains(
            "+ add cad-2026: 25 seats of cad from 2026-01-01 to 2199-12-31, 12000.50 EUR/year\n"
        ),
        "{told}"
    );
    assert!(told.contains("today"), "{told}");
    let applied = policy(&running, "apply", &file, &["--yes"]);
    assert_eq!(code(&applied), 0, "{}", said(&applied));
    assert_eq!(running.json(&["product", "show", "cad"])["seats"], 25);
    let owned = entitlements(&running);
    assert_eq!(owned[0]["name"], "cad-2026");
    assert_eq!(
        owned[0]["price"],
        json!({ "amount": 12000.5, "currency": "EUR", "per": "year" })
    );
    assert_eq!(code(&policy(&running, "diff", &file, &[])), 0);
    let again = policy(&running, "apply", &file, &["--yes"]);
    assert_eq!(stdout(&again), "Nothing differs.\n");
    assert_eq!(entitlements(&running), owned);

    // A price and seats change, and the entitlement is the one that it was.
    let dearer = CAD
        .replace("12000.50", "13000")
        .replace("seats = 25", "seats = 20");
    let file = write(&folder, "policy.toml", &dearer);
    let diff = policy(&running, "diff", &file, &["--json"]);
    let told: Value = serde_json::from_str(&stdout(&diff)).unwrap();
    assert_eq!((code(&diff), &told["same"]), (1, &json!(false)));
    assert_eq!(
        told["changes"][0]["sentence"],
        "change cad-2026: seats from 25 to 20; price from 12000.50 EUR/year to 13000 EUR/year"
    );
    assert_eq!(
        told["changes"][0]["fields"][0],
        json!({ "field": "seats", "before": 25, "after": 20 })
    );
    assert_eq!(
        told["seats"][0],
        json!({ "product": "cad", "from": null, "before": 25, "after": 20 })
    );
    let applied = policy(&running, "apply", &file, &["--yes", "--json"]);
    let told: Value = serde_json::from_str(&stdout(&applied)).unwrap();
    assert_eq!(told["made"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["failed"], Value::Null);
    let changed = entitlements(&running);
    assert_eq!((changed.len(), &changed[0]["id"]), (1, &owned[0]["id"]));
    assert_eq!(changed[0]["price"]["amount"], 13000);
}

#[test]
fn what_is_renamed_stays_the_same_and_what_is_left_out_goes_only_by_prune() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad", "--seats", "10"]);
    running.ok(&["product", "add", "old", "--seats", "1"]);
    let id = entitlements(&running)[0]["id"].as_str().unwrap().to_owned();
    let named = |more: &str| {
        format!(
            "policy = 1\n[[product]]\nid = \"cad\"\n[[entitlement]]\nname = \"cad-2026\"\n{more}\n\
             product = \"cad\"\nseats = 10\n"
        )
    };
    // Without the old name it would count twice, which is asked about.
    let file = write(&folder, "policy.toml", &named(""));
    let diff = policy(&running, "diff", &file, &[]);
    assert!(
        stderr(&diff).contains(&format!("say was = \"{id}\"")),
        "{}",
        said(&diff)
    );
    let file = write(&folder, "policy.toml", &named(&format!("was = \"{id}\"")));
    let diff = policy(&running, "diff", &file, &[]);
    assert!(
        stdout(&diff).contains(&format!("~ rename {id} to cad-2026")),
        "{}",
        said(&diff)
    );
    assert!(
        stdout(&diff).contains("The server has 2 more, which stay"),
        "{}",
        said(&diff)
    );
    for _ in 0..2 {
        let applied = policy(&running, "apply", &file, &["--yes"]);
        assert_eq!(code(&applied), 0, "{}", said(&applied));
        let owned = entitlements(&running);
        assert_eq!(
            (&owned[0]["id"], &owned[0]["name"]),
            (&json!(id), &json!("cad-2026"))
        );
        assert_eq!(owned.len(), 2, "nothing was removed");
    }
    let diff = policy(&running, "diff", &file, &["--prune"]);
    assert_eq!(code(&diff), 1);
    assert!(
        stdout(&diff).contains("- remove product old"),
        "{}",
        said(&diff)
    );
    let applied = policy(&running, "apply", &file, &["--yes", "--prune"]);
    assert_eq!(code(&applied), 0, "{}", said(&applied));
    assert_eq!(running.fails(&["product", "show", "old"]).0, 1);
    assert_eq!(entitlements(&running).len(), 1);
}

#[test]
fn a_difference_says_what_is_in_use_of_what_it_removes() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "px", "--seats", "1"]);
    running.ok(&["checkout", "px", "--user", "anna"]);
    let ask = [
        "checkout",
        "px",
        "--user",
        "ben",
        "--wait=30s",
        "--ttl",
        "60s",
    ];
    let waiting = running.usher(&ask).spawn().unwrap();
    wait_for("somebody who waits", || {
        let queue = running.json(&["queue"]);
        (!queue["items"].as_array().unwrap().is_empty()).then_some(())
    });
    let file = write(&folder, "policy.toml", "policy = 1\n");
    let kept = stdout(&policy(&running, "diff", &file, &[]));
    assert!(!kept.contains("in use"), "{kept}");
    let diff = policy(&running, "diff", &file, &["--prune"]);
    let loss = "product px: 1 seat of it is in use, and stays so until it is given back; 1 request \
                waits for a seat of it, and is then refused";
    assert!(stdout(&diff).contains(loss), "{}", said(&diff));
    let diff = policy(&running, "diff", &file, &["--prune", "--json"]);
    let told: Value = serde_json::from_str(&stdout(&diff)).unwrap();
    assert_eq!(told["losses"], json!([loss]));
    let asked = policy(&running, "apply", &file, &["--prune"]);
    assert_eq!(code(&asked), 2, "{}", said(&asked));
    assert!(stdout(&asked).contains(loss), "{}", said(&asked));
    assert!(
        stderr(&asked).contains("there is no terminal to ask on"),
        "{}",
        said(&asked)
    );
    let applied = policy(&running, "apply", &file, &["--prune", "--yes"]);
    assert_eq!(code(&applied), 0, "{}", said(&applied));
    assert_ne!(finish(waiting).status.code(), Some(0));
}

#[test]
fn seats_are_told_from_the_days_on_that_were_said() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let berlin = CAD.replace("policy = 1", "policy = 1\ntime_zone = \"Europe/Berlin\"");
    let file = write(&folder, "policy.toml", &berlin);
    let diff = policy(&running, "diff", &file, &[]);
    assert!(
        stdout(&diff).contains("2200-01-01 (Europe/Berlin)"),
        "{}",
        said(&diff)
    );
    let diff = policy(&running, "diff", &file, &["--json"]);
    let told: Value = serde_json::from_str(&stdout(&diff)).unwrap();
    assert_eq!(
        (&told["seats"][1]["from"], &told["seats"][1]["from_day"]),
        (&json!("2199-12-31T23:00:00Z"), &json!("2200-01-01"))
    );
}
