//! What an administrator does in the first hours: backups that replace nothing, tokens that are not
//! doubled, servers that are added, rules for messages without a hand-written document.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, stdout, usher};

fn up(folder: &Folder) -> (Running, String) {
    let running = Running::up(&folder.path("data"));
    let word = running
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let console = word.unwrap().to_owned();
    (running, console)
}

fn backups(folder: &Folder) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder.path("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    all
}

#[test]
fn a_backup_replaces_nothing_unless_it_is_told_to() {
    let folder = Folder::new();
    let (running, _) = up(&folder);
    let file = folder.path("usher.db");
    fs::write(&file, "the one of before").unwrap();
    let path = file.to_str().unwrap();
    let refused = running.usher(&["backup", path]).ended();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("is there already"),
        "{}",
        said(&refused)
    );
    assert_eq!(fs::read(&file).unwrap(), b"the one of before");
    running.ok(&["backup", path, "--overwrite"]);
    assert!(fs::read(&file).unwrap().starts_with(b"SQLite format 3"));
}

#[test]
fn a_token_for_backups_takes_them_and_does_nothing_else_and_the_last_ones_are_kept() {
    let folder = Folder::new();
    let (running, _) = up(&folder);
    running.ok(&["product", "add", "cad", "--seats", "1"]);
    let token = running.ok(&["token", "create", "--role", "backup", "--name", "nightly"]);
    let file = folder.path("backup.token");
    fs::write(&file, &token).unwrap();
    fs::create_dir(folder.path("backups")).unwrap();
    for name in [
        "usher-2020-01-01T000000.db",
        "usher-2020-01-02T000000.db",
        "mine.db",
    ] {
        fs::write(folder.path("backups").join(name), "old").unwrap();
    }
    let mut take = usher();
    take.args([
        "backup",
        "--keep",
        "2",
        "--server",
        &running.api,
        "--token-from",
    ]);
    take.arg(&file).arg(folder.path("backups"));
    let output = take.ended();
    assert!(output.status.success(), "{}", said(&output));
    let left = backups(&folder);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left[0].ends_with("mine.db") && left[1].ends_with("usher-2020-01-02T000000.db"));
    assert!(fs::read(&left[2]).unwrap().starts_with(b"SQLite format 3"));

    for words in [
        &["status"][..],
        &["product", "list"],
        &["leases"],
        &["token", "list"],
        &["product", "add", "x", "--seats", "1"],
        &["checkout", "cad", "--user", "anna"],
        &["usage"],
    ] {
        let mut other = usher();
        other
            .args(words)
            .args(["--server", &running.api, "--token", token.trim()]);
        let output = other.ended();
        assert!(!output.status.success(), "{words:?}: {}", stdout(&output));
        assert!(
            said(&output).contains("role backup"),
            "{words:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn a_path_that_is_no_text_is_told_as_json_all_the_same() {
    let folder = Folder::new();
    let (running, _) = up(&folder);
    let odd = folder
        .path("data")
        .with_file_name(OsStr::from_bytes(b"odd\xff"));
    fs::create_dir(&odd).unwrap();
    let token = running.ok(&["token", "create", "--role", "backup", "--name", "nightly"]);
    let file = folder.path("backup.token");
    fs::write(&file, &token).unwrap();
    let mut take = usher();
    take.args(["backup", "--json", "--server", &running.api, "--token-from"]);
    take.arg(&file).arg(&odd);
    let mut make = usher();
    make.args(["tls", "make", "--json", "--name", "localhost", "--dir"]);
    make.arg(odd.join("tls"));
    let snapshot = folder.path("usher.db");
    running.ok(&["backup", snapshot.to_str().unwrap()]);
    let restore = || {
        let mut restore = usher();
        restore.args(["restore", "--json", "--data"]);
        restore.arg(odd.join("data")).arg(&snapshot);
        restore
    };
    // The second one keeps what the first one wrote, and names its place.
    for mut command in [take, make, restore(), restore()] {
        let output = command.ended();
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            stdout(&output).contains("odd\u{fffd}"),
            "{}",
            stdout(&output)
        );
    }
}

