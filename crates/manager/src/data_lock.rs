//! The word of a data directory: a metering server holds its lock as long as its process is there.
//!
//! `/proc/locks` tells who holds a lock without touching it, so that a server which starts at this
//! very moment is not disturbed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use usher_core::health::{ServiceManagerWord, ServiceWord};
use usher_core::lifecycle::{Refusal, ServiceState};

const LOCK: &str = "lock";

/// What the lock of a data directory says of its server.
pub(crate) fn ask(data: &Path) -> ServiceManagerWord {
    let path = data.join(LOCK);
    let lock = match std::fs::metadata(&path) {
        Ok(lock) => lock,
        Err(error) => {
            return ServiceManagerWord::NoAnswer(format!(
                "cannot look at {}: {error}",
                path.display()
            ));
        }
    };
    let text = match std::fs::read_to_string("/proc/locks") {
        Ok(text) => text,
        Err(error) => {
            return ServiceManagerWord::NoAnswer(format!("cannot read /proc/locks: {error}"));
        }
    };
    let devices = [Some(lock.dev()), device_of_mount(&path)];
    let holder = devices
        .into_iter()
        .flatten()
        .find_map(|device| holder(&text, device, lock.ino()));
    ServiceManagerWord::Says(match holder {
        Some(pid) => word(ServiceState::Running, None, held_by(pid)),
        None => word(
            ServiceState::Stopped,
            Some(Refusal::NotActive.number()),
            "nobody holds the lock of its data directory".to_owned(),
        ),
    })
}

fn held_by(pid: u32) -> String {
    match pid {
        // Out of sight: another pid namespace.
        0 => "a process holds the lock of its data directory".to_owned(),
        pid => format!("process {pid} holds the lock of its data directory"),
    }
}

fn word(state: ServiceState, error: Option<u32>, text: String) -> ServiceWord {
    ServiceWord {
        state,
        age: Duration::ZERO,
        checkpoint: 0,
        wait_hint: Duration::ZERO,
        error,
        on_purpose: false,
        has_process: state != ServiceState::Stopped,
        // Whoever started it there sees to it.
        restarts_itself: true,
        text,
    }
}

/// The device of the file system that a file is on, as its mount has it. On overlayfs, as in a
/// container, and on btrfs a file is said to be on another, and locks are listed under this one.
fn device_of_mount(path: &Path) -> Option<u64> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let facts = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    let table = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    device_in(&table, facts.stx_mnt_id)
}

/// Lines are like `36 35 98:0 / /mnt rw - ext3 /dev/root rw`: the mount's number, its parent's, and
/// the device.
fn device_in(table: &str, mount: u64) -> Option<u64> {
    table.lines().find_map(|line| {
        let mut words = line.split(' ');
        let is_it = words.next()?.parse() == Ok(mount);
        let (major, minor) = words.nth(1)?.split_once(':')?;
        let device = rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?);
        is_it.then_some(device)
    })
}

/// The pid that holds a `flock` on a file: lines are like
/// `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`.
fn holder(text: &str, device: u64, inode: u64) -> Option<u32> {
    let file = format!(
        "{:02x}:{:02x}:{inode}",
        rustix::fs::major(device),
        rustix::fs::minor(device)
    );
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let kind = words.next()?;
        // One that waits for it has an arrow here.
        let holds = kind == "FLOCK" || kind == "POSIX" || kind == "OFDLCK";
        let pid = words.nth(2)?;
        (holds && words.next()? == file).then(|| pid.parse().unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_seen_and_one_that_is_not_neither() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK);
        let file = std::fs::File::create(&path).unwrap();
        let state = || match ask(folder.path()) {
            ServiceManagerWord::Says(word) => (word.state, word.text),
            other => panic!("{other:?}"),
        };
        assert_eq!(state().0, ServiceState::Stopped);
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let (held, text) = state();
        assert_eq!(held, ServiceState::Running);
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(file);
        assert_eq!(state().0, ServiceState::Stopped);
    }

    /// The file is of another device than its file system there (Linux 6.18, an overlay of two tmpfs).
    #[test]
    fn a_lock_on_a_file_of_an_overlay_is_seen() {
        use std::process::Command;
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: an overlay needs root");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let script = "cd \"$0\" && mount -t tmpfs box . && mkdir lower upper work merged && \
            mount -t tmpfs low lower && : > lower/lock && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work box \
            merged && : > merged/lock && cat /proc/self/mountinfo && \
            stat -c '%Hd:%Ld %i' merged/lock && flock merged/lock cat /proc/locks";
        let mut command = Command::new("unshare");
        let output = command.args(["-m", "sh", "-c", script]).arg(folder.path());
        let output = output.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        if !output.status.success() {
            eprintln!("skipped: no overlay here");
            return;
        }
        let at = folder.path().join("merged");
        let mount = said
            .lines()
            .find(|line| line.contains(at.to_str().unwrap()));
        let mount = mount.unwrap().split(' ').next().unwrap().parse().unwrap();
        let device = device_in(&said, mount).unwrap();
        let of_file = |line: &&str| {
            line.split_once(' ').is_some_and(|(device, inode)| {
                device
                    .split_once(':')
                    .is_some_and(|(a, b)| [a, b].iter().all(|it| it.parse::<u32>().is_ok()))
                    && inode.parse::<u64>().is_ok()
            })
        };
        let stated = said.lines().find(of_file).unwrap();
        let inode = stated.split_once(' ').unwrap().1.parse().unwrap();
        assert!(holder(&said, device, inode).is_some(), "{said}");
    }

    #[test]
    fn one_that_waits_for_a_lock_does_not_hold_it() {
        let text = "1: FLOCK  ADVISORY  WRITE 77 08:01:12 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 78 08:01:13 0 EOF\n";
        let device = rustix::fs::makedev(8, 1);
        assert_eq!(holder(text, device, 12), Some(77));
        assert_eq!(holder(text, device, 13), None);
    }
}
