//! `usher token create` and files: a secret is shown once, so the file that holds it is neither
//! emptied nor replaced by the way.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Ended, Folder, Running, said, stdout, usher};

#[test]
fn a_tokens_file_is_private_and_kept_as_long_as_its_token_is_valid() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let file = folder.path("viewer.token");
    let create = |more: &[&str]| {
        let words = ["token", "create", "--role", "viewer", "--name", "w", "--to"];
        let words = [&words[..], &[file.to_str().unwrap()], more].concat();
        running.usher(&words).ended()
    };
    let held = || fs::read_to_string(&file).unwrap();
    let is_taken = |token: &str| {
        let mut status = usher();
        status.args(["status", "--server", &running.api, "--token", token.trim()]);
        status.ended().status.success()
    };
    let first = create(&["--if-missing"]);
    assert!(first.status.success(), "{}", said(&first));
    assert_eq!(stdout(&first), "", "the secret is in the file alone");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = held();
    assert!(token.starts_with("usher_") && token.ends_with('\n'));
    assert!(is_taken(&token));

    let again = create(&["--if-missing"]);
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(held(), token, "it is kept");

    let plain = create(&[]);
    assert_eq!(plain.status.code(), Some(1), "{}", said(&plain));
    assert!(said(&plain).contains("is there already"));
    assert_eq!(held(), token, "and replaced by nothing but --rotate");

    // With the file its secret is lost: nobody is told that all is well.
    fs::remove_file(&file).unwrap();
    let lost = create(&["--if-missing"]);
    assert_eq!(lost.status.code(), Some(1), "{}", said(&lost));
    assert!(said(&lost).contains("--rotate"), "{}", said(&lost));
    assert!(!file.exists());

    let rotated = create(&["--rotate"]);
    assert!(rotated.status.success(), "{}", said(&rotated));
    let second = held();
    assert!(is_taken(&second) && !is_taken(&token));

    // What the file holds is of no use: another one takes its place.
    let list = running.json(&["token", "list"]);
    for one in list["items"].as_array().unwrap() {
        if one["name"] == "w" && one["revoked_at"].is_null() {
            running.ok(&["token", "revoke", one["id"].as_str().unwrap()]);
        }
    }
    let renewed = create(&["--if-missing"]);
    assert!(renewed.status.success(), "{}", said(&renewed));
    assert!(is_taken(&held()));

    // A token of another kind than the one that is valid.
    fs::write(&file, &second).unwrap();
    let other = create(&["--if-missing"]);
    assert_eq!(other.status.code(), Some(1), "{}", said(&other));
    assert_eq!(held(), second);

    // A valid token of another name is not replaced by the way.
    let foreign = running.ok(&["token", "create", "--role", "viewer", "--name", "v"]);
    fs::write(&file, &foreign).unwrap();
    let words = ["token", "create", "--role", "viewer", "--name", "u"];
    let words = [
        &words[..],
        &["--if-missing", "--to", file.to_str().unwrap()],
    ]
    .concat();
    let wrong = running.usher(&words).ended();
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    assert_eq!(held(), foreign);

    // What is no token is nothing that a token may take the place of.
    fs::write(&file, "root:x:0:0\n").unwrap();
    for more in ["--if-missing", "--rotate"] {
        let wrong = create(&[more]);
        assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
        assert_eq!(held(), "root:x:0:0\n");
    }
}

#[test]
fn who_sends_a_token_to_a_file_is_told_if_the_shell_has_emptied_it() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let words = ["token", "create", "--role", "viewer", "--name", "w"];
    running.ok(&words);
    let file = folder.path("w.token");
    let again = |file: fs::File| {
        let mut command = running.usher(&[&words[..], &["--if-missing"]].concat());
        command.stdout(file).ended()
    };
    fs::write(&file, "usher_before\n").unwrap();
    // As `> FILE` does.
    let emptied = again(fs::File::create(&file).unwrap());
    assert_eq!(emptied.status.code(), Some(1), "{}", said(&emptied));
    assert!(said(&emptied).contains("emptied"), "{}", said(&emptied));
    assert!(said(&emptied).contains("--to FILE"), "{}", said(&emptied));
    let elsewhere = again(fs::File::create("/dev/null").unwrap());
    assert_eq!(elsewhere.status.code(), Some(0), "{}", said(&elsewhere));
}
