//! Debian's systemd as a real PID 1 in namespaces of its own: real units, watchdogs, sockets and
//! control groups, up in a tenth of a second, and no service of this computer is touched.
//!
//! It has its own processes, mounts, control group, `/run`, `/var/lib`, `/tmp` and `/var/tmp`, and
//! shares the network and all other files with the tests. Its units are those that a test writes.
//! All that runs in it ends with the [`SystemdBox`], and with the test's process even when that is
//! killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::Signal;
use usher_testing::undo::{self, Undo};

use crate::support::{
    Ended, Folder, children, program, reap, runs, said, signal, stdout, wait_for,
};

/// Where the program under test lies in the box: no unit's hardening hides it there.
pub(crate) const PROGRAM: &str = "/run/program/usher";

/// The targets that systemd itself asks for.
const TARGETS: [&str; 7] = [
    "sysinit",
    "sockets",
    "basic",
    "shutdown",
    "umount",
    "final",
    "multi-user",
];

/// Runs as the first process of the box: `$DIR` is the test's folder, `$CGROUP` the control group,
/// `$USHER` the program under test.
const INIT: &str = r#"
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
# Before it is hidden: the project may lie below one of these folders.
mkdir /run/program
touch /run/program/usher
mount --bind "$USHER" /run/program/usher
mount -t tmpfs tmpfs /var/lib
# What services keep in private folders there would stay when the box is killed.
mkdir /run/dir
mount --bind "$DIR" /run/dir
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var/tmp
mkdir -p "$DIR"
mount --bind /run/dir "$DIR"
mount -t cgroup2 cgroup2 /sys/fs/cgroup
if [ -e /etc/machine-id ]; then
  printf '%032x\n' $$ > "$DIR/machine-id"
  mount --bind "$DIR/machine-id" /etc/machine-id
fi
# As systemd has it where it is not in a container: what is mounted later reaches its services.
mount --make-rshared /
exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH="$DIR/units" \
  /lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=0
"#;

/// A running systemd. Dropping it ends it and all that runs in it.
#[derive(Debug)]
pub(crate) struct SystemdBox {
    // Dropped before its folder: nothing runs in the group any more when it is removed.
    _group: Undo,
    outer: Child,
    /// Its first process, as the tests see it.
    init: u32,
    cgroup: PathBuf,
    folder: Folder,
}

impl SystemdBox {
    /// Boots it, without a unit but the targets.
    pub(crate) fn start() -> SystemdBox {
        let folder = Folder::new();
        let units = folder.path("units");
        std::fs::create_dir(&units).unwrap();
        for target in TARGETS {
            let text = format!("[Unit]\nDescription={target}\nDefaultDependencies=no\n");
            std::fs::write(units.join(format!("{target}.target")), text).unwrap();
        }
        let cgroup = cgroups().join(folder.path("").file_name().unwrap());
        let _group = undo::remove_group_with_test(&cgroup).unwrap();
        std::fs::create_dir(&cgroup).unwrap();
        let outer = boot(&folder, &cgroup);
        let init = wait_for("the box's first process", || {
            children(outer.id()).first().copied()
        });
        let systemd = SystemdBox {
            _group,
            outer,
            init,
            cgroup,
            folder,
        };
        wait_for("systemd in its box", || {
            assert!(runs(init), "systemd did not come up: {}", systemd.journal());
            let is_up = systemd.systemctl(&["is-active", "basic.target"]);
            is_up.status.success().then_some(())
        });
        systemd
    }

    /// Writes a unit file, and tells systemd to read it.
    pub(crate) fn write_unit(&self, name: &str, text: &str) {
        std::fs::write(self.units().join(name), text).unwrap();
        self.reload();
    }

    /// Tells systemd that unit files have changed.
    pub(crate) fn reload(&self) {
        let output = self.systemctl(&["daemon-reload"]);
        assert!(output.status.success(), "{}", said(&output));
    }

    /// The folder of the unit files; the same path inside and outside.
    pub(crate) fn units(&self) -> PathBuf {
        self.folder.path("units")
    }

