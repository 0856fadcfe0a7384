//! A refusal names roles that suffice: whoever asks again with a token of one of them is not
//! refused again.

use crate::policies::{CAD, write};
use crate::support::{Ended, Folder, Running, said, stderr};

/// The roles that a refusal names: `... use one of role viewer, operator or admin`.
fn named(refusal: &str) -> Vec<String> {
    let (_, roles) = refusal
        .split_once(": use one of role ")
        .unwrap_or_else(|| panic!("no role is named: {refusal}"));
    let roles = roles.lines().next().unwrap().replace(" or ", ", ");
    roles.split(", ").map(str::to_owned).collect()
}

fn token(running: &Running, role: &str) -> String {
    let bound: &[&str] = match role {
        "client" => &["--user", "anna"],
        "agent" => &["--computer", "c-1f2e"],
        _ => &[],
    };
    let words = [&["token", "create", "--role", role][..], bound].concat();
    running.ok(&words).trim().to_owned()
}

#[test]
fn who_asks_again_with_a_token_of_a_role_that_a_refusal_names_is_not_refused_again() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad"]);
    let add = ["entitlement", "add", "cad", "--seats", "1"];
    running.ok(&[&add[..], &["--name", "cad-2026"]].concat());
    let policy = write(&folder, "policy.toml", CAD);
    let policy = policy.to_str().unwrap();
    let backup = folder.path("backup.db");
    let backup = backup.to_str().unwrap();
    let commands: &[&[&str]] = &[
        &["entitlement", "list"],
        &["entitlement", "edit", "cad-2026", "--seats", "2"],
        &["product", "edit", "cad", "--name", "CAD"],
        &["product", "edit", "cad", "--dry-run", "--seats", "1"],
        &["policy", "diff", policy],
        &["policy", "apply", policy, "--yes"],
        &["pack", "schedule", "every 14 days 03:00"],
        &["pack", "status"],
        &["token", "list"],
        &["backup", backup, "--overwrite"],
        &["backup", "--list"],
    ];
    for role in ["client", "backup"] {
        let refused = token(&running, role);
        for command in commands {
            let ask = |token: &str| running.usher(command).env("USHER_TOKEN", token).ended();
            let output = ask(&refused);
            if output.status.success() {
                continue;
            }
            assert_eq!(
                output.status.code(),
                Some(77),
                "{command:?}: {}",
                said(&output)
            );
            let roles = named(&stderr(&output));
            assert!(!roles.is_empty(), "{command:?}");
            for role in roles {
                let output = ask(&token(&running, &role));
                assert_ne!(
                    output.status.code(),
                    Some(77),
                    "{command:?} as {role}: {}",
                    said(&output)
                );
            }
        }
    }
}

#[test]
fn who_shows_no_token_is_told_of_which_role_one_is_to_be() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let nobodys = folder.path("nobodys");
    for (command, role) in [
        (&["entitlement", "list"][..], "viewer"),
        (&["entitlement", "add", "cad", "--seats", "1"], "admin"),
        (&["pack", "now"], "operator"),
        (&["backup", "--list"], "admin"),
    ] {
        let mut ask = running.usher(command);
        let output = ask.env("USHER_DATA", &nobodys).ended();
        assert_eq!(
            output.status.code(),
            Some(77),
            "{command:?}: {}",
            said(&output)
        );
        let make = format!("`usher token create --role {role}`");
        assert!(
            stderr(&output).contains(&make),
            "{command:?}: {}",
            said(&output)
        );
    }
}
