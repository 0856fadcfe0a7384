//! Somebody who works on two computers of one directory is one person and takes one seat, as soon
//! as the agents know the directory; until then each computer counts for itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use usher_testing::surroundings;

use crate::support::{Ended, Folder, Running, are_installed, program, said, usher, wait_for};

const REALM: &str = "[people]\nrealms = { systemd = \"corp.example\" }\n";

/// A computer: mounts and processes of its own, a second name service, and an agent.
struct Computer {
    folder: PathBuf,
    /// The first process in it: with it all others end.
    first: Child,
}

impl Drop for Computer {
    fn drop(&mut self) {
        drop(self.first.kill());
        drop(self.first.wait());
    }
}

/// Name services read records of users from /run/userdb, so a `/run` of the computer's own is a
/// directory of its own.
const BEGIN: &str = r#"
    set -e
    mount -t tmpfs none /run
    mkdir /run/userdb
    printf '{"userName":"%s","uid":%d,"gid":%d,"disposition":"regular"}' "$ACCOUNT" "$ACCOUNT_UID" \
        "$ACCOUNT_UID" > /run/userdb/"$ACCOUNT".user
    ln -s "$ACCOUNT".user /run/userdb/"$ACCOUNT_UID".user
    mount --bind "$HOME_OF/nsswitch.conf" /etc/nsswitch.conf
    getent passwd "$ACCOUNT_UID" > "$HOME_OF/account"
    "$PROGRAM" agent --config "$HOME_OF/usher.toml" --data "$HOME_OF" --server "$SERVER" \
        --token-file "$HOME_OF/token" --agent-socket "$HOME_OF/agent.sock" --watching polling \
        > "$HOME_OF/ready" 2> "$HOME_OF/log" &
    while ! grep -q ready "$HOME_OF/ready"; do sleep 0.02; kill -0 $!; done
    setpriv --reuid "$ACCOUNT_UID" --regid "$ACCOUNT_UID" --clear-groups "$TOOL" 600 &
    wait
"#;

impl Computer {
    /// Starts it, and in it the tool, as the account of that name and number in the directory.
    fn start(site: &Site, name: &str, account: &str, uid: u32, settings: &str) -> Computer {
        let folder = site.folder.path(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("usher.toml"), settings).unwrap();
        fs::write(folder.join("nsswitch.conf"), "passwd: files systemd\n").unwrap();
        let mut id = usher();
        let id = id.args(["agent", "--print-computer-id", "--data"]);
        let id = crate::support::stdout(&id.arg(&folder).ended());
        let token = [
            "token",
            "create",
            "--role",
            "agent",
            "--computer",
            id.trim(),
        ];
        fs::write(folder.join("token"), site.running.ok(&token)).unwrap();
        let mut first = surroundings::command("unshare");
        first.args(["--mount", "--propagation", "private", "--pid", "--fork"]);
        first.args(["--mount-proc", "--kill-child", "sh", "-c", BEGIN]);
        first
            .env("ACCOUNT", account)
            .env("ACCOUNT_UID", uid.to_string())
            .env("HOME_OF", &folder)
            .env("PROGRAM", program())
            .env("SERVER", &site.running.api)
            .env("TOOL", site.folder.path("tool"))
            .env("USHER_COMPUTER_ID_FILE", folder.join("computer-id"))
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit());
        let first = first.spawn().unwrap();
        let computer = Computer { folder, first };
        wait_for("its agent", || {
            let ready = fs::read_to_string(computer.folder.join("ready")).unwrap_or_default();
            ready.starts_with("ready ").then_some(())
        });
        let own = fs::read_to_string(computer.folder.join("computer-id")).unwrap();
        assert!(own.starts_with(id.trim()), "{own}: the id of {}", id.trim());
        computer
    }

    fn status(&self, site: &Site) -> Value {
        let socket = self.folder.join("agent.sock");
        let socket = socket.to_str().unwrap();
        site.running
            .json(&["agent", "status", "--agent-socket", socket])
    }
}