#[test]
fn a_managers_token_is_not_asked_of_a_server_in_silence() {
    let mut create = usher();
    create.args(["token", "create", "--role", "viewer", "--at-manager"]);
    let output = create.args(["--server", "http://127.0.0.1:9"]).ended();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("--at-manager=URL"),
        "{}",
        said(&output)
    );
    let mut list = usher();
    let output = list
        .args(["backup", "--list", "--token-from", "file"])
        .ended();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn a_nightly_backup_is_a_service_and_a_timer() {
    let folder = Folder::new();
    let units = folder.path("units");
    fs::create_dir(&units).unwrap();
    let mut install = usher();
    install.args([
        "service",
        "install-backup",
        "/srv/backup",
        "--keep",
        "7",
        "--ca-file",
        "ca.pem",
        "--unit-dir",
    ]);
    install.current_dir(folder.path(""));
    let output = install.arg(&units).ended();
    assert!(output.status.success(), "{}", said(&output));
    let service = fs::read_to_string(units.join("usher-backup.service")).unwrap();
    assert!(
        service.contains(" backup /srv/backup --keep 7 --token-from "),
        "{service}"
    );
    assert!(service.contains("LoadCredential=backup.token:/etc/usher/backup.token"));
    let ca_file = format!(" --ca-file {}\n", folder.path("ca.pem").display());
    assert!(service.contains(&ca_file), "{service}");
    assert!(units.join("usher-backup.timer").exists());

    let mut relative = usher();
    relative.args(["service", "install-backup", "nights", "--print"]);
    relative.args(["--token-from", "backup.token"]);
    let output = relative.current_dir(folder.path("")).ended();
    assert!(output.status.success(), "{}", said(&output));
    let units = stdout(&output);
    for (before, name) in [
        (" backup ", "nights"),
        ("ReadWritePaths=", "nights"),
        ("LoadCredential=backup.token:", "backup.token"),
    ] {
        let whole = format!("{before}{}", folder.path(name).display());
        assert!(units.contains(&whole), "{whole}: {units}");
    }
}

#[test]
fn a_sender_that_is_no_address_is_refused_when_the_manager_starts() {
    let folder = Folder::new();
    for wrong in ["ops", "a@b@example.org", "-f@example.org", "a@b\nBcc: c@d"] {
        let mut manager = usher();
        let output = manager
            .args(["manager", &format!("--mail-from={wrong}"), "--data"])
            .arg(folder.path("manager"))
            .ended();
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", said(&output));
        assert!(said(&output).contains("--mail-from"), "{}", said(&output));
    }
}

#[test]
fn a_token_with_the_same_name_and_binding_is_not_made_in_silence() {
    let folder = Folder::new();
    let (running, _) = up(&folder);
    let create = |more: &[&str]| {
        let words = ["token", "create", "--role", "agent", "--computer", "c-1"];
        running.usher(&[&words[..], more].concat()).ended()
    };
    let valid = || {
        let list = running.json(&["token", "list"]);
        let items = list["items"].as_array().unwrap().clone();
        let is_it = |token: &Value| token["computer"] == "c-1" && token["revoked_at"].is_null();
        items.into_iter().filter(is_it).count()
    };
    let first = create(&["--if-missing"]);
    assert!(stdout(&first).starts_with("usher_"), "{}", said(&first));
    let there = create(&["--if-missing"]);
    assert_eq!((there.status.code(), &*stdout(&there)), (Some(0), ""));
    assert!(
        said(&there).contains("is there already"),
        "{}",
        said(&there)
    );
    assert_eq!(valid(), 1);

    let second = create(&[]);
    assert!(said(&second).contains("stays valid"), "{}", said(&second));
    assert_eq!(valid(), 2);
    let rotated = create(&["--rotate"]);
    assert!(stdout(&rotated).starts_with("usher_"), "{}", said(&rotated));
    assert_eq!(valid(), 1);
}

#[test]
fn where_the_managers_token_is_and_where_an_added_servers_data_are_are_two_things() {
    let folder = Folder::new();
    let (running, console) = up(&folder);
    let token = folder.path("token");
    fs::write(&token, running.ok(&["token", "create", "--role", "viewer"])).unwrap();
    let add = |name: &str, more: &[&str]| {
        let token = token.to_str().unwrap().to_owned();
        let words = [
            "servers",
            "add",
            name,
            "--url",
            &running.api,
            "--manager",
            &console,
        ];
        let words = [&words[..], &["--token-file", &token], more].concat();
        // `--data` is given, as it is with each command of this test.
        running.json(&words)
    };
    let evidence = |seen: &Value| seen["evidence"].to_string();
    // One server is not watched under two names.
    let remove = |name: &str| running.ok(&["servers", "remove", name, "--manager", &console]);
    remove("local");
    let without = add("without", &[]);
    assert!(
        !evidence(&without).contains("service_manager"),
        "{without:#}"
    );
    remove("without");
    let data = folder.path("data");
    let with = add("with", &["--server-data", data.to_str().unwrap()]);
    assert!(evidence(&with).contains("service_manager"), "{with:#}");
}

