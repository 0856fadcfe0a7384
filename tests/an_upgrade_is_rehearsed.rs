//! `usher upgrade`: what a new version cannot do is found on a copy of the data, and the version
//! that runs serves on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::http::Http;
use crate::installed::{DATA, Installed};
use crate::load::Load;
use crate::support::{
    Ended, Folder, Running, finish_within, program, said, stderr, stdout, usher, wait_for,
};

/// A rehearsal starts a server half a dozen times.
const REHEARSAL: Duration = Duration::from_secs(240);

/// A file as version 0.1.0 left it.
const SCHEMA_1: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/store/tests/fixtures/0.1.0-schema-1.db"
);

/// An installation of its own, which may be exchanged.
struct Site {
    folder: Folder,
    running: Running,
}

impl Site {
    fn new() -> Site {
        let folder = Folder::new();
        let installed = folder.path("usher");
        std::fs::copy(program(), &installed).unwrap();
        let mut command = usher_testing::surroundings::command(&installed);
        command.args(["up", "--no-agent", "--listen", "127.0.0.1:0"]);
        command.args(["--console", "127.0.0.1:0"]);
        let running = Running::start(&mut command, &folder.path("data"));
        running.ok(&["product", "add", "tool", "--seats", "5"]);
        Site { folder, running }
    }

    fn installed(&self) -> PathBuf {
        self.folder.path("usher")
    }

    /// Another program that does what this one does.
    fn other(&self) -> PathBuf {
        let other = self.folder.path("usher-new");
        let mut bytes = std::fs::read(program()).unwrap();
        bytes.extend(b"another");
        std::fs::write(&other, bytes).unwrap();
        executable(&other);
        other
    }

    /// A new version that does all but pack.
    fn cannot_pack(&self) -> PathBuf {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_usher-that-cannot-pack"));
        let real = self.folder.path("data").join("rehearsal").join("real");
        let path = self.folder.path("usher-cannot-pack");
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && exec {0} --version\necho {0} > {1}\n\
             cp {2} {3}\nexec {3} \"$@\"\n",
            crate::support::program().display(),
            real.display(),
            program.display(),
            real.with_file_name("planted").display(),
        );
        std::fs::write(&path, script).unwrap();
        executable(&path);
        path
    }

    /// A new version with a fault: a script around the program, which is `$USHER` in it.
    fn planted(&self, fault: &str, script: &str) -> PathBuf {
        let path = self.folder.path(&fault.replace(' ', "-"));
        let head = format!(
            "#!/bin/sh\nUSHER={}\n[ \"$1\" = --version ] && exec \"$USHER\" --version\n",
            program().display()
        );
        std::fs::write(&path, head + script).unwrap();
        executable(&path);
        path
    }

    fn upgrade(&self, args: &[&str]) -> Output {
        let mut command = self.running.usher(&[&["upgrade"], args].concat());
        finish_within(command.spawn().unwrap(), REHEARSAL)
    }

    fn token(&self) -> String {
        let path = self.folder.path("data").join("admin.token");
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    fn leases(&self) -> Vec<Value> {
        let all = self.running.json(&["leases"]);
        all["items"].as_array().unwrap().clone()
    }

    /// The hash of what the server's process was started from is too dear to compare: its size is
    /// enough to tell the two programs apart.
    fn server_bytes(&self) -> u64 {
        let pid = wait_for("the server", || self.running.role("server"));
        std::fs::metadata(format!("/proc/{pid}/exe")).unwrap().len()
    }
}

