//! A policy in files: checked without a server, compared with one, applied to it and written out.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Ended, Folder, Running, said, stderr, stdout, usher};

fn write(folder: &Folder, name: &str, text: &str) -> PathBuf {
    let path = folder.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// `usher policy WORD FILE MORE...`
fn policy(running: &Running, word: &str, file: &Path, more: &[&str]) -> Output {
    let words = ["policy", word, file.to_str().unwrap()];
    running.usher(&[&words[..], more].concat()).ended()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn entitlements(running: &Running) -> Vec<Value> {
    let list = running.json(&["entitlement", "list"]);
    list["items"].as_array().unwrap().clone()
}

const CAD: &str = r#"policy = 1

[[product]]
id = "cad"
name = "CAD 3D"
programs = ["path=/opt/cad/bin/*"]

[[entitlement]]
name = "cad-2026"
product = "cad"
seats = 25
from = 2026-01-01
to = 2199-12-31
price = { amount = 12000.50, currency = "EUR", per = "year" }
"#;

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
    // None of its seats is left, which only a change makes.
    let ended = running.json(&["entitlement", "add", "plain", "--seats", "1"]);
    running.ok(&[
        "entitlement",
        "edit",
        ended["id"].as_str().unwrap(),
        "--seats",
        "0",
    ]);
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
    // What nobody named is the server's own, and so is what has no seats.
    for it in entitlements(&first) {
        let id = it["id"].as_str().unwrap();
        match it["seats"].as_u64() {
            Some(0) => drop(first.ok(&["entitlement", "remove", id])),
            _ if it["name"].is_null() => {
                let name = format!("named {id}");
                first.ok(&["entitlement", "edit", id, "--name", &name]);
            }
            _ => {}
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
        told.contains("+ add cad-2026: 25 seats of cad from 2026-01-01 to 2199-12-31"),
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
fn all_faults_of_files_are_told_at_once_without_a_server() {
    let folder = Folder::new();
    write(
        &folder,
        "policy/a.toml",
        "policy = 1\n[[product]]\nid = \"cad\"\nmod = \"track\"\n",
    );
    write(
        &folder,
        "policy/b.toml",
        "policy = 1\n[[product]]\nid = \"cad\"\n[[entitlement]]\nname = \"x\"\nproduct = \"cda\"\n\
         seats = -1\n",
    );
    let check = |words: &[&str]| {
        let mut command = usher();
        command.args(["policy", "check"]).args(words);
        command.env("USHER_SERVER", "http://127.0.0.1:1").ended()
    };
    let place = folder.path("policy");
    let place = place.to_str().unwrap();
    let checked = check(&[place]);
    assert_eq!(code(&checked), 1, "{}", said(&checked));
    let told = stdout(&checked);
    for fault in [
        "a.toml:4: there is no key `mod` here: did you mean `mode`?",
        "b.toml:2: product cad stands here again: it stands in ",
        "a.toml:2 already",
        "b.toml:6: there is no [[product]] with the id cda: did you mean `cad`?",
        "b.toml:7: `seats` is out of range: give 0 to 1000000000",
        "4 faults.",
    ] {
        assert!(told.contains(fault), "{fault}: {told}");
    }
    let told: Value = serde_json::from_str(&stdout(&check(&[place, "--json"]))).unwrap();
    assert_eq!(told["faults"][0]["line"], 4, "{told}");
    let missing = check(&["no-such-file.toml"]);
    assert_eq!(code(&missing), 2, "{}", said(&missing));
    let good = write(&folder, "good.toml", CAD);
    let good = check(&[good.to_str().unwrap()]);
    assert_eq!(code(&good), 0, "{}", said(&good));
    assert_eq!(stdout(&good), "1 product and 1 entitlement: no fault.\n");
    let enforced = CAD.replace("name = \"CAD 3D\"", "mode = \"enforce\"");
    let dangerous = enforced.replace("path=/opt/cad/bin/*", "name=bash");
    let dangerous = write(&folder, "dangerous.toml", &dangerous);
    let dangerous = dangerous.to_str().unwrap();
    let refused = check(&[dangerous]);
    assert_eq!(code(&refused), 1, "{}", said(&refused));
    assert!(
        stdout(&refused).contains("dangerous.toml:3: product cad"),
        "{}",
        said(&refused)
    );
    assert_eq!(code(&check(&[dangerous, "--force"])), 0);
}

#[test]
fn what_cannot_be_applied_changes_nothing_and_says_why() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let file = write(&folder, "policy.toml", CAD);
    // Nobody is there to ask.
    let asked = policy(&running, "apply", &file, &[]);
    assert_eq!(code(&asked), 2, "{}", said(&asked));
    assert!(
        stderr(&asked).contains("--yes makes the changes"),
        "{}",
        said(&asked)
    );
    // Who may look and not write.
    let token = running.ok(&["token", "create", "--role", "viewer"]);
    let mut apply = running.usher(&["policy", "apply", file.to_str().unwrap(), "--yes"]);
    let refused = apply.env("USHER_TOKEN", token.trim()).ended();
    assert_eq!(code(&refused), 77, "{}", said(&refused));
    let why = stderr(&refused);
    assert!(why.contains("No change is made:"), "{why}");
    assert!(
        why.contains("1 change is not tried:\n  add cad-2026"),
        "{why}"
    );
    assert!(
        why.contains("this was not made: add product cad (CAD 3D)"),
        "{why}"
    );
    // Files that make no policy, names that are a server's, rules that a computer needs.
    let wrong = [
        (
            CAD.replace("seats = 25", "seat = 25"),
            "did you mean `seats`?",
        ),
        (
            CAD.replace("cad-2026", "E99"),
            "this one has no E99: give it a name of its own",
        ),
        (
            CAD.replace("seats = 25", "seats = 0"),
            "it would be of no seats",
        ),
        (
            CAD.replace("name = \"CAD 3D\"", "mode = \"enforce\"")
                .replace("path=/opt/cad/bin/*", "name=bash"),
            "its rules would hit what a computer needs",
        ),
    ];
    for (text, why) in wrong {
        let file = write(&folder, "wrong.toml", &text);
        let refused = policy(&running, "apply", &file, &["--yes"]);
        assert_eq!(code(&refused), 2, "{why}: {}", said(&refused));
        assert!(stderr(&refused).contains(why), "{why}: {}", said(&refused));
    }
    assert_eq!(running.json(&["product", "list"])["items"], json!([]));
    // An entitlement keeps its product.
    let applied = policy(&running, "apply", &file, &["--yes"]);
    assert_eq!(code(&applied), 0, "{}", said(&applied));
    let moved = CAD.replace("\"cad\"", "\"cae\"");
    let moved = write(&folder, "moved.toml", &moved);
    let refused = policy(&running, "apply", &moved, &["--yes"]);
    assert_eq!(code(&refused), 2, "{}", said(&refused));
    assert!(
        stderr(&refused).contains("an entitlement keeps its product"),
        "{}",
        said(&refused)
    );
    // No server answers at all.
    let mut command = usher();
    command.args(["policy", "diff"]).arg(&file);
    let silent = command.env("USHER_SERVER", "http://127.0.0.1:1").ended();
    assert_eq!(code(&silent), 69, "{}", said(&silent));
}

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