#[test]
fn a_rule_for_messages_is_added_changed_tested_and_removed_by_its_name() {
    let folder = Folder::new();
    let (running, console) = up(&folder);
    let rules = |words: &[&str]| {
        let words = [&["messages", "rules"][..], words, &["--manager", &console]].concat();
        running.usher(&words).ended()
    };
    let names = || {
        let all: Value = serde_json::from_slice(&rules(&["--json"]).stdout).unwrap();
        let items = all["items"].as_array().unwrap().clone();
        let name = |rule: &Value| rule["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect::<Vec<_>>()
    };
    let defaults = names();
    let added = rules(&["add", "low", "--id", "9431", "--mail", "ops@example.org"]);
    assert!(added.status.success(), "{}", said(&added));
    assert!(
        stdout(&added).contains("mail ops@example.org"),
        "{}",
        stdout(&added)
    );
    let mut expected = defaults.clone();
    expected.insert(0, "low".to_owned());
    assert_eq!(names(), expected, "the others stay");

    let twice = rules(&["add", "low", "--mail", "ops@example.org"]);
    assert!(said(&twice).contains("already"), "{}", said(&twice));
    let edited = rules(&["edit", "low", "--severity", "error", "--system-log"]);
    assert!(
        stdout(&edited).contains("errors, 9431"),
        "{}",
        stdout(&edited)
    );
    let does = stdout(&edited);
    assert!(does.contains("mail ops@example.org"), "{does}");
    assert!(does.contains("system log"), "{does}");
    let words = [
        "edit",
        "low",
        "--store-days",
        "90",
        "--mail",
        "cad@example.org",
    ];
    let does = stdout(&rules(&words));
    for kept in ["system log", "keep 90 days", "mail cad@example.org"] {
        assert!(does.contains(kept), "{kept}: {does}");
    }
    assert!(!does.contains("ops@example.org"), "put in place: {does}");
    let tested = rules(&["test", "everything"]);
    assert!(
        stdout(&tested).contains("sends nothing"),
        "{}",
        said(&tested)
    );
    let nothing = rules(&["add", "none", "--severity", "error"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    let unknown = rules(&["remove", "nonsense"]);
    assert!(said(&unknown).contains("low"), "{}", said(&unknown));
    assert!(rules(&["remove", "low"]).status.success());
    assert_eq!(names(), defaults);
}

#[test]
fn what_cannot_work_is_refused_when_it_is_set_up() {
    let folder = Folder::new();
    let empty = folder.path("empty");
    std::fs::write(&empty, "\n").unwrap();
    let empty = empty.to_str().unwrap();
    let install = ["service", "install", "agent", "--print", "--server"];
    let cases: [(&[&str], &str); 4] = [
        (&["licences.example.org"], "is not a URL"),
        (
            &[
                "https://licences.example.org",
                "--ca-file",
                "/nonexistent/ca.pem",
            ],
            "cannot use the --ca-file",
        ),
        (
            &["https://licences.example.org", "--ca-file", empty],
            "cannot use the --ca-file",
        ),
        (&["https://licences.example.org"], ""),
    ];
    for (more, why) in cases {
        let output = usher().args(install).args(more).ended();
        let code = if why.is_empty() { 0 } else { 2 };
        assert_eq!(
            output.status.code(),
            Some(code),
            "{more:?}: {}",
            said(&output)
        );
        assert!(said(&output).contains(why), "{more:?}: {}", said(&output));
    }
    let mut agent = usher();
    agent.args([
        "agent",
        "--server",
        "http://127.0.0.1:9",
        "--token-file",
        empty,
    ]);
    let output = agent.arg("--data").arg(folder.path("agent")).ended();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("is empty"), "{}", said(&output));
}
