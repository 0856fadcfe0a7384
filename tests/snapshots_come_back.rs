//! `usher backup` and `usher restore`.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Ended, Folder, Running, said, stderr, usher};

#[test]
fn a_snapshot_of_a_serving_server_comes_back_and_grants_nothing_at_first() {
    let folder = Folder::new();
    let data = folder.path("data");
    let file = folder.path("backup.db");
    let running = Running::up(&data);
    running.ok(&["product", "add", "tool", "--seats", "2", "--max-ttl", "1h"]);
    let lease = running.ok(&["checkout", "tool", "--user", "anna"]);
    running.ok(&["backup", file.to_str().unwrap()]);
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    running.ok(&["product", "add", "later"]);

    let restore = |more: &[&str]| {
        usher()
            .arg("restore")
            .arg(&file)
            .arg("--data")
            .arg(&data)
            .args(more)
            .ended()
    };
    let refused = restore(&[]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(stderr(&refused).contains("in use"), "{}", stderr(&refused));

    assert_eq!(running.stop(), Some(0));
    let done = restore(&[]);
    assert!(done.status.success(), "{}", said(&done));
    let running = Running::up(&data);
    let products = running.json(&["product", "list"]);
    assert_eq!(products["items"].as_array().unwrap().len(), 1);
    assert_eq!(running.json(&["leases"])["items"][0]["id"], lease.trim());
    let (code, why) = running.fails(&["checkout", "tool", "--user", "bert"]);
    assert_eq!(code, 69, "{why}");

    assert_eq!(running.stop(), Some(0));
    let done = restore(&["--accept-risk"]);
    assert!(done.status.success(), "{}", said(&done));
    let running = Running::up(&data);
    let second = running.ok(&["checkout", "tool", "--user", "bert"]);
    assert_ne!(second, lease);
}

#[test]
fn what_is_no_snapshot_changes_nothing() {
    let folder = Folder::new();
    let data = folder.path("data");
    let running = Running::up(&data);
    running.ok(&["product", "add", "tool", "--seats", "1"]);
    assert_eq!(running.stop(), Some(0));
    let file = folder.path("no-backup");
    std::fs::write(&file, "not a database").unwrap();
    let output = usher()
        .arg("restore")
        .arg(&file)
        .arg("--data")
        .arg(&data)
        .ended();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let running = Running::up(&data);
    assert_eq!(running.json(&["product", "list"])["items"][0]["id"], "tool");
}

#[test]
fn a_data_file_that_is_gone_is_said_and_not_replaced_by_an_empty_one() {
    let folder = Folder::new();
    let data = folder.path("data");
    let up = Running::up(&data);
    up.ok(&["product", "add", "cad", "--seats", "2"]);
    assert_eq!(up.stop(), Some(0));
    let file = data.join("cache.db");
    let start = |more: &[&str]| {
        let mut command = usher();
        command.args(["server", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(&data).args(more).ended()
    };
    for is_there in [false, true] {
        std::fs::remove_file(&file).unwrap();
        if is_there {
            std::fs::write(&file, "").unwrap();
        }
        let output = start(&[]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let said = said(&output);
        for word in ["cache.db", "usher restore", "--begin-anew"] {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(file.exists(), is_there);
        if !is_there {
            std::fs::write(&file, "").unwrap();
        }
    }
    let mut anew = usher();
    anew.args([
        "up",
        "--no-agent",
        "--begin-anew",
        "--listen",
        "127.0.0.1:0",
    ]);
    let up = Running::start(&mut anew, &data);
    assert_eq!(
        up.json(&["product", "list"])["items"],
        serde_json::json!([])
    );
}