fn executable(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_new_version_with_a_fault_is_found_out_and_the_old_one_serves_on() {
    let site = Site::new();
    let lease = site.running.ok(&["checkout", "tool", "--user", "ada"]);
    let server = site.running.role("server");
    let before = std::fs::read(site.installed()).unwrap();
    let faults = [
        (
            "crashes at its start",
            "echo cannot start today >&2\nexit 3\n",
            "starts on a copy",
            "exit code 3",
        ),
        (
            "does not stop",
            "trap '' TERM\n\"$USHER\" \"$@\"\nwhile :; do sleep 1; done\n",
            "obeys every control",
            "still runs",
        ),
        (
            "ends badly",
            "\"$USHER\" \"$@\"\nexit 9\n",
            "obeys every control",
            "exit code 9",
        ),
        (
            "forgets what it answered",
            "for word; do case $word in */rehearsal) data=$word;; esac; done\n\
             [ -e \"$data/kept.db\" ] && cp \"$data/kept.db\" \"$data/cache.db\" && \
             rm -f \"$data\"/cache.db-*\n\
             [ -e \"$data/kept.db\" ] || cp \"$data/cache.db\" \"$data/kept.db\"\n\
             exec \"$USHER\" \"$@\"\n",
            "obeys every control",
            "before its last start",
        ),
    ];
    let planted =
        faults.map(|(fault, script, step, why)| (fault, site.planted(fault, script), step, why));
    let cannot_pack = (
        "cannot pack",
        site.cannot_pack(),
        "when it packs",
        "did not get done",
    );
    for (fault, new, step, why) in planted.into_iter().chain([cannot_pack]) {
        let refused = site.upgrade(&[new.to_str().unwrap()]);
        assert_eq!(
            refused.status.code(),
            Some(1),
            "{fault}: {}",
            said(&refused)
        );
        let text = stderr(&refused);
        assert!(text.contains(step) && text.contains(why), "{fault}: {text}");
        assert!(text.contains("serves on"), "{fault}: {text}");
    }
    assert_eq!(site.running.role("server"), server, "it was left alone");
    assert_eq!(std::fs::read(site.installed()).unwrap(), before);
    assert!(!site.folder.path("data").join("rehearsal").exists());
    site.running.ok(&["renew", lease.trim()]);
}

#[test]
fn a_new_version_that_fails_only_in_its_place_is_taken_back() {
    let site = Site::new();
    let lease = site.running.ok(&["checkout", "tool", "--user", "ada"]);
    let before = site.server_bytes();
    let new = site.planted(
        "fails only in its place",
        "case \"$*\" in */rehearsal*) exec \"$USHER\" \"$@\";; esac\n\
         echo not on this data >&2\nexit 4\n",
    );
    let load = Load::begin(&site.running.api, &site.token());
    let refused = site.upgrade(&[new.to_str().unwrap()]);
    load.goes_on("load after the way back");
    let (rounds, failures) = load.end();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let text = stderr(&refused);
    assert!(
        text.contains("exit code 4") && text.contains("is back in its place"),
        "{text}"
    );
    assert_eq!(site.server_bytes(), before);
    assert_eq!(failures, Vec::<String>::new(), "of {rounds}");
    site.running.ok(&["renew", lease.trim()]);
}

#[test]
fn an_upgrade_and_the_way_back_fail_no_request_and_lose_no_lease() {
    let site = Site::new();
    let lease = site.running.ok(&["checkout", "tool", "--user", "ada"]);
    let new = site.other();
    let new_bytes = std::fs::metadata(&new).unwrap().len();
    let old_bytes = site.server_bytes();
    let manager = site.running.role("manager").unwrap();

    let rehearsed = site.upgrade(&[new.to_str().unwrap(), "--rehearse-only"]);
    assert!(rehearsed.status.success(), "{}", said(&rehearsed));
    assert_eq!(site.server_bytes(), old_bytes, "nothing was exchanged");
    let snapshots = site.folder.path("data").join("snapshots");
    assert!(!snapshots.exists(), "a rehearsal leaves nothing behind");

    let load = Load::begin(&site.running.api, &site.token());
    let done = site.upgrade(&[new.to_str().unwrap(), "--json"]);
    assert!(done.status.success(), "{}", said(&done));
    let told: Value = serde_json::from_str(&stdout(&done)).unwrap();
    // Those of the load that were out at that instant, too.
    assert!(told["leases"].as_u64() >= Some(1), "{told}");
    assert!(
        Path::new(told["snapshot"].as_str().unwrap()).is_file(),
        "{told}"
    );
    assert_eq!(site.server_bytes(), new_bytes);
    assert_ne!(site.running.role("manager"), Some(manager));
    load.goes_on("load after the upgrade");

    let back = site.upgrade(&["--back"]);
    assert!(back.status.success(), "{}", said(&back));
    let kept = std::fs::read_dir(snapshots).unwrap().count();
    assert_eq!(kept, 1, "the way back takes no snapshot away");
    assert_eq!(site.server_bytes(), old_bytes);
    load.goes_on("load after the way back");
    let (rounds, failures) = load.end();
    assert_eq!(failures, Vec::<String>::new(), "of {rounds}");
    let left = site.leases();
    assert_eq!(
        (left.len(), left[0]["id"].as_str()),
        (1, Some(lease.trim()))
    );
}

#[test]
fn under_systemd_the_unit_is_started_anew_and_no_request_fails() {
    let server = Installed::with_a_program_of_its_own();
    server.product(5);
    let lease = server.lease();
    let pid = server.main_pid();
    let load = Load::begin(&server.api, &server.token());
    let words = ["upgrade", "/run/own/usher-new", "--data", DATA];
    let upgrade = server
        .systemd
        .command(&[&["/run/own/usher"], &words[..], &["--server", &server.api]].concat())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let done = finish_within(upgrade, REHEARSAL);
    assert!(
        done.status.success(),
        "{}\n{}",
        said(&done),
        server.systemd.journal()
    );
    load.goes_on("load after the upgrade");
    let (rounds, failures) = load.end();
    assert_eq!(failures, Vec::<String>::new(), "of {rounds}");
    assert_ne!(server.main_pid(), pid);
    assert_eq!(server.leases(), [lease]);
    let own = |name: &str| std::fs::read(server.systemd.inside("/run/own").join(name)).unwrap();
    assert!(
        own("usher") == own("usher-new"),
        "the new program is in its place"
    );
    assert!(own("usher.previous") != own("usher"), "the old one is kept");
}

#[test]
fn a_version_that_finds_older_data_rehearses_before_it_serves_and_only_once() {
    let folder = Folder::new();
    let data = folder.path("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(SCHEMA_1, data.join("cache.db")).unwrap();
    let log = folder.path("log");
    let start = || {
        let mut command = usher();
        command.args(["server", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(&data);
        command.stderr(std::fs::File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let ready = wait_for("the server to be ready or to end", || {
            let text = std::fs::read_to_string(&log).unwrap();
            let is_over = child.try_wait().unwrap().is_some();
            (is_over || text.contains("the service is running")).then_some(text)
        });
        crate::support::signal(child.id(), nix::sys::signal::Signal::SIGTERM);
        let ended = finish_within(child, REHEARSAL);
        assert!(ended.status.success(), "{ready}");
        ready
    };
    let first = start();
    for done in [
        "rehearsing this version",
        "this version packs",
        "has lost no lease",
    ] {
        assert!(first.contains(done), "{done}: {first}");
    }
    let snapshots = std::fs::read_dir(data.join("snapshots")).unwrap().count();
    assert_eq!(snapshots, 1);
    assert!(!data.join("rehearsal").exists());
    let second = start();
    assert!(!second.contains("rehearsing"), "{second}");
}

#[test]
fn a_version_that_cannot_serve_older_data_leaves_it_as_it_was() {
    let folder = Folder::new();
    let data = folder.path("data");
    std::fs::create_dir(&data).unwrap();
    let file = data.join("cache.db");
    std::fs::copy(SCHEMA_1, &file).unwrap();
    // A page of the sessions' table is not what it was: reading it is enough for a pack to tell.
    damage(&file);
    let before = std::fs::read(&file).unwrap();
    let refused = usher()
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .spawn()
        .unwrap();
    let refused = finish_within(refused, REHEARSAL);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let text = stderr(&refused);
    assert!(text.contains("nothing was changed"), "{text}");
    assert!(std::fs::read(&file).unwrap() == before, "it was changed");
}

/// Writes over the middle of a table's page.
fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let place = bytes
        .windows(10)
        .position(|window| window == b"cad-viewer")
        .unwrap();
    let page = place / 4096 * 4096;
    bytes[page..page + 8].fill(0xFF);
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_server_that_nobody_keeps_is_not_exchanged() {
    let folder = Folder::new();
    let data = folder.path("data");
    let running = Running::start(usher().args(["server", "--listen", "127.0.0.1:0"]), &data);
    let own = program();
    let (code, why) = running.fails(&["upgrade", own.to_str().unwrap()]);
    assert_eq!(code, 1, "{why}");
    assert!(why.contains("neither systemd nor `usher up`"), "{why}");
    let (code, why) = running.fails(&[
        "upgrade",
        folder.path("none").to_str().unwrap(),
        "--rehearse-only",
    ]);
    assert_eq!(code, 2, "{why}");
    let elsewhere = usher()
        .args(["upgrade", own.to_str().unwrap(), "--data"])
        .arg(folder.path("elsewhere"))
        .ended();
    assert_eq!(elsewhere.status.code(), Some(2), "{}", said(&elsewhere));
    assert!(Http::connect(&running.api, "none").is_ok());
}

#[test]
fn after_the_first_scheduled_pack_there_is_no_way_back() {
    let site = Site::new();
    let upgrade = || site.running.json(&["status"])["server"]["upgrade"].clone();
    assert_eq!(upgrade()["packed_at"], Value::Null);
    site.running.ok(&["pack", "now"]);
    assert_eq!(
        upgrade()["packed_at"],
        Value::Null,
        "one by hand is none of the schedule's"
    );
    let soon = Command::new("date")
        .args(["-u", "-d", "+2 seconds", "+%a %H:%M:%S"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let soon = stdout(&soon);
    let plan = ["pack", "schedule", soon.trim(), "--time-zone", "UTC"];
    site.running.ok(&plan);
    wait_for("the scheduled pack", || {
        (upgrade()["packed_at"] != Value::Null).then_some(())
    });
    let refused = site.upgrade(&["--back"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        stderr(&refused).contains("first scheduled pack"),
        "{}",
        stderr(&refused)
    );
}
