//! A backup or a restore of a site that is killed, or stopped, leaves the backup and the site of before as
//! they were, and the next one succeeds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use usher_testing::postgres::Postgres;

use crate::support::{Ended, Folder, Running, finish, reap, said, signal, usher, wait_for};

/// Enough that a copy takes some hundred milliseconds.
const MESSAGES: u32 = 40_000;

/// So many messages of a kilobyte, from the number on; SQL of either engine.
fn messages(series: &str) -> String {
    let text = "x".repeat(1_000);
    format!(
        "INSERT INTO messages (id, severity, component, computer, site, process_id, first_ms, last_ms, \
         vals, count, keep_until_ms, summarised) SELECT 9406, 1, 'a', 'b', 'c', 1, n, n, '{text}', 1, \
         9000000000000000, {} {series}",
        // PostgreSQL has truth values there.
        if series.contains("generate_series") {
            "false"
        } else {
            "0"
        },
    )
}

fn manager(data: &Path, database: &[&str]) -> Running {
    let mut command = usher();
    command.args(["manager", "--console", "127.0.0.1:0", "--heal", "off"]);
    Running::start(command.args(database), data)
}

/// A command on a site, and where that is.
struct OnSite {
    folder: Folder,
    place: Vec<String>,
}

impl OnSite {
    fn command(&self, words: &[&str], file: &Path) -> Command {
        let mut command = usher();
        command
            .args(words)
            .arg("--site")
            .arg(file)
            .args(&self.place);
        command
    }

    fn done(&self, words: &[&str], file: &Path) -> Output {
        let output = self.command(words, file).ended();
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        output
    }

    fn begin(&self, words: &[&str], file: &Path) -> Child {
        self.command(words, file).spawn().unwrap()
    }
}

/// A site in a file, with much in it and a log that a manager which was killed has left.
fn in_a_file() -> (OnSite, PathBuf) {
    let folder = Folder::new();
    let data = folder.path("manager");
    assert_eq!(manager(&data, &[]).stop(), Some(0));
    let site = data.join("site.db");
    let series = format!(
        "FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MESSAGES}) \
         SELECT n FROM s)"
    );
    let connection = Connection::open(&site).unwrap();
    connection.execute_batch(&messages(&series)).unwrap();
    drop(connection);
    let place = vec!["--data".to_owned(), data.display().to_string()];
    (OnSite { folder, place }, site)
}

/// Writes something that is only in the log of the file, as of a manager that was killed.
fn mark(site: &Path, value: &str) {
    let connection = Connection::open(site).unwrap();
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    let sql = "INSERT INTO settings (name, value) VALUES ('mark', ?1) \
               ON CONFLICT (name) DO UPDATE SET value = ?1";
    connection.execute(sql, [value]).unwrap();
}

/// The mark in a file that is whole.
fn mark_in(site: &Path) -> String {
    let connection = Connection::open(site).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    let count: u32 = connection
        .query_row(
            "SELECT count(*) FROM messages WHERE keep_until_ms = 9000000000000000",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!((&*verdict, count), ("ok", MESSAGES));
    let sql = "SELECT value FROM settings WHERE name = 'mark'";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn part(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.part", file.display()))
}

/// Whether it has come so far that it is written to.
fn is_begun(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > 1_000_000)
}

fn kill(mut child: Child) {
    // It may have ended by now.
    let _ = child.kill();
    reap(&mut child);
}

/// A backup of that site, which a manager has open, is stopped, killed and made.
fn backups_of(on: &OnSite) -> PathBuf {
    let file = on.folder.path("copy");
    on.done(&["backup"], &file);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&file).unwrap();
    for end in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let backup = on.begin(&["backup", "--overwrite"], &file);
        wait_for("the backup to be under way", || {
            is_begun(&part(&file)).then_some(())
        });
        // Two do not write to one file.
        signal(backup.id(), Signal::SIGSTOP);
        let other = on.command(&["backup", "--overwrite"], &file).ended();
        assert_eq!(other.status.code(), Some(75), "{}", said(&other));
        signal(backup.id(), end);
        signal(backup.id(), Signal::SIGCONT);
        let output = finish(backup);
        assert!(
            fs::read(&file).unwrap() == before,
            "{end}: the old one is as it was"
        );
        if end == Signal::SIGKILL {
            assert!(part(&file).exists());
            continue;
        }
        assert_eq!(
            output.status.code(),
            Some(128 + end as i32),
            "{}",
            said(&output)
        );
        assert!(
            said(&output).contains("the backup was stopped"),
            "{}",
            said(&output)
        );
        assert!(!part(&file).exists());
    }
    // Nothing that was left is in the way.
    let cut = on.begin(&["backup", "--overwrite"], &file);
    wait_for("the backup to be under way", || {
        is_begun(&part(&file)).then_some(())
    });
    kill(cut);
    on.done(&["backup", "--overwrite"], &file);
    assert!(!part(&file).exists());
    let refused = on.command(&["restore"], &file).ended();
    assert!(said(&refused).contains("in use"), "{}", said(&refused));
    file
}

