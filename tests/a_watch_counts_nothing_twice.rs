//! What a watch reads of another licence server is in the site once: whatever becomes of the log, and
//! whoever is killed meanwhile. A server that cannot be asked is not one of which nothing is in use.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;
use usher_testing::undo::{self, Undo};

use crate::support::{Ended, Folder, Running, signal, stdout, usher, wait_for};

/// A manager that is killed and started again where it was, and watches of it.
struct Site {
    folder: Folder,
    manager: Option<Running>,
    console: String,
}

/// A watch, which ends with the test.
struct Watching {
    _ended: Undo,
    child: Child,
}

impl Watching {
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Site {
    fn new() -> Site {
        Site::with(|_| String::new())
    }

    /// One whose manager has these settings.
    fn with(settings: impl FnOnce(&Folder) -> String) -> Site {
        let mut site = Site {
            folder: Folder::new(),
            manager: None,
            console: "127.0.0.1:0".to_owned(),
        };
        fs::write(site.path("usher.toml"), settings(&site.folder)).unwrap();
        site.manage();
        site
    }

    fn manage(&mut self) {
        let mut command = usher();
        command.args(["manager", "--console", &self.console, "--heal", "off"]);
        command.args(["--config", self.path("usher.toml").to_str().unwrap()]);
        command.env("TZ", "UTC");
        let running = Running::start(&mut command, &self.folder.path("manager"));
        let mut words = running.ready.split(' ');
        let console = words.find_map(|word| word.strip_prefix("console=http://"));
        self.console = console.unwrap().to_owned();
        self.manager = Some(running);
    }

    fn kill(&mut self) {
        let mut running = self.manager.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let token = fs::read_to_string(self.path("manager/admin.token")).unwrap();
        let mut command = usher();
        command
            .args(["--data", self.path("own").to_str().unwrap()])
            .args(args)
            .env("USHER_MANAGER", format!("http://{}", self.console))
            .env("USHER_TOKEN", token.trim())
            .env("TZ", "UTC");
        command
    }

    fn watch(&self, args: &[&str]) -> Watching {
        let mut command = self.command(&["watch", "--every", "1s", "--time-zone", "UTC"]);
        let child = command.args(args).stdout(Stdio::null()).spawn().unwrap();
        Watching {
            _ended: undo::end_with_test(&[child.id()]).unwrap(),
            child,
        }
    }

    fn listed(&self) -> Value {
        let output = self.command(&["watch", "list", "--json"]).ended();
        let listed: Value = serde_json::from_str(&stdout(&output)).unwrap();
        listed["items"].clone()
    }

    fn wait_listed(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, || {
            let listed = self.listed();
            let one = listed[0].clone();
            is_so(&one).then_some(one)
        })
    }

    /// What the site database answers.
    fn count(&self, query: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.path("manager/site.db")).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    fn wait_count(&self, query: &str, expected: i64) {
        wait_for(&format!("{query} to be {expected}"), || {
            (self.count(query) == expected).then_some(())
        });
    }
}

const USES: &str = "SELECT count(*) FROM elsewhere_uses";
const ENDED: &str = "SELECT count(*) FROM elsewhere_uses WHERE ended_ms IS NOT NULL";

