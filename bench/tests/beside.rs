//! The run beside peers works on this machine: each peer starts, answers, and is gone afterwards.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Names of servers whose command line or folder holds `mark`.
fn running(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(mark))
        .collect()
}

#[test]
fn redis_and_postgresql_are_measured_beside_the_no_op_server_and_leave_nothing() {
    let folder = std::env::temp_dir().join(format!("usher-beside-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    // PostgreSQL runs under an account of its own, which has to get through.
    let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    fs::set_permissions(&folder, open).unwrap();
    let document = folder.join("performance.md");
    let output = Command::new(env!("CARGO_BIN_EXE_usher-bench"))
        .args([
            "side-by-side",
            "--quick",
            "--connections",
            "2",
            "--without",
            "usher",
        ])
        .arg("--folder")
        .arg(&folder)
        .arg("--write")
        .arg(&document)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let text = fs::read_to_string(&document).unwrap();
    for name in [
        "no-op server, checkout alone",
        "Redis, appendfsync always, 100 pools",
        "PostgreSQL, one hot row",
    ] {
        let row = text.lines().find(|line| line.contains(name));
        let row = row.unwrap_or_else(|| panic!("no row of {name} in\n{text}"));
        let rate: u64 = row
            .split('|')
            .nth(2)
            .unwrap()
            .trim()
            .replace(',', "")
            .parse()
            .unwrap();
        assert!(rate > 0, "{row}");
    }
    fs::remove_file(&document).unwrap();
    assert_eq!(running(&folder.to_string_lossy()), Vec::<String>::new());
    let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    fs::remove_dir(&folder).unwrap();
    assert!(!Path::new(&folder).exists());
}
