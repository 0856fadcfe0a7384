//! What root is called for on a data directory that is somebody else's: it does nothing there that
//! the directory's owner could not do, and runs and installs nothing that the owner can choose.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::http::Http;
use crate::installed::{DATA, Installed, SERVICE};
use crate::support::{Ended, Folder, Running, finish_within, program, said, stderr, usher};

/// A rehearsal starts a server half a dozen times.
const REHEARSAL: Duration = Duration::from_secs(240);
/// An account that owns nothing else.
const OWNER: u32 = 64_321;

/// A data directory of another account, in which a server has served; and a backup of it.
struct Foreign {
    folder: Folder,
    data: PathBuf,
    backup: PathBuf,
}

impl Foreign {
    /// None if this is not root: then nobody's rights can be taken.
    fn new() -> Option<Foreign> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root can switch to another account's rights");
            return None;
        }
        let folder = Folder::new();
        std::fs::set_permissions(folder.path(""), PermissionsExt::from_mode(0o755)).unwrap();
        let data = folder.path("data");
        let backup = folder.path("backup.db");
        let running = Running::up(&data);
        running.ok(&["product", "add", "tool", "--seats", "2"]);
        running.ok(&["backup", backup.to_str().unwrap()]);
        assert_eq!(running.stop(), Some(0));
        give(&data);
        Some(Foreign {
            folder,
            data,
            backup,
        })
    }

    fn restore(&self) -> Output {
        let mut command = usher();
        command.arg("restore").arg(&self.backup);
        command.arg("--data").arg(&self.data).ended()
    }

    fn owner_of(&self, name: &str) -> (u32, u32) {
        let facts = std::fs::symlink_metadata(self.data.join(name)).unwrap();
        (facts.uid(), facts.gid())
    }
}

/// Gives a folder and all that is in it away.
fn give(folder: &Path) {
    chown(folder, Some(OWNER), Some(OWNER)).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => give(&entry.path()),
            false => chown(entry.path(), Some(OWNER), Some(OWNER)).unwrap(),
        }
    }
}

