//! A process that did something to its computer is killed with its whole group, or panics, or only
//! what runs it is killed: each sort of deed is undone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
enum End {
    Kill,
    Panic,
    /// Nextest is killed, and nothing else; here a shell is in its place.
    Runner,
}

const ENDS: [End; 3] = [End::Kill, End::Panic, End::Runner];

/// What it said once the deed was done, and that it has ended since.
fn ends(words: &[&str], end: End, meanwhile: impl FnOnce(&str)) -> String {
    let program = env!("CARGO_BIN_EXE_usher-testing-never-ends");
    let mut command = match end {
        End::Runner => Command::new("sh"),
        _ => Command::new(program),
    };
    if let End::Runner = end {
        command.args(["-c", "\"$0\" \"$@\"; exit", program]);
        command.env("NEXTEST", "1");
    }
    command.args(words).stdout(Stdio::piped()).process_group(0);
    match end {
        End::Kill | End::Runner => {}
        End::Panic => drop(command.arg("panic").stderr(Stdio::null())),
    }
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut said).unwrap();
    assert!(said.ends_with("done\n"), "{words:?}: {said:?}");
    meanwhile(&said);
    let test = children(child.id());
    match end {
        End::Kill => killpg(pid_of(&child), Signal::SIGKILL).unwrap(),
        End::Runner => kill(pid_of(&child), Signal::SIGKILL).unwrap(),
        End::Panic => {}
    }
    let status = wait_for("its end", || child.try_wait().unwrap());
    if let End::Runner = end {
        assert_eq!(test.len(), 1);
        wait_for("the test's end", || {
            matches!(state(test[0]), None | Some('Z')).then_some(())
        });
    }
    match end {
        End::Kill | End::Runner => assert_eq!(status.signal(), Some(Signal::SIGKILL as i32)),
        End::Panic => assert_eq!(status.code(), Some(101)),
    }
    said
}

fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let pids = fs::read_to_string(path).unwrap_or_default();
    let pids = pids
        .split_ascii_whitespace()
        .map(|pid| pid.parse().unwrap());
    pids.collect()
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The letter of a process's state; none if it is gone.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// A mount namespace of this thread's own; false, with a line that says so, if not permitted.
fn own_mounts() -> bool {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: mounts need root");
        return false;
    }
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
    true
}

fn is_mounted(path: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    mounts.contains(&format!(" {} ", path.display()))
}

fn ran(program: &str, args: &[&Path]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn a_disk_that_was_frozen_is_thawed_also_when_it_was_detached() {
    if !own_mounts() {
        return;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (image, disk) = (folder.path().join("image"), folder.path().join("disk"));
    for end in ENDS {
        fs::create_dir(&disk).unwrap();
        fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
        let made = ran("mkfs.ext4", &["-qF".as_ref(), &image])
            && ran("mount", &["-oloop".as_ref(), &image, &disk]);
        if !made {
            eprintln!("skipped: no ext4 in a loop device here");
            return;
        }
        let mut writer = None;
        ends(&["freeze", disk.to_str().unwrap()], end, |_| {
            // What waits for this disk holds its process whatever signal comes.
            let mut write = Command::new("sh");
            write.args(["-c", "echo 1 > \"$0/file\""]).arg(&disk);
            let child = write.spawn().unwrap();
            // One that comes later writes into the folder below the disk. Where nobody was killed the
            // disk may be thawed by now.
            let hangs = matches!(end, End::Kill | End::Runner);
            wait_for("a writer at the disk", || match state(child.id()) {
                Some('D') => Some(()),
                None | Some('Z') if !hangs => Some(()),
                _ => None,
            });
            assert!(ran("umount", &["-l".as_ref(), &disk]));
            writer = Some(child);
        });
        let mut writer = writer.unwrap();
        wait_for("the disk to be written", || writer.try_wait().unwrap());
        fs::remove_dir(&disk).unwrap();
    }
}

#[test]
fn a_process_that_was_stopped_goes_on() {
    for end in ENDS {
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = sleeper.id();
        ends(&["stop", &pid.to_string()], end, |_| {
            if let End::Kill | End::Runner = end {
                wait_for("its stop", || (state(pid) == Some('T')).then_some(()));
            }
        });
        wait_for("it to go on", || (state(pid) == Some('S')).then_some(()));
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}

#[test]
fn a_process_that_was_started_is_killed() {
    for end in ENDS {
        // It is in another group than the one that is killed.
        let said = ends(&["start"], end, |said| {
            let pid: i32 = said.split(' ').next().unwrap().parse().unwrap();
            let _ = nix::unistd::setpgid(Pid::from_raw(pid), Pid::from_raw(pid));
            assert!(kill(Pid::from_raw(pid), None).is_ok() || matches!(end, End::Panic));
        });
        let pid: u32 = said.split(' ').next().unwrap().parse().unwrap();
        wait_for("its end", || {
            matches!(state(pid), None | Some('Z')).then_some(())
        });
    }
}

#[test]
fn a_file_that_was_changed_is_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    for end in ENDS {
        fs::write(&file, "16384\n").unwrap();
        ends(&["change", file.to_str().unwrap()], end, |_| ());
        wait_for("its line", || {
            (fs::read_to_string(&file).unwrap() == "16384\n").then_some(())
        });
    }
}

#[test]
fn what_was_mounted_or_filled_is_unmounted() {
    if !own_mounts() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap().to_owned();
    for (deed, end) in ["mount", "fill"]
        .into_iter()
        .flat_map(|deed| ENDS.map(|end| (deed, end)))
    {
        ends(&[deed, &at], end, |_| {
            assert!(is_mounted(folder.path()) || matches!(end, End::Panic));
        });
        wait_for("it to be gone", || {
            (!is_mounted(folder.path())).then_some(())
        });
    }
}

/// Where control groups of version 2 are mounted and can be made.
fn groups() -> Option<PathBuf> {
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
    let is_second = |root: &PathBuf| root.join("cgroup.controllers").exists();
    let found = roots.into_iter().find(is_second);
    let is_ours = nix::unistd::geteuid().is_root();
    if found.is_none() || !is_ours {
        eprintln!("skipped: no control groups of version 2 that this may make");
        return None;
    }
    found
}

#[test]
fn a_control_group_that_was_frozen_is_removed_with_what_ran_in_it() {
    let Some(groups) = groups() else { return };
    for end in ENDS {
        let group = groups.join(format!("usher-test-{}", std::process::id()));
        ends(&["group", group.to_str().unwrap()], end, |_| ());
        wait_for("the group to be gone", || (!group.exists()).then_some(()));
    }
}