    /// A file of the test's folder; the same path inside and outside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    /// A path of the box, such as `/var/lib/usher`, as the tests reach it.
    pub(crate) fn inside(&self, path: &str) -> PathBuf {
        let root = Path::new("/proc").join(self.init.to_string()).join("root");
        root.join(path.trim_start_matches('/'))
    }

    /// `systemctl` in the box.
    pub(crate) fn systemctl(&self, args: &[&str]) -> Output {
        self.exec(&[&["systemctl"], args].concat())
    }

    /// `systemctl` in the box, which is to succeed; its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.systemctl(args);
        assert!(
            output.status.success(),
            "systemctl {args:?}: {}\n{}",
            said(&output),
            self.journal()
        );
        stdout(&output)
    }

    /// A property of a unit, as `systemctl show` gives it.
    pub(crate) fn show(&self, unit: &str, property: &str) -> String {
        let text = self.ok(&["show", "--value", "--property", property, unit]);
        text.trim().to_owned()
    }

    /// Runs a program in the box to its end, as root there.
    pub(crate) fn exec(&self, words: &[&str]) -> Output {
        self.command(words).ended()
    }

    /// A program in the box, to be started.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init.to_string()])
            .args(["--mount", "--pid", "--cgroup", "--uts", "--ipc", "--"])
            .args(words)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("SYSTEMD_UNIT_PATH", self.units())
            .env("SYSTEMD_PAGER", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// All that systemd and its services have said.
    pub(crate) fn journal(&self) -> String {
        let log = std::fs::read(self.folder.path("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for SystemdBox {
    fn drop(&mut self) {
        // It is not waited for yet, so its child's pid is its own: with its first process a pid
        // namespace ends whole.
        if runs(self.init) {
            signal(self.init, Signal::SIGKILL);
        }
        reap(&mut self.outer);
    }
}

fn boot(folder: &Folder, cgroup: &Path) -> Child {
    let log = std::fs::File::create(folder.path("log")).unwrap();
    // The control group is entered before its namespace is made: it is then the namespace's root.
    let enter = "echo $$ > \"$CGROUP/cgroup.procs\" && \
                 exec unshare --kill-child --pid --fork --mount --cgroup --uts --ipc sh -c \"$INIT\"";
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "sh", "-c", enter])
        .env("DIR", folder.path(""))
        .env("CGROUP", cgroup)
        .env("USHER", program())
        .env("INIT", INIT)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Where the second version of control groups is mounted.
fn cgroups() -> PathBuf {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let found = mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let is_it = kind.starts_with("cgroup2 ");
        is_it.then(|| PathBuf::from(mount.split(' ').nth(4).unwrap()))
    });
    found.expect("control groups of version 2 are mounted")
}

#[test]
fn a_box_runs_units_and_leaves_nothing_behind() {
    let systemd = SystemdBox::start();
    systemd.write_unit(
        "sleep.service",
        "[Service]\nDynamicUser=yes\nStateDirectory=sleep\nExecStart=sleep 1000\n",
    );
    systemd.ok(&["start", "sleep.service"]);
    assert_eq!(systemd.show("sleep.service", "SubState"), "running");
    assert!(systemd.inside("/var/lib/private/sleep").is_dir());
    assert!(!Path::new("/var/lib/private/sleep").exists());
    assert!(systemd.path("units/sleep.service").exists());
    let version = systemd.exec(&[PROGRAM, "--version"]);
    assert!(version.status.success(), "{}", said(&version));
    let (init, cgroup) = (systemd.init, systemd.cgroup.clone());
    let of_unit = std::fs::read_to_string(cgroup.join("system.slice/sleep.service/cgroup.procs"));
    let pid: u32 = of_unit.unwrap().trim().parse().unwrap();
    assert!(runs(pid) && runs(init));
    drop(systemd);
    assert!(!runs(pid) && !runs(init));
    assert!(!cgroup.exists(), "{}", cgroup.display());
}
