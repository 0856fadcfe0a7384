//! A policy in files is checked before anything is written: all its faults are told, and what cannot
//! be applied changes nothing.

use serde_json::{Value, json};

use crate::policies::{CAD, code, policy, write};
use crate::support::{Ended, Folder, Running, said, stderr, stdout, usher};

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
    assert!(why.contains("No change is made.\n"), "{why}");
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
    // A difference that cannot be applied is told, and is no difference like others.
    for more in [&[][..], &["--json"]] {
        let diff = policy(&running, "diff", &moved, more);
        assert_eq!(code(&diff), 2, "{}", said(&diff));
        assert!(
            stderr(&diff).contains("this could not be applied:\n  cad-2026 ("),
            "{}",
            said(&diff)
        );
    }
    // No server answers at all.
    let mut command = usher();
    command.args(["policy", "diff"]).arg(&file);
    let silent = command.env("USHER_SERVER", "http://127.0.0.1:1").ended();
    assert_eq!(code(&silent), 69, "{}", said(&silent));
}

#[test]
fn faults_beside_what_is_no_toml_are_told_in_the_same_check() {
    let folder = Folder::new();
    let text = CAD
        .replace("seats = 25", "seat = 25")
        .replace("to = 2199-12-31", "to = 2026-02-30")
        .replace("12000.50", "12.000,50");
    let file = write(&folder, "policy.toml", &text);
    let mut check = usher();
    let checked = check.args(["policy", "check"]).arg(&file).ended();
    assert_eq!(code(&checked), 1, "{}", said(&checked));
    let told = stdout(&checked);
    for fault in [
        "policy.toml:8: this entitlement has no `seats`",
        "policy.toml:11: there is no key `seat` here: did you mean `seats`?",
        "policy.toml:13: `to` is 2026-02-30: give a day that there is",
        "policy.toml:14: `amount` is 12.000,50: write a decimal point",
        "4 faults.",
    ] {
        assert!(told.contains(fault), "{fault}: {told}");
    }
}