#[test]
fn a_backup_of_a_file_that_is_killed_leaves_the_one_of_before() {
    let (on, site) = in_a_file();
    let manager = manager(site.parent().unwrap(), &[]);
    let copy = backups_of(&on);
    assert_eq!(manager.stop(), Some(0));
    on.done(&["restore"], &copy);
}

#[test]
fn a_file_is_whole_whenever_its_restore_is_killed() {
    let (on, site) = in_a_file();
    mark(&site, "copied");
    let copy = on.folder.path("copy");
    on.done(&["backup"], &copy);
    mark(&site, "later");
    let begun = Instant::now();
    on.done(&["restore", "--dry-run"], &copy);
    let takes = begun.elapsed();
    for twelfth in 0..12 {
        mark(&site, &format!("later {twelfth}"));
        let restore = on.begin(&["restore"], &copy);
        // tidy: sleep, the kill is to come at another moment each time
        std::thread::sleep(takes * twelfth / 12);
        kill(restore);
        let found = mark_in(&site);
        assert!(
            found == format!("later {twelfth}") || found == "copied",
            "{found}"
        );
    }
    // At the exchange, which is short.
    let folder = site.parent().unwrap();
    let kept = || {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names
            .filter(|name| name.contains(".before-restore-"))
            .count()
    };
    for round in 0..5 {
        mark(&site, "written");
        assert_eq!(mark_in(&site), "written");
        mark(&site, "exchanged");
        let (before, mut restore) = (kept(), on.begin(&["restore"], &copy));
        let end = Instant::now() + Duration::from_secs(30);
        while kept() == before && matches!(restore.try_wait(), Ok(None)) {
            assert!(Instant::now() < end, "round {round}");
        }
        kill(restore);
        let found = mark_in(&site);
        assert!(["exchanged", "copied"].contains(&&*found), "{found}");
    }
    // One that is told to stop leaves nothing.
    let incoming = folder.join("site.db.incoming");
    // A kill may have left one, which would be taken for that of the next.
    drop(fs::remove_file(&incoming));
    mark(&site, "stopped");
    let restore = on.begin(&["restore"], &copy);
    wait_for("the restore to be under way", || {
        is_begun(&incoming).then_some(())
    });
    signal(restore.id(), Signal::SIGTERM);
    let stopped = finish(restore);
    assert_eq!(stopped.status.code(), Some(143), "{}", said(&stopped));
    assert!(!incoming.exists());
    assert_eq!(mark_in(&site), "stopped");
    on.done(&["restore"], &copy);
    assert_eq!(mark_in(&site), "copied");
    assert_eq!(manager(folder, &[]).stop(), Some(0));
}

#[test]
fn of_two_restores_of_a_file_at_once_one_is_refused_or_both_come_after_each_other() {
    let (on, site) = in_a_file();
    mark(&site, "copied");
    let copy = on.folder.path("copy");
    on.done(&["backup"], &copy);
    let first = on.begin(&["restore"], &copy);
    wait_for("the restore to be under way", || {
        site.with_file_name("site.db.incoming")
            .exists()
            .then_some(())
    });
    let second = on.command(&["restore"], &copy).ended();
    let first = finish(first);
    assert!(first.status.success(), "{}", said(&first));
    assert!(
        second.status.success() || said(&second).contains("in use"),
        "{}",
        said(&second)
    );
    assert_eq!(mark_in(&site), "copied");
}

/// A site on PostgreSQL, with as much in it.
fn on_postgresql() -> (Postgres, OnSite) {
    let cluster = Postgres::start().unwrap();
    cluster.sql("postgres", "CREATE DATABASE site").unwrap();
    let url = format!("postgres://postgres@{}/site", cluster.host());
    let folder = Folder::new();
    assert_eq!(
        manager(&folder.path("manager"), &["--database", &url]).stop(),
        Some(0)
    );
    let series = format!("FROM generate_series(1, {MESSAGES}) AS s(n)");
    cluster.sql("site", &messages(&series)).unwrap();
    let place = vec!["--database".to_owned(), url];
    (cluster, OnSite { folder, place })
}

