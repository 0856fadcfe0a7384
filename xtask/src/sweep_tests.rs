//! The last sweep, after tests that gave nothing back: one of each sort, broken on purpose.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::FlockOperation;
use rustix::process::{Pid, Signal, getpid, kill_process};
use usher_testing::undo;

use crate::bounded::{State, state_of, within};
use crate::leftovers;
use crate::process::{Runner, children_of, end_adopted};

const DEADLINE: Duration = Duration::from_secs(60);
/// Above all process ids that there are.
const NOBODY: i32 = i32::MAX;

/// What one of these tests holds for as long as it runs.
pub(crate) struct Alone {
    _children: MutexGuard<'static, ()>,
    _leftovers: File,
}

/// Waits until no other of these tests runs, in this process or in another.
///
/// Where tests share a process, one that ends adopted children must not meet another's child; and a
/// sweep in one process takes for left whatever another test has just made to be swept.
pub(crate) fn alone() -> Alone {
    static CHILDREN: Mutex<()> = Mutex::new(());
    let children = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
    // The folder in which they make things: a lock on it leaves nothing behind.
    let folder = File::open(std::env::temp_dir()).unwrap();
    rustix::fs::flock(&folder, FlockOperation::LockExclusive).unwrap();
    Alone {
        _children: children,
        _leftovers: folder,
    }
}

fn runner() -> Runner {
    Runner::new().unwrap()
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command
}

/// A mount namespace of this thread's own; false, with a line that says so, if not permitted.
fn own_mounts() -> bool {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: mounts need root");
        return false;
    }
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
    true
}

/// A disk in a folder, mounted at `at` in it; false, with a line that says so, if none can be had.
fn disk(folder: &Path) -> bool {
    let script = "cd \"$0\" && mkdir at && truncate -s 32M image && mkfs.ext4 -qF image && \
                  mount -o loop image at";
    let made = shell(script).arg(folder).stderr(Stdio::null()).status();
    let is_made = made.unwrap().success();
    if !is_made {
        eprintln!("skipped: no ext4 in a loop device here");
    }
    is_made
}

/// Starts what writes to a disk, and is nobody's child but this process's.
fn writes(disk: &Path) -> Pid {
    let out = shell("(echo 1 >\"$0\"/file) >/dev/null 2>&1 & echo $!")
        .arg(disk)
        .output()
        .unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    let pid = said.trim().parse().unwrap();
    Pid::from_raw(pid).unwrap()
}

fn hangs(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.unwrap_or_default().contains(") D ")
}

fn images() -> String {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    let image = |path: PathBuf| fs::read_to_string(path.join("loop/backing_file"));
    devices
        .filter_map(|device| image(device.path()).ok())
        .collect()
}

#[test]
fn a_disk_that_was_left_frozen_and_detached_is_thawed_and_what_hung_on_it_ends() {
    let _alone = alone();
    if !own_mounts() {
        return;
    }
    // Its process is over: what it froze is nobody's.
    let runner = runner();
    let name = format!("usher-test-{NOBODY}-{}", std::process::id());
    let folder = std::env::temp_dir().join(&name);
    fs::create_dir(&folder).unwrap();
    if !disk(&folder) {
        return;
    }
    let at = folder.join("at");
    let frozen = Command::new("fsfreeze").arg("-f").arg(&at).status();
    assert!(frozen.unwrap().success());
    let writer = writes(&at);
    assert!(within(DEADLINE, || hangs(writer)));
    assert!(
        Command::new("umount")
            .arg("-l")
            .arg(&at)
            .status()
            .unwrap()
            .success()
    );

    let told = runner.sweep();
    let said = |what: &str| told.iter().any(|told| told.contains(what));
    assert!(said("thawed /dev/loop"), "{told:#?}");
    assert!(said(&format!("removed {}", folder.display())), "{told:#?}");
    assert!(children_of(getpid()).is_empty());
    assert!(within(DEADLINE, || !images().contains(&name)));
}

#[test]
fn what_hangs_in_the_kernel_is_told_and_not_waited_for() {
    let _alone = alone();
    if !own_mounts() {
        return;
    }
    let _runner = runner();
    let folder = tempfile::tempdir().unwrap();
    if !disk(folder.path()) {
        return;
    }
    let at = folder.path().join("at");
    let _unmounted = undo::unmount_later(&at).unwrap();
    let frozen = undo::freeze(&at).unwrap();
    let writer = writes(&at);
    assert!(within(DEADLINE, || hangs(writer)));
    let began = Instant::now();
    let told = end_adopted(&[], Duration::from_millis(200));
    assert!(began.elapsed() < DEADLINE);
    assert!(hangs(writer) && state_of(writer.as_raw_nonzero().get()) == State::Over);
    let name = format!("sh ({})", writer.as_raw_nonzero());
    let hung = format!("{name} was killed and hangs in the kernel");
    assert!(told.contains(&hung), "{told:?}");
    drop(frozen);
    let is_gone = || !Path::new(&format!("/proc/{}", writer.as_raw_nonzero())).exists();
    assert!(within(DEADLINE, || {
        end_adopted(&[], Duration::ZERO);
        is_gone()
    }));
}

