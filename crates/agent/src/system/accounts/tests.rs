//! Tests of what an account is known as.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// An account that no passwd has.
const FAR: AccountKey = AccountKey::new(3_999_999_999);
/// Another account that no passwd has.
const NEAR: AccountKey = AccountKey::new(3_999_999_998);
/// One that every passwd has.
const ROOT: AccountKey = AccountKey::new(0);

/// Accounts whose name service is a script.
fn at_service(folder: &tempfile::TempDir, script: &str) -> Accounts {
    with_realms(folder, script, &[])
}

/// The same, of these realms. The script has the uid in `$uid`, and the service in `$service`.
fn with_realms(folder: &tempfile::TempDir, script: &str, realms: &[&str]) -> Accounts {
    let [getent, order] = ["service", "order"].map(|name| folder.path().join(name));
    fs::write(&order, "passwd: files near far\n").unwrap();
    let words = "test \"$1\" = -s && service=$2; for uid; do :; done";
    fs::write(&getent, format!("#!/bin/sh\n{words}\n{script}\n")).unwrap();
    fs::set_permissions(&getent, fs::Permissions::from_mode(0o755)).unwrap();
    Accounts {
        services: NameServices { order, getent },
        ..Accounts::open(folder.path(), Realms::parse(realms).unwrap())
    }
}

fn of(realm: Option<&str>, name: &str) -> Account {
    Account {
        realm: realm.map(Arc::from),
        name: name.into(),
    }
}

#[test]
fn an_account_has_its_name_and_an_unknown_one_its_number() {
    let accounts = Accounts::new();
    assert_eq!(accounts.name(ROOT), "root");
    accounts.learn(FAR);
    assert_eq!(accounts.name(FAR), FAR.to_string());
    assert!(accounts.knows(FAR));
}

#[test]
fn a_name_service_is_asked_by_who_learns_a_name_and_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = at_service(&folder, r#"echo "far:x:$uid:0::/:""#);
    assert!(!accounts.knows(FAR));
    assert_eq!(accounts.name(FAR), FAR.to_string());
    accounts.learn(FAR);
    assert!(accounts.knows(FAR));
    assert_eq!(accounts.name(FAR), "far");
    assert!(accounts.knows(ROOT), "it is in passwd");
}

#[test]
fn a_name_service_that_hangs_is_left_alone_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked");
    let script = format!("echo >> {}; exec sleep 60", asked.display());
    let accounts = at_service(&folder, &script);
    accounts.learn(FAR);
    accounts.learn(NEAR);
    assert_eq!(accounts.name(NEAR), NEAR.to_string());
    assert!(!accounts.knows(FAR), "it may yet be told");
    assert_eq!(fs::read_to_string(&asked).unwrap().lines().count(), 1);
}

#[test]
fn a_name_service_that_leaves_somebody_behind_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = at_service(&folder, r#"sleep 20 & echo "far:x:$uid:0::/:""#);
    let begun = Instant::now();
    accounts.learn(FAR);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(accounts.name(FAR), "far");
}

/// What the services `near` and `far` say of two accounts, each of one.
const TWO_SERVICES: &str = r#"
    case "$service $uid" in
    "near 3999999998") printf '%s\n' 'CORP\ann:x:3999999998:0::/:' ;;
    "far 3999999999") echo 'bob:x:3999999999:0::/:' ;;
    esac"#;

#[test]
fn an_account_is_of_the_realm_of_the_service_that_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let realms = ["near=near.example", "corp=corp.example"];
    let accounts = with_realms(&folder, TWO_SERVICES, &realms);
    accounts.learn(FAR);
    accounts.learn(NEAR);
    assert_eq!(
        accounts.account(NEAR),
        of(Some("corp.example"), "ann"),
        "its domain counts before its service"
    );
    assert_eq!(
        accounts.account(FAR),
        of(None, "bob"),
        "of a service without a realm it is the computer's own"
    );
    assert_eq!(accounts.account(ROOT), of(None, "root"));
}

#[test]
fn a_file_of_accounts_that_all_computers_have_can_have_a_realm_too() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = with_realms(&folder, "", &["files=cluster.example"]);
    assert_eq!(accounts.account(ROOT), of(Some("cluster.example"), "root"));
}

#[test]
fn who_was_told_stays_who_it_is_while_no_service_knows_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let realms = ["far=corp.example"];
    let accounts = with_realms(&folder, TWO_SERVICES, &realms);
    accounts.learn(FAR);
    accounts.keep();
    let bob = of(Some("corp.example"), "bob");
    assert_eq!(accounts.account(FAR), bob);
    // After a restart, with a directory that is cut off.
    for nobody in ["", "exec sleep 60"] {
        let accounts = with_realms(&folder, nobody, &realms);
        assert!(accounts.knows(FAR));
        accounts.learn(FAR);
        assert_eq!(accounts.account(FAR), bob, "{nobody}");
        accounts.keep();
    }
    // The realms are others now, and others again.
    for (realms, realm) in [
        (&[][..], None),
        (&["far=lab.example"][..], Some("lab.example")),
    ] {
        let accounts = with_realms(&folder, TWO_SERVICES, realms);
        assert!(!accounts.knows(FAR));
        accounts.learn(FAR);
        accounts.keep();
        assert_eq!(accounts.account(FAR), of(realm, "bob"));
    }
}

#[test]
fn what_was_kept_and_cannot_be_read_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join(KEPT_FILE);
    for spoilt in [&b"\xff\xfe"[..], b"{\"uid\": 3999999999", b"\n\n[]\n"] {
        fs::write(&kept, spoilt).unwrap();
        let accounts = with_realms(&folder, TWO_SERVICES, &[]);
        assert!(!accounts.knows(FAR));
        accounts.learn(FAR);
        assert_eq!(accounts.name(FAR), "bob");
    }
}