#[test]
fn a_backup_of_a_database_that_is_killed_leaves_the_one_of_before() {
    let (cluster, on) = on_postgresql();
    let database = [&*on.place[0], &*on.place[1]];
    let manager = manager(&on.folder.path("manager"), &database);
    let copy = backups_of(&on);
    assert_eq!(manager.stop(), Some(0));
    on.done(&["restore"], &copy);
    drop(cluster);
}

#[test]
fn a_database_is_as_it_was_whenever_its_restore_is_killed() {
    let (mut cluster, on) = on_postgresql();
    let copy = on.folder.path("copy");
    on.done(&["backup"], &copy);
    let mark = "INSERT INTO settings (name, value) VALUES ('mark', 'later')";
    cluster.sql("site", mark).unwrap();
    let marks = "SELECT count(*) FROM settings WHERE name = 'mark'";
    let alone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'usher copy'";
    let is_over = |cluster: &Postgres| {
        wait_for("the session of the restore to end", || {
            (cluster.sql("postgres", alone).unwrap() == "0").then_some(())
        });
    };
    let begun = Instant::now();
    on.done(&["restore", "--dry-run"], &copy);
    let takes = begun.elapsed() * 2;
    let (mut was_there, mut is_done) = (0, false);
    for eighth in 0..8 {
        let restore = on.begin(&["restore"], &copy);
        // tidy: sleep, the kill is to come at another moment each time
        std::thread::sleep(takes * eighth / 8);
        kill(restore);
        is_over(&cluster);
        match &*cluster.sql("site", marks).unwrap() {
            "1" => was_there += 1,
            _ => {
                is_done = true;
                cluster.sql("site", mark).unwrap();
            }
        }
        let count = cluster
            .sql("site", "SELECT count(*) FROM messages")
            .unwrap();
        assert!(
            count.parse::<u32>().unwrap() >= MESSAGES,
            "{count}, {is_done}"
        );
    }
    assert!(was_there > 0);
    // The server is killed while its rows come.
    let mut restore = on.begin(&["restore"], &copy);
    wait_for("rows to come", || {
        let copies =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY messages%FROM STDIN'";
        let comes = cluster.sql("postgres", copies).unwrap() == "1";
        (comes || !matches!(restore.try_wait(), Ok(None))).then_some(())
    });
    cluster.kill().unwrap();
    let failed = finish(restore);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    cluster.serve(&[]).unwrap();
    assert_eq!(
        cluster.sql("site", marks).unwrap(),
        "1",
        "{}",
        said(&failed)
    );
    let done = on.done(&["restore"], &copy);
    assert_eq!(cluster.sql("site", marks).unwrap(), "0", "{}", said(&done));
    let database = [&*on.place[0], &*on.place[1]];
    assert_eq!(
        manager(&on.folder.path("manager"), &database).stop(),
        Some(0)
    );
}

#[test]
fn a_database_is_not_restored_while_a_backup_of_it_is_made_nor_the_other_way() {
    let (cluster, on) = on_postgresql();
    let copy = on.folder.path("copy");
    on.done(&["backup"], &copy);
    let part = part(&on.folder.path("other"));
    let backup = on.begin(&["backup"], &on.folder.path("other"));
    wait_for("the backup to be under way", || {
        is_begun(&part).then_some(())
    });
    signal(backup.id(), Signal::SIGSTOP);
    let refused = on.command(&["restore"], &copy).ended();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("in use: usher copy at "),
        "{}",
        said(&refused)
    );
    signal(backup.id(), Signal::SIGCONT);
    let done = finish(backup);
    assert!(done.status.success(), "{}", said(&done));

    let restore = on.begin(&["restore"], &copy);
    let locks = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
                 WHERE l.locktype = 'advisory' AND a.application_name = 'usher copy'";
    wait_for("the restore to have the site", || {
        (cluster.sql("postgres", locks).unwrap() == "1").then_some(())
    });
    signal(restore.id(), Signal::SIGSTOP);
    let refused = on.command(&["backup", "--overwrite"], &copy).ended();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("a restore of the site is under way"),
        "{}",
        said(&refused)
    );
    signal(restore.id(), Signal::SIGCONT);
    let done = finish(restore);
    assert!(done.status.success(), "{}", said(&done));
}