fn executable(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_restored_file_belongs_to_whom_the_directory_belongs() {
    let Some(foreign) = Foreign::new() else {
        return;
    };
    let done = foreign.restore();
    assert!(done.status.success(), "{}", said(&done));
    for name in ["cache.db", "cache.db.before-restore-1", "lock"] {
        assert_eq!(foreign.owner_of(name), (OWNER, OWNER), "{name}");
    }
    let kept = std::fs::metadata(foreign.data.join("cache.db")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_directory_that_only_its_owner_can_reach_through_roots_folder_is_restored_too() {
    let Some(mut foreign) = Foreign::new() else {
        return;
    };
    // As systemd keeps the directories of dynamic users.
    let private = foreign.folder.path("private");
    std::fs::create_dir(&private).unwrap();
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).unwrap();
    let data = private.join("data");
    std::fs::rename(&foreign.data, &data).unwrap();
    foreign.data = data;
    let done = foreign.restore();
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(foreign.owner_of("cache.db"), (OWNER, OWNER));
    assert!(foreign.data.join("cache.db.before-restore-1").exists());
}

#[test]
fn what_root_left_in_the_directory_is_its_owners_again() {
    let Some(foreign) = Foreign::new() else {
        return;
    };
    for name in ["cache.db", "lock"] {
        chown(foreign.data.join(name), Some(0), Some(0)).unwrap();
    }
    let done = foreign.restore();
    assert!(done.status.success(), "{}", said(&done));
    for name in ["cache.db", "cache.db.before-restore-1", "lock"] {
        assert_eq!(foreign.owner_of(name), (OWNER, OWNER), "{name}");
    }
}

#[test]
fn a_link_of_the_owners_has_root_write_nowhere_else() {
    let Some(foreign) = Foreign::new() else {
        return;
    };
    let elsewhere = foreign.folder.path("elsewhere");
    std::fs::remove_file(foreign.data.join("lock")).unwrap();
    symlink(&elsewhere, foreign.data.join("lock")).unwrap();
    let refused = foreign.restore();
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(!elsewhere.exists(), "root wrote where a link led");
}

#[test]
fn a_backup_is_written_over_nothing_that_a_link_leads_to() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let (file, other) = (folder.path("backup.db"), folder.path("other"));
    std::fs::write(&other, "mine").unwrap();
    symlink(&other, folder.path("backup.db.part")).unwrap();
    running.ok(&["backup", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    assert!(std::fs::symlink_metadata(&file).unwrap().is_file());
}

#[test]
fn a_token_file_that_is_a_fifo_or_leads_elsewhere_is_not_read() {
    let folder = Folder::new();
    let data = folder.path("data");
    std::fs::create_dir(&data).unwrap();
    let token = data.join("admin.token");
    let status = || {
        let mut command = usher();
        command.args(["status", "--server", "http://127.0.0.1:9", "--data"]);
        let child = command.arg(&data).spawn().unwrap();
        finish_within(child, Duration::from_secs(10))
    };
    assert!(
        Command::new("mkfifo")
            .arg(&token)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(status().status.code(), Some(69));
    std::fs::remove_file(&token).unwrap();
    let secret = folder.path("secret");
    std::fs::write(&secret, "of-root-only").unwrap();
    symlink(&secret, &token).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let mut command = usher();
    command.args(["status", "--server", &api, "--data"]);
    let mut child = command.arg(&data).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut heard = [0; 2_048];
    let length = std::io::Read::read(&mut stream, &mut heard).unwrap();
    drop((stream, child.kill(), child.wait()));
    let heard = String::from_utf8_lossy(&heard[..length]).into_owned();
    assert!(!heard.contains("of-root-only"), "{heard}");
}

#[test]
fn an_agent_of_roots_keeps_its_data_in_nobody_elses_directory() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can give folders away");
        return;
    }
    let folder = Folder::new();
    let data = folder.path("data");
    std::fs::create_dir(&data).unwrap();
    give(&data);
    let refused = usher()
        .args(["agent", "--server", "http://127.0.0.1:9", "--token", "t"])
        .arg("--data")
        .arg(&data)
        .arg("--agent-socket")
        .arg(folder.path("agent.sock"))
        .ended();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(stderr(&refused).contains("64321"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
}

/// The server's program says as whom it runs, and fails.
#[test]
fn a_rehearsal_runs_with_the_rights_of_the_datas_owner() {
    let server = Installed::with_a_program_of_its_own();
    let new = server.systemd.inside("/run/own").join("usher-new");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exec /run/program/usher --version\n\
                  echo \"I am $(id -u)\" >&2\nexit 3\n";
    std::fs::write(&new, script).unwrap();
    executable(&new);
    let refused = upgrade(&server, "/run/own/usher-new");
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let text = stderr(&refused);
    let owner = std::fs::metadata(server.systemd.inside(DATA))
        .unwrap()
        .uid();
    assert_ne!(owner, 0);
    assert!(text.contains(&format!("I am {owner}")), "{text}");
}

#[test]
fn what_the_servers_process_runs_is_taken_for_the_installed_program_only_where_it_is() {
    let server = Installed::with_a_program_of_its_own();
    // Started by its unit, and then another program: as one that was taken over would.
    let own = server.systemd.inside("/run/own");
    std::fs::copy(program(), own.join("other")).unwrap();
    executable(&own.join("other"));
    let script = own.join("script");
    std::fs::write(&script, "#!/bin/sh\nexec /run/own/other \"$@\"\n").unwrap();
    executable(&script);
    std::fs::rename(&script, own.join("usher")).unwrap();
    server.systemd.ok(&["restart", SERVICE]);
    let refused = upgrade(&server, "/run/own/usher-new");
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let text = stderr(&refused);
    assert!(text.contains("/run/own/usher"), "{text}");
    assert!(text.contains("restart"), "{text}");
    assert!(!own.join("usher.previous").exists());
}

#[test]
fn a_program_that_changes_while_it_is_rehearsed_is_not_installed() {
    let folder = Folder::new();
    let installed = folder.path("usher");
    std::fs::copy(program(), &installed).unwrap();
    let mut command = usher_testing::surroundings::command(&installed);
    command.args(["up", "--no-agent", "--listen", "127.0.0.1:0"]);
    command.args(["--console", "127.0.0.1:0"]);
    let running = Running::start(&mut command, &folder.path("data"));
    let before = std::fs::read(&installed).unwrap();
    let new = folder.path("usher-new");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] || echo '# changed' >> \"$0\"\nexec {} \"$@\"\n",
        program().display()
    );
    std::fs::write(&new, script).unwrap();
    executable(&new);
    let mut upgrade = running.usher(&["upgrade", new.to_str().unwrap()]);
    let refused = finish_within(upgrade.spawn().unwrap(), REHEARSAL);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(stderr(&refused).contains("changed"), "{}", stderr(&refused));
    assert!(std::fs::read(&installed).unwrap() == before);
}

#[test]
fn a_backup_that_root_restores_serves_under_the_unit() {
    let server = Installed::new(|_| ());
    server.product(5);
    let lease = server.lease();
    let file = server.systemd.path("backup.db");
    let words = ["backup", file.to_str().unwrap()];
    let written = usher()
        .args(words)
        .args(["--server", &server.api, "--token", &server.token()])
        .ended();
    assert!(written.status.success(), "{}", said(&written));
    let token = server.token();
    for times in 1..=2 {
        server.steer("stop");
        let words = ["restore", file.to_str().unwrap(), "--data", DATA];
        let program = crate::systemd::PROGRAM;
        let done = server.systemd.exec(&[&[program], &words[..]].concat());
        assert!(done.status.success(), "{}", said(&done));
        let data = server.systemd.inside(DATA);
        let owner = std::fs::metadata(&data).unwrap().uid();
        for entry in std::fs::read_dir(&data).unwrap() {
            let entry = entry.unwrap();
            let uid = entry.metadata().unwrap().uid();
            assert_eq!(uid, owner, "restore {times}: {}", entry.path().display());
        }
        server.steer("start");
        let mut http = Http::connect(&server.api, &token).unwrap();
        let leases = http.ask("GET", "/v1/leases", None).unwrap().body;
        assert_eq!(leases["items"][0]["id"], lease);
    }
}

fn upgrade(server: &Installed, new: &str) -> Output {
    let words = ["upgrade", new, "--data", DATA, "--server", &server.api];
    let child = server
        .systemd
        .command(&[&["/run/own/usher"], &words[..]].concat())
        .spawn()
        .unwrap();
    finish_within(child, REHEARSAL)
}