fn append(log: &Path, text: &str) {
    let mut file = fs::File::options()
        .append(true)
        .create(true)
        .open(log)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn each_use_of_a_log_is_there_once_whatever_becomes_of_log_watch_and_manager() {
    let mut site = Site::new();
    let log = site.path("debug.log");
    let path = log.to_str().unwrap();
    let args = ["flexnet-log", "lic1", "--log", path];
    // The log is not there yet.
    let watch = site.watch(&args);
    site.wait_listed("it waits", |it| it["state"] == "waiting");
    append(
        &log,
        " 8:00:00 (lmgrd) TIMESTAMP 11/30/2026\n 8:00:01 (MLM) OUT: \"Simulink\" ann@pc1\n",
    );
    site.wait_count(USES, 1);
    // The last line is not whole yet.
    append(
        &log,
        " 8:00:05 (MLM) OUT: \"Simulink\" bob@pc2\n 8:10:00 (MLM) IN: \"Simu",
    );
    site.wait_count(USES, 2);
    assert_eq!(site.count(ENDED), 0);
    append(&log, "link\" ann@pc1\n");
    site.wait_count(ENDED, 1);

    // It is renamed, and the use of bob ends in the new one.
    fs::rename(&log, site.path("debug.log.1")).unwrap();
    append(
        &log,
        " 8:20:00 (lmgrd) TIMESTAMP 11/30/2026\n 8:20:01 (MLM) IN: \"Simulink\" bob@pc2\n",
    );
    site.wait_count(ENDED, 2);

    // Both are killed in turn, and lines come while nobody reads or takes them.
    watch.kill();
    append(&log, " 8:30:00 (MLM) OUT: \"Simulink\" eve@pc3\n");
    let watch = site.watch(&args);
    site.wait_count(USES, 3);
    site.kill();
    append(
        &log,
        " 8:31:00 (MLM) OUT: \"Simulink\" kim@pc4\n 8:32:00 (MLM) IN: \"Simulink\" kim@pc4\n",
    );
    site.wait_listed("it fails", |it| it["state"] == "failing");
    site.manage();
    site.wait_count(USES, 4);
    site.wait_count(ENDED, 3);

    // Killed, renamed and begun anew meanwhile: the use of eve ends in a file that comes after hers.
    watch.kill();
    fs::rename(&log, site.path("debug.log.2")).unwrap();
    append(
        &log,
        " 8:40:00 (lmgrd) TIMESTAMP 11/30/2026\n 8:40:01 (MLM) IN: \"Simulink\" eve@pc3\n",
    );
    let watch = site.watch(&args);
    site.wait_count(ENDED, 4);

    // Cut where it is, and longer than before at once.
    fs::File::options()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(0)
        .unwrap();
    append(
        &log,
        " 8:50:00 (lmgrd) TIMESTAMP 11/30/2026\n 8:50:01 (MLM) OUT: \"Simulink\" ann@pc1\n \
         8:50:02 (MLM) FROB: \"Simulink\" ann@pc1 kim\n 8:51:00 (MLM) IN: \"Simulink\" ann@pc1\n",
    );
    site.wait_count(ENDED, 5);
    let it = site.wait_listed("the line that is not understood", |it| {
        it["not_understood"][0]["count"] == 1
    });
    assert_eq!(
        (&it["running"], &it["state"]),
        (&true.into(), &"following".into())
    );
    watch.kill();
    assert_eq!(site.listed()[0]["running"], false);

    // All of it again, and an import of the same files, add nothing.
    let once = [
        "watch",
        "flexnet-log",
        "lic1",
        "--time-zone",
        "UTC",
        "--once",
        "--again",
    ];
    let again = site.command(&once).args(["--log", path]).ended();
    assert!(again.status.success(), "{again:?}");
    let files = ["debug.log.1", "debug.log.2", "debug.log"].map(|name| site.path(name));
    let import = [
        "import",
        "flexnet-log",
        "--source",
        "lic1",
        "--time-zone",
        "UTC",
        "--json",
    ];
    let import = site.command(&import).args(files).ended();
    let answer: Value = serde_json::from_str(&stdout(&import)).unwrap();
    assert_eq!(answer["added"], 0, "{answer}");
    assert_eq!((site.count(USES), site.count(ENDED)), (5, 5));
}

fn report(holders: &[&str]) -> String {
    let used = holders.len();
    let lines: String = holders
        .iter()
        .map(|user| format!("    {user} pc1 :0 (v45) (lic1/27000 101), start Mon 11/30 0:01\n"))
        .collect();
    format!(
        "lmutil - Copyright (c) 1989-2024 Flexera. All Rights Reserved.\n\
         Flexible License Manager status on Mon 11/30/2026 0:02\n\n\
         License server status: 27000@lic1\n\n   lic1: license server UP (MASTER) v11.19.6\n\n\
         Vendor daemon status (on lic1):\n\n     MLM: UP v11.19.6\nFeature usage info:\n\n\
         Users of Simulink:  (Total of 5 licenses issued;  Total of {used} licenses in use)\n\n  \
         \"Simulink\" v45, vendor: MLM, expiry: 01-jan-2030\n  floating license\n\n{lines}\n"
    )
}

#[test]
fn who_is_in_no_report_any_more_has_ended_and_a_command_that_fails_ends_nobody() {
    let site = Site::new();
    let report_file = site.path("report");
    let shows = |holders: &[&str]| {
        let draft = site.path("draft");
        fs::write(&draft, report(holders)).unwrap();
        fs::rename(&draft, &report_file).unwrap();
    };
    shows(&["ann", "bob"]);
    let path = report_file.to_str().unwrap();
    let watch = site.watch(&["lmstat", "lic1", "--", "cat", path]);
    site.wait_count(USES, 2);
    shows(&["ann"]);
    site.wait_count(ENDED, 1);

    // The command fails for a while.
    fs::remove_file(&report_file).unwrap();
    let it = site.wait_listed("it fails", |it| it["state"] == "failing");
    let why = it["why"].as_str().unwrap();
    assert!(why.starts_with("cat printed nothing"), "{why}");
    assert!(why.contains("No such file"), "{why}");
    // Nobody at a time of which nothing is known has ended.
    assert_eq!((site.count(USES), site.count(ENDED)), (2, 1));
    shows(&["ann"]);
    site.wait_listed("it goes on", |it| it["state"] == "following");
    site.wait_count(
        "SELECT count(*) FROM elsewhere_silences WHERE to_ms > from_ms",
        1,
    );
    assert_eq!((site.count(USES), site.count(ENDED)), (2, 1));

    // What it prints is no report: nothing is known either.
    fs::write(&report_file, "segmentation fault\n").unwrap();
    site.wait_listed("nothing is understood", |it| it["state"] == "failing");
    watch.kill();
    shows(&[]);
    let watch = site.watch(&["lmstat", "lic1", "--", "cat", path]);
    site.wait_listed("it goes on", |it| it["state"] == "following");
    let level = "SELECT count(*) FROM elsewhere_levels WHERE in_use = 0";
    site.wait_count(level, 1);
    // A level that stays the same is told once, and two watches of one name are refused.
    let mut second = site.command(&["watch", "lmstat", "lic1", "--once", "--", "cat", path]);
    assert_eq!(second.ended().status.code(), Some(1));
    assert_eq!(site.count(level), 1);
    watch.kill();
}

#[test]
fn a_manager_watches_what_its_settings_name_and_tells_what_fails_and_what_is_back() {
    let site = Site::with(|folder| {
        let (log, report) = (folder.path("debug.log"), folder.path("report"));
        format!(
            "[watch.log1]\nkind = \"flexnet-log\"\nlog = {log:?}\nevery = \"1s\"\n\
             time-zone = \"UTC\"\nfailing-after = \"1h\"\n\
             [watch.lic1]\nkind = \"lmstat\"\ncommand = [\"cat\", {report:?}]\nevery = \"1s\"\n\
             failing-after = \"2s\"\n\
             [watch.hangs]\nkind = \"lmstat\"\ncommand = \"sleep 30\"\nfailing-after = \"1h\"\n"
        )
    });
    append(
        &site.path("debug.log"),
        " 8:00:00 (lmgrd) TIMESTAMP 11/30/2026\n 8:00:01 (MLM) OUT: \"Simulink\" ann@pc1\n",
    );
    // One that hangs holds up no other.
    site.wait_count(USES, 1);
    let messages = |id: u16| {
        let output = site.command(&["messages", "--json"]).ended();
        let page: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let its = items.into_iter().filter(|it| it["id"] == id);
        its.collect::<Vec<Value>>()
    };
    let told = wait_for("the failing watch to be told", || messages(9459).pop());
    assert_eq!(told["values"][0], "lic1");
    assert!(messages(9463).is_empty());
    fs::write(site.path("report"), report(&["bob"])).unwrap();
    let back = wait_for("the watch to be back", || messages(9463).pop());
    assert_eq!(back["values"][0], "lic1");
    site.wait_count(USES, 2);
    assert_eq!(messages(9459).len(), 1);

    // The administrator of the computer sees how each stands.
    let data = site.path("manager");
    let list = ["watch", "list", "--json", "--data", data.to_str().unwrap()];
    let output = usher().args(list).ended();
    let listed: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["hangs", "lic1", "log1"]);
}