/// A server with one seat of a tool that counts users.
struct Site {
    folder: Folder,
    running: Running,
}

impl Site {
    fn new() -> Site {
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let tool = folder.path("tool");
        fs::copy("/bin/sleep", &tool).unwrap();
        let mut command = usher();
        command.args(["up", "--no-agent", "--listen", "127.0.0.1:0"]);
        let running = Running::start(&mut command, &folder.path("data"));
        let rule = format!("path={}", tool.display());
        let add = ["product", "add", "tool", "--seats", "1", "--counting"];
        running.ok(&[&add[..], &["user", "--program", &rule]].concat());
        Site { folder, running }
    }

    /// Sessions that run with a seat and without, and seats in use.
    fn counts(&self) -> (u64, u64) {
        let status = self.running.json(&["status"]);
        let tool = &status["products"][0];
        let count = |name: &str| tool[name].as_u64().unwrap();
        (count("in_use"), count("unseated"))
    }

    fn running_sessions(&self) -> Vec<(String, String)> {
        let answer = self.running.json(&["usage", "--product", "tool"]);
        let sessions = answer["items"].as_array().unwrap().iter();
        let text = |session: &Value, field: &str| session[field].as_str().unwrap().to_owned();
        sessions
            .filter(|session| session["ended_at"].is_null())
            .map(|session| (text(session, "user"), text(session, "authority")))
            .collect()
    }
}

/// Whether a computer with a name service of its own can be had here; prints a line if not.
fn is_possible() -> bool {
    let tries = r#"
        mount -t tmpfs none /run && mkdir /run/userdb && cd /run/userdb &&
        echo '{"userName":"usher-try","uid":61999,"gid":61999,"disposition":"regular"}' > u.user &&
        ln -s u.user 61999.user && getent -s systemd passwd 61999"#;
    let possible = nix::unistd::geteuid().is_root()
        && are_installed(&["unshare", "setpriv", "getent"])
        && Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--pid", "--fork"])
            .args(["--mount-proc", "sh", "-c", tries])
            .stderr(Stdio::null())
            .ended()
            .status
            .success();
    if !possible {
        eprintln!("skipped: it takes root, unshare, setpriv, and glibc with nss-systemd");
    }
    possible
}

#[test]
fn one_person_at_two_computers_of_a_directory_takes_one_seat() {
    if !is_possible() {
        return;
    }
    let site = Site::new();
    let first = Computer::start(&site, "c1", "ann", 61_001, REALM);
    wait_for("the seat", || (site.counts() == (1, 0)).then_some(()));
    // The same person with another number and another spelling.
    let second = Computer::start(&site, "c2", "Ann", 61_002, REALM);
    wait_for("both leases", || {
        let held = |computer: &Computer| computer.status(&site)["leases"][0]["id"].clone();
        let (first, second) = (held(&first), held(&second));
        (!first.is_null() && first == second).then_some(())
    });
    assert_eq!(site.counts(), (1, 0));
    let leases = site.running.json(&["leases"]);
    assert_eq!(leases["items"][0]["user"], "ann");
    let realms = &second.status(&site)["people"]["realms"];
    assert_eq!(realms[0]["realm"], "corp.example");

    // A computer whose agent knows no realm counts for itself.
    let third = Computer::start(&site, "c3", "ann", 61_003, "");
    wait_for("a session without a seat", || {
        (site.counts() == (1, 1)).then_some(())
    });
    let own = format!(
        "computer:{}",
        third.status(&site)["computer"].as_str().unwrap()
    );
    let sessions = site.running_sessions();
    assert!(sessions.contains(&("ann".to_owned(), own)), "{sessions:?}");
    let mut doctor = site.running.usher(&["doctor", "--agent-socket"]);
    let told = said(&doctor.arg(first.folder.join("agent.sock")).ended());
    assert!(
        told.contains("those of systemd are of corp.example"),
        "{told}"
    );
}
