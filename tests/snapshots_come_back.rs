//! `usher backup` and `usher restore`.

use std::os::unix::fs::PermissionsExt;

use crate::http::Http;
use crate::support::{Ended, Folder, Running, said, stderr, usher, wait_for};

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
    let told = |more: &[&str]| -> serde_json::Value {
        let told = restore(&[more, &["--dry-run", "--json"]].concat());
        assert!(told.status.success(), "{}", said(&told));
        serde_json::from_slice(&told.stdout).unwrap()
    };
    let before = std::fs::read(data.join("cache.db")).unwrap();
    let coming = told(&[]);
    assert_eq!(coming["waits_for"], "last_lease", "{coming}");
    assert!(coming["hold_seconds"].as_u64() > Some(0), "{coming}");
    assert_eq!(told(&["--accept-risk"])["hold_seconds"], 0);
    assert_eq!(std::fs::read(data.join("cache.db")).unwrap(), before);
    assert!(!data.join("cache.db.before-restore-1").exists());
    let done = restore(&[]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(data.join("cache.db.before-restore-1").exists());
    for suffix in ["wal", "shm"] {
        let beside = data.join(format!("cache.db.before-restore-1-{suffix}"));
        assert!(!beside.exists(), "{}", beside.display());
    }
    let running = Running::up(&data);
    let products = running.json(&["product", "list"]);
    assert_eq!(products["items"].as_array().unwrap().len(), 1);
    assert_eq!(running.json(&["leases"])["items"][0]["id"], lease.trim());
    let (code, why) = running.fails(&["checkout", "tool", "--user", "bert"]);
    assert_eq!(code, 75, "{why}");

    assert_eq!(running.stop(), Some(0));
    // The same copy once more: what was there before knows of all that was granted since.
    let coming = told(&[]);
    assert_ne!(coming["waits_for"], "longest_ttl", "{coming}");
    assert!(coming["hold_seconds"].as_u64() < Some(3_600), "{coming}");
    let done = restore(&["--accept-risk"]);
    assert!(done.status.success(), "{}", said(&done));
    let running = Running::up(&data);
    let second = running.ok(&["checkout", "tool", "--user", "bert"]);
    assert_ne!(second, lease);
}

#[test]
fn a_snapshot_is_kept_before_each_scheduled_pack_and_comes_back_by_its_name() {
    let folder = Folder::new();
    let data = folder.path("data");
    let mut command = usher();
    command.args(["server", "--listen", "127.0.0.1:0", "--keep-snapshots", "1"]);
    let running = Running::start(&mut command, &data);
    running.ok(&["product", "add", "tool", "--seats", "2"]);
    assert_eq!(
        running.json(&["backup", "--list"])["items"],
        serde_json::json!([])
    );
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let mut http = Http::connect(&running.api, token.trim()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let pack_time = now.unwrap().as_secs() + 1;
    let plan = serde_json::json!({ "schedule": "every 6 hours", "pack_time": pack_time });
    let put = http.ask("PUT", "/v1/pack/schedule", Some(&plan)).unwrap();
    assert_eq!(put.status, 200);
    let kept = wait_for("a snapshot", || {
        let kept = running.json(&["backup", "--list"])["items"].clone();
        (kept.as_array().unwrap().len() == 1).then_some(kept)
    });
    assert_eq!(kept[0]["reason"], "before-pack");
    // It is lost with the disk that it shares: no backup.
    assert!(running.json(&["status"])["server"]["last_backup_at"].is_null());
    running.ok(&["product", "add", "later"]);
    assert_eq!(running.stop(), Some(0));
    let name = kept[0]["name"].as_str().unwrap();
    let restore = |name: &str| usher().args(["restore", name, "--data"]).arg(&data).ended();
    let unknown = restore("usher-1999-12-31T235959Z-before-pack.db");
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
    let done = restore(name);
    assert!(done.status.success(), "{}", said(&done));
    let running = Running::up(&data);
    let products = running.json(&["product", "list"]);
    assert_eq!(products["items"].as_array().unwrap().len(), 1);
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

#[test]
fn a_server_is_not_begun_in_the_directory_of_a_manager() {
    let folder = Folder::new();
    let data = folder.path("data");
    let mut manager = usher();
    manager.args(["manager", "--console", "127.0.0.1:0"]);
    let manager = Running::start(&mut manager, &data);
    assert_eq!(manager.stop(), Some(0));
    let mut server = usher();
    server.args(["server", "--listen", "127.0.0.1:0", "--data"]);
    let refused = server.arg(&data).ended();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("is the data directory of a manager"),
        "{}",
        said(&refused)
    );
}