/// A command that hangs, and writes the number of what it has started into this file.
fn hangs(pid: &Path) -> [String; 3] {
    let file = pid.display();
    let script = format!("sleep 600 & echo $! > '{file}.draft'; mv '{file}.draft' '{file}'; wait");
    ["sh".to_owned(), "-c".to_owned(), script]
}

/// What such a command has started.
fn started(pid: &Path) -> u32 {
    wait_for("the command to start another", || {
        fs::read_to_string(pid).ok()?.trim().parse().ok()
    })
}

fn is_gone(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

fn wait_gone(pid: u32) {
    wait_for("what the command has started to end", || {
        is_gone(pid).then_some(())
    });
}

#[test]
fn what_a_command_has_started_ends_with_its_time_and_with_whoever_watches() {
    let managed = |folder: &Folder| {
        let words = hangs(&folder.path("managed"));
        format!("[watch.lic1]\nkind = \"lmstat\"\ncommand = {words:?}\nwithin = \"1h\"\n")
    };
    let mut site = Site::with(managed);
    let pid = site.path("late");
    let words = hangs(&pid);
    let late = ["watch", "lmstat", "lic2", "--once", "--within", "1s", "--"];
    let output = site.command(&late).args(&words).ended();
    assert_eq!(output.status.code(), Some(1));
    wait_gone(started(&pid));

    // Ctrl-C, as a terminal has it, and what `kill` sends.
    for (name, told, code) in [("int", Signal::SIGINT, 130), ("term", Signal::SIGTERM, 143)] {
        let pid = site.path(name);
        let args = ["lmstat", name, "--within", "1h", "--"].map(str::to_owned);
        let args: Vec<String> = args.into_iter().chain(hangs(&pid)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut watch = site.watch(&args);
        let started = started(&pid);
        assert!(!is_gone(started));
        signal(watch.child.id(), told);
        assert_eq!(watch.child.wait().unwrap().code(), Some(code));
        wait_gone(started);
    }

    // The manager's own.
    let started = started(&site.path("managed"));
    assert!(!is_gone(started));
    let mut manager = site.manager.take().unwrap();
    signal(manager.child.id(), Signal::SIGTERM);
    assert!(manager.child.wait().unwrap().success());
    wait_gone(started);
}
