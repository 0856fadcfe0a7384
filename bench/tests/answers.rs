//! The runs about a large site work at a small size: each goes its whole way, and tells its figures
//! beside their goals.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn make(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("usher-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn is_empty_but_for(&self, name: &str) -> bool {
        let mut left = std::fs::read_dir(&self.0).unwrap().flatten();
        left.all(|entry| entry.file_name() == name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(what: &str, folder: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_usher-bench"))
        .arg(what)
        .args(options)
        .args(["--write", "-", "--folder"])
        .arg(folder)
        .output()
        .unwrap()
}

#[track_caller]
fn table(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The cells of the row that begins with these words.
#[track_caller]
fn row(table: &str, what: &str) -> Vec<String> {
    let begin = format!("| {what}");
    let row = table.lines().find(|line| line.starts_with(&begin));
    let row = row.unwrap_or_else(|| panic!("no row of {what} in\n{table}"));
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn a_site_takes_in_made_up_sessions_and_is_asked_about_them() {
    let folder = Folder::make("answers");
    let site = folder.0.join("kept");
    let kept = site.to_str().unwrap();
    let ingested = run("ingest", &folder.0, &["--sessions", "4000", "--keep", kept]);
    let figures = table(&ingested);
    let rate = row(&figures, "into the site's SQLite, roll-ups included");
    assert_eq!(rate[2], "at least 120,000 sessions/s");
    assert!(["yes", "no"].contains(&&*rate[4]), "{figures}");
    let rate = row(&figures, "into the site on PostgreSQL, roll-ups included");
    assert_eq!(rate[2], "at least 60,000 sessions/s");
    assert!(["yes", "no"].contains(&&*rate[4]), "{figures}");
    for what in [
        "control: the same rows into a bare table",
        "a session in SQLite",
        "a session in PostgreSQL",
    ] {
        let row = row(&figures, what);
        assert!(!row[3].starts_with('0') && row[4].is_empty(), "{figures}");
    }
    assert!(folder.is_empty_but_for("kept"));

    let asked = [
        "--sessions",
        "4000",
        "--site",
        kept,
        "--rounds",
        "1",
        "--python",
        "/does/not/exist",
    ];
    let figures = table(&run("reports", &folder.0, &asked));
    // In Berlin the time begins an hour after midnight, and so touches 91 days.
    for (what, items) in [
        ("by hours", "2,160 items"),
        ("by days", "91 items"),
        ("as one stretch", "1 item"),
    ] {
        let row = row(
            &figures,
            &format!("use of the busiest product {what}, {items}"),
        );
        assert!(["yes", "no"].contains(&&*row[4]), "{figures}");
    }
    let all = row(&figures, "use of 200 products as one stretch, 200 items");
    assert_eq!(all[2], "at most 0.500 s");
    let peer = row(&figures, "the time by that of DuckDB");
    assert!(
        peer[3].starts_with("not measured: there is no Python"),
        "{figures}"
    );
    assert_eq!(peer[4], "not measured");

    let holding = run("reports", &folder.0, &[&asked[..], &["--hold"]].concat());
    let said = String::from_utf8_lossy(&holding.stderr);
    assert_eq!(holding.status.code(), Some(1), "{said}");
    assert!(said.contains("goals are not reached: "), "{said}");
    assert!(said.contains("the time by that of DuckDB"), "{said}");

    let other = run(
        "reports",
        &folder.0,
        &["--sessions", "4001", "--site", kept],
    );
    let said = String::from_utf8_lossy(&other.stderr);
    assert!(said.contains("has 4000 sessions instead of 4001"), "{said}");
}

#[test]
fn sessions_come_with_their_leases_if_they_are_to() {
    let folder = Folder::make("answers-leases");
    let figures = table(&run(
        "ingest",
        &folder.0,
        &["--sessions", "1500", "--leases", "--into", "sqlite"],
    ));
    assert!(figures.contains("1,500 sessions of 90 days"), "{figures}");
    assert!(figures.contains("each with its lease"), "{figures}");
    assert!(folder.is_empty_but_for(""));
}

#[test]
fn recorded_asks_are_replayed_with_and_without_refusals() {
    let folder = Folder::make("answers-whatif");
    let figures = table(&run("whatif", &folder.0, &["--asks", "2000"]));
    for (refused, draws) in [(0, "1 draw"), (5, "20 draws")] {
        let what = format!("2,000 asks, {refused} % refused, 20 numbers of seats, {draws}");
        let row = row(&figures, &what);
        assert_eq!(row[2], "at most 15.00 s");
        assert!(["yes", "no"].contains(&&*row[4]), "{figures}");
    }
    // With as many seats as were ever held everybody has one.
    assert!(
        figures.contains("With 0 % refused, 2,000 asks without retries: Keep"),
        "{figures}"
    );
}
