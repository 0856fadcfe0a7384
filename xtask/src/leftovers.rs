//! What tests leave on a computer, and the last sweep: whatever hangs goes on, and what is theirs goes.
//!
//! A test gives the computer back by itself. This is for one that could not, in this run or before it:
//! whatever it makes bears the name `usher-test-PID-...` after its process, and a process that has
//! ended, or was killed and cannot end, owns nothing. Nothing here waits without a bound.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bounded::{State, state_of, succeeds, within};

const PREFIX: &str = "usher-test-";
/// How long one command of the sweep may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Thaws the disks that tests have frozen, and what they have in frozen control groups.
pub(crate) fn thaw() -> Vec<String> {
    let mut done = Vec::new();
    for (device, image) in loop_devices() {
        if is_left(&image) && thawed(&device) {
            done.push(format!("thawed {} ({})", device.display(), image.display()));
        }
    }
    for group in groups() {
        let _ = fs::write(group.join("cgroup.freeze"), "0");
        let _ = fs::write(group.join("cgroup.kill"), "1");
    }
    done
}

/// Removes what tests have mounted and made, once nothing of theirs runs.
pub(crate) fn remove(folders: &[PathBuf]) -> Vec<String> {
    let mut done = Vec::new();
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
    // What was mounted last, first.
    let points = mounts.lines().rev().filter_map(mount_point);
    for point in points.filter(|point| is_left(point)) {
        if succeeds(PATIENCE, Command::new("umount").arg("-l").arg(&point)) {
            done.push(format!("unmounted {}", point.display()));
        }
    }
    for group in groups() {
        if gone(&group) {
            done.push(format!("removed {}", group.display()));
        }
    }
    for entry in folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
    {
        for path in entry.flatten().map(|entry| entry.path()) {
            if is_left(&path) && removed(&path) {
                done.push(format!("removed {}", path.display()));
            }
        }
    }
    done
}

/// Whether this belongs to a test whose process has ended.
fn is_left(path: &Path) -> bool {
    let mut parts = path.iter().filter_map(|part| part.to_str());
    parts.any(|part| owner(part).is_some_and(|pid| state_of(pid) == State::Over))
}

/// The process in a name that a test has given.
fn owner(name: &str) -> Option<i32> {
    let rest = name.strip_prefix(PREFIX)?;
    rest.split_once('-')
        .map_or(rest, |(pid, _)| pid)
        .parse()
        .ok()
}

/// Each loop device with the file that lies under it.
fn loop_devices() -> Vec<(PathBuf, PathBuf)> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    devices
        .filter_map(|device| {
            let image = fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
            let image = image.trim_end().trim_end_matches(" (deleted)");
            Some((Path::new("/dev").join(device.file_name()), image.into()))
        })
        .collect()
}

/// Thaws a disk wherever it is mounted, even if it was detached: it is mounted once more, which a
/// frozen one allows.
fn thawed(device: &Path) -> bool {
    let script = "mount --make-rprivate / && mount \"$0\" /mnt && exec fsfreeze -u /mnt";
    let mut thaw = Command::new("unshare");
    let thaw = thaw.args(["--mount", "sh", "-c", script]).arg(device);
    succeeds(PATIENCE, thaw)
}

fn mount_point(line: &str) -> Option<PathBuf> {
    // Of a line of mountinfo the fifth field; blanks in it are written \040.
    let field = line.split(' ').nth(4)?;
    Some(PathBuf::from(field.replace("\\040", " ")))
}

/// The control groups of tests that are over.
fn groups() -> Vec<PathBuf> {
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let entries = roots.iter().filter_map(|root| fs::read_dir(root).ok());
    let paths = entries.flatten().flatten().map(|entry| entry.path());
    paths.filter(|path| is_left(path)).collect()
}

/// Removes a control group and those below it.
fn gone(group: &Path) -> bool {
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in below.filter(|entry| entry.path().is_dir()) {
        gone(&entry.path());
    }
    // What was killed in it needs a moment.
    within(PATIENCE, || {
        fs::remove_dir(group).is_ok() || !group.exists()
    })
}

fn removed(path: &Path) -> bool {
    match path.is_dir() {
        true => fs::remove_dir_all(path).is_ok(),
        false => fs::remove_file(path).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_makes_is_known_by_its_process() {
        assert_eq!(owner("usher-test-42-abc"), Some(42));
        assert_eq!(owner("usher-test-42"), Some(42));
        assert_eq!(owner("usher-42"), None);
        let own = format!("/tmp/usher-test-{}-1/disk", std::process::id());
        assert!(!is_left(Path::new(&own)), "this process is there still");
        assert!(is_left(Path::new("/tmp/usher-test-2147483647-1/disk")));
        assert!(!is_left(Path::new("/tmp/other")));
    }

    #[test]
    fn a_mount_point_may_have_blanks() {
        let line = "36 35 0:30 / /tmp/a\\040b rw - tmpfs none rw";
        assert_eq!(mount_point(line), Some(PathBuf::from("/tmp/a b")));
    }
}