#[test]
fn what_was_left_stopped_is_ended() {
    let _alone = alone();
    let runner = runner();
    let mut left = shell("sleep 600 >/dev/null 2>&1 & echo $!");
    let said = String::from_utf8(left.output().unwrap().stdout).unwrap();
    let pid: i32 = said.trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::STOP).unwrap();
    assert_eq!(state_of(pid), State::Lives);
    let told = runner.sweep();
    assert!(
        told.contains(&format!("sleep ({pid}) ran, ended now")),
        "{told:?}"
    );
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_child_that_is_only_a_zombie_is_not_said_to_have_run() {
    let _alone = alone();
    let runner = runner();
    let mut left = shell("sleep 0.01 >/dev/null 2>&1 & echo $!");
    let said = String::from_utf8(left.output().unwrap().stdout).unwrap();
    let pid: i32 = said.trim().parse().unwrap();
    let is_zombie = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.unwrap().contains(") Z ")
    };
    assert!(within(DEADLINE, is_zombie));
    let told = runner.sweep();
    assert!(!told.iter().any(|told| told.contains(" ran")), "{told:?}");
    assert!(children_of(getpid()).is_empty());
}

/// Says to the process of the test below what it is to run.
const RUNS: &str = "USHER_XTASK_RUNS";

#[test]
fn what_a_killed_runner_runs_ends_with_it() {
    const THIS: &str = "sweep_tests::what_a_killed_runner_runs_ends_with_it";
    if let Some(file) = std::env::var_os(RUNS) {
        // This is the runner that is to be killed.
        let script = "echo $$ >\"$0.new\"; mv \"$0.new\" \"$0\"; exec sleep 600";
        let beside = Path::new(&file).with_extension("beside");
        let runner = runner();
        let mut command = shell(script);
        let output = Path::new(&file).with_extension("output");
        let begun = runner.begin(command.arg(beside), &output).unwrap();
        drop(runner.run(shell(script).arg(file)));
        drop(runner.finish(begun));
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut other = Command::new(std::env::current_exe().unwrap());
    let mut other = other
        .args(["--exact", THIS])
        .env(RUNS, &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _ended = undo::end_later(&[other.id()]).unwrap();
    let files = [file.clone(), file.with_extension("beside")];
    assert!(within(DEADLINE, || files.iter().all(|file| file.exists())));
    let pids = files.map(|file| fs::read_to_string(file).unwrap().trim().parse().unwrap());
    assert!(pids.iter().all(|pid| state_of(*pid) == State::Lives));
    other.kill().unwrap();
    other.wait().unwrap();
    let are_over = || pids.iter().all(|pid| state_of(*pid) == State::Over);
    assert!(within(DEADLINE, are_over));
}

#[test]
fn what_was_left_mounted_is_unmounted_and_its_folder_removed() {
    let _alone = alone();
    if !own_mounts() {
        return;
    }
    let all = tempfile::tempdir().unwrap();
    let folder = all.path().join(format!("usher-test-{NOBODY}-mount"));
    fs::create_dir(&folder).unwrap();
    let none: Option<&str> = None;
    mount(none, &folder, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    fs::write(folder.join("much"), vec![0; 1 << 20]).unwrap();
    let told = leftovers::remove(&[all.path().to_owned()]);
    assert!(
        told.contains(&format!("unmounted {}", folder.display())),
        "{told:?}"
    );
    assert!(!folder.exists());
}

#[test]
fn a_control_group_that_was_left_frozen_is_thawed_and_removed() {
    let _alone = alone();
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    let root = roots
        .into_iter()
        .find(|root| root.join("cgroup.controllers").exists());
    let group = root.map(|root| root.join(format!("usher-test-{NOBODY}-group")));
    let Some(group) = group.filter(|group| fs::create_dir(group).is_ok()) else {
        eprintln!("skipped: no control groups of version 2 that this may make");
        return;
    };
    let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(group.join("cgroup.procs"), sleeper.id().to_string()).unwrap();
    fs::write(group.join("cgroup.freeze"), "1").unwrap();
    leftovers::thaw();
    assert!(within(DEADLINE, || sleeper.try_wait().unwrap().is_some()));
    leftovers::remove(&[]);
    assert!(!group.exists());
}
