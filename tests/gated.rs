//! A whole computer whose agent holds starts: on a file system of its own only, in a mount namespace
//! of its own; one that does not answer is ended from outside after a time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use usher_testing::undo::{self, Undo};

use crate::support::{Ended, Folder, Running, signal, wait_for};

/// Accounts that start programs.
pub(crate) const ANNA: u32 = 12_001;
pub(crate) const BEN: u32 = 12_002;

/// A computer whose agent holds the starts of `solver`.
pub(crate) struct Computer {
    pub(crate) running: Running,
    /// The file system on which starts are held.
    pub(crate) place: PathBuf,
    pub(crate) socket: PathBuf,
    /// Its folder goes last.
    _folder: Folder,
    _ended: Undo,
}

impl Drop for Computer {
    fn drop(&mut self) {
        end_all_of(&self.place);
        // Else the folder could not be removed.
        let _ = umount2(&self.place, MntFlags::MNT_DETACH);
    }
}

impl Computer {
    /// With so many seats; none, with a line that says so, if this may not be done.
    pub(crate) fn with_seats(seats: &str, more: &[&str]) -> Option<Computer> {
        let computer = Computer::up()?;
        let rule = format!("path={}", computer.program("solver").display());
        let add = [
            "product", "add", "solver", "--mode", "enforce", "--seats", seats,
        ];
        let to = ["--agent-socket", computer.socket.to_str().unwrap()];
        let rule = ["--program", &rule];
        computer
            .running
            .ok(&[&add[..], &rule[..], &to[..], more].concat());
        computer.is_gated();
        Some(computer)
    }

    /// Without a product; none, with a line that says so, if this may not be done.
    pub(crate) fn up() -> Option<Computer> {
        Computer::holding(Path::to_owned)
    }

    /// The same, which holds starts on the file system of the path that `only` says.
    pub(crate) fn holding(only: impl FnOnce(&Path) -> PathBuf) -> Option<Computer> {
        Computer::prepared(|place, up| {
            up.env("USHER_GATE_ONLY", only(place));
        })
    }

    /// The same, which holds starts on its own file system, with a word to what is started.
    pub(crate) fn prepared(prepare: impl FnOnce(&Path, &mut Command)) -> Option<Computer> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: the gate needs root");
            return None;
        }
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let place = folder.path("place");
        fs::create_dir(&place).unwrap();
        in_memory(&place);
        let socket = folder.path("agent.sock");
        let mut up = crate::support::usher();
        up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .arg("--agent-socket")
            .arg(&socket)
            .env("USHER_GATE_ONLY", &place);
        prepare(&place, &mut up);
        let running = Running::start(&mut up, &folder.path("data"));
        // It ends with all its processes when its time is up, whatever hangs.
        let _ended = undo::end_later(&[running.child.id()]).unwrap();
        Some(Computer {
            _ended,
            running,
            place,
            socket,
            _folder: folder,
        })
    }

    /// A real program by that name.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let to = self.place.join(name);
        if !to.exists() {
            fs::copy("/bin/sleep", &to).unwrap();
        }
        to
    }

    /// Waits until starts are held.
    pub(crate) fn is_gated(&self) {
        let place = self.place.to_str().unwrap();
        wait_for("the gate to hold starts", || {
            let mut ask = self.running.usher(&["agent", "status", "--json"]);
            let answer = ask.arg("--agent-socket").arg(&self.socket).ended();
            // An agent that was killed does not answer until the next one does.
            let status: serde_json::Value = serde_json::from_slice(&answer.stdout).ok()?;
            let marks = status["marks"].as_array()?.clone();
            let of_place = marks.iter().find(|mark| mark["path"] == place)?;
            of_place["why_not"].is_null().then_some(())
        });
    }

    /// Its agent is killed; another one has taken its place when this returns.
    pub(crate) fn loses_its_agent(&self) {
        let agent = self.running.role("agent").unwrap();
        signal(agent, Signal::SIGKILL);
        wait_for("another agent", || {
            let next = self.running.role("agent")?;
            (next != agent).then_some(())
        });
        self.is_gated();
    }

    /// `solver`, started by an account, for so many seconds.
    pub(crate) fn start(&self, uid: u32, seconds: &str) -> std::io::Result<Child> {
        Command::new(self.program("solver"))
            .arg(seconds)
            .uid(uid)
            .gid(uid)
            .spawn()
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        self.running.json(&["status"])["products"][0].clone()
    }
}

/// Ends what runs of a file system's programs: a test that fails does not come to end its own.
fn end_all_of(place: &Path) {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes {
        let exe = fs::read_link(process.path().join("exe"));
        let pid = process
            .file_name()
            .to_str()
            .and_then(|pid| pid.parse().ok());
        if let (true, Some(pid)) = (exe.is_ok_and(|exe| exe.starts_with(place)), pid) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// A child by that name of any thread of a process.
pub(crate) fn child_named(name: &str, process: u32) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let children = tasks.flatten().flat_map(|task| {
        let pids = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let pids = pids.split_whitespace().filter_map(|pid| pid.parse().ok());
        pids.collect::<Vec<u32>>()
    });
    let is_named = |pid: &u32| {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
        comm.is_ok_and(|comm| comm.trim() == name)
    };
    children.into_iter().find(is_named)
}

/// Processes of this one that are no program yet.
pub(crate) fn held() -> usize {
    let own = fs::read_link("/proc/self/exe").unwrap();
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let children = tasks.flat_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let pids = children.split_ascii_whitespace().map(str::to_owned);
        pids.collect::<Vec<_>>()
    });
    let exe = |pid: String| fs::read_link(format!("/proc/{pid}/exe")).ok();
    children
        .filter(|pid| exe(pid.clone()).as_ref() == Some(&own))
        .count()
}

/// A file system in memory that only this process and its children see.
pub(crate) fn in_memory(place: &Path) {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
    mount(Some("place"), place, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
