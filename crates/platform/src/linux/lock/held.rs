//! Who holds a lock, by `/proc/locks`: lines are like
//! `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF` and
//! `1: POSIX  ADVISORY  READ 4242 fd:01:1234 123 123`.

use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, major, makedev, minor, statx};

use crate::terms::Holder;

/// The kernel tells a long table in several pieces, by how many lines came before: a lock is passed over
/// if another one goes in between. That nobody holds one is believed if so many readings say so.
const READINGS: usize = 3;

pub(crate) fn holder(path: &Path) -> io::Result<Option<Holder>> {
    let told = |doing: String| {
        move |error: io::Error| io::Error::new(error.kind(), format!("cannot {doing}: {error}"))
    };
    let lock = std::fs::metadata(path).map_err(told(format!("look at {}", path.display())))?;
    let devices = [Some(lock.dev()), device_of_mount(path)];
    for _ in 0..READINGS {
        let text =
            std::fs::read_to_string("/proc/locks").map_err(told("read /proc/locks".into()))?;
        let holder = |device| holder_in(&text, device, lock.ino());
        let found = devices.into_iter().flatten().find_map(holder);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(crate) fn readers(path: &Path, bytes: RangeInclusive<u64>) -> Vec<Holder> {
    let Ok(facts) = std::fs::metadata(path) else {
        return Vec::new();
    };
    let mut pids = std::collections::BTreeSet::new();
    for _ in 0..READINGS {
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        pids.extend(readers_in(&locks, facts.ino(), &bytes));
    }
    pids.into_iter().map(by_pid).collect()
}

/// One of another namespace of processes has no number here.
fn by_pid(pid: u32) -> Holder {
    match pid {
        0 => Holder::Hidden,
        pid => Holder::Process(pid),
    }
}

/// The device of the file system that a file is on, as its mount has it. On overlayfs, as in a
/// container, and on btrfs a file is said to be on another, and locks are listed under this one.
fn device_of_mount(path: &Path) -> Option<u64> {
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
        let device = makedev(major.parse().ok()?, minor.parse().ok()?);
        is_it.then_some(device)
    })
}

fn holder_in(text: &str, device: u64, inode: u64) -> Option<Holder> {
    let file = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let kind = words.next()?;
        // One that waits for it has an arrow here.
        let holds = kind == "FLOCK" || kind == "POSIX" || kind == "OFDLCK";
        let pid = words.nth(2)?;
        (holds && words.next()? == file).then(|| by_pid(pid.parse().unwrap_or(0)))
    })
}

/// The processes with a read lock within `bytes` on the file of that number; 0: hidden ones.
fn readers_in(locks: &str, inode: u64, bytes: &RangeInclusive<u64>) -> Vec<u32> {
    let readers = locks.lines().filter_map(|line| reader(line, inode, bytes));
    let mut pids: Vec<u32> = readers.collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

fn reader(line: &str, inode: u64, bytes: &RangeInclusive<u64>) -> Option<u32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "POSIX", _, "READ", pid, file, start, end] = words[..] else {
        return None;
    };
    let is_file = file.rsplit(':').next()?.parse() == Ok(inode);
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let is_read_lock = bytes.contains(&start) && bytes.contains(&end);
    let pid: i64 = pid.parse().ok()?;
    (is_file && is_read_lock).then(|| u32::try_from(pid).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "\
1: POSIX  ADVISORY  READ 4242 fd:01:1234 124 124
2: POSIX  ADVISORY  READ 4242 fd:01:1234 128 128
2: -> POSIX  ADVISORY  READ 7 fd:01:1234 124 124
3: POSIX  ADVISORY  WRITE 51 fd:01:1234 123 123
4: FLOCK  ADVISORY  READ 52 fd:01:1234 123 123
5: POSIX  ADVISORY  READ 53 fd:01:99 123 123
6: POSIX  ADVISORY  READ -1 fd:01:1234 125 125
";

    #[test]
    fn those_with_a_read_lock_on_that_file_are_found_and_nobody_else() {
        assert_eq!(readers_in(LOCKS, 1234, &(123..=127)), [0, 4242]);
        assert_eq!(readers_in("nonsense\n", 1234, &(123..=127)), [0_u32; 0]);
    }

    #[test]
    fn a_lock_that_is_held_is_seen_and_one_that_is_not_neither() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = std::fs::File::create(&path).unwrap();
        assert_eq!(holder(&path).unwrap(), None);
        assert!(crate::lock::take(&file).unwrap());
        let own = Holder::Process(std::process::id());
        assert_eq!(holder(&path).unwrap(), Some(own));
        drop(file);
        assert_eq!(holder(&path).unwrap(), None);
    }

    /// The file is of another device than its file system there (Linux 6.18, an overlay of two
    /// tmpfs).
    #[test]
    fn a_lock_on_a_file_of_an_overlay_is_seen() {
        use std::process::Command;
        if !crate::account::is_administrator() {
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
        assert!(holder_in(&said, device, inode).is_some(), "{said}");
    }

    #[test]
    fn one_that_waits_for_a_lock_does_not_hold_it() {
        let text = "1: FLOCK  ADVISORY  WRITE 77 08:01:12 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 78 08:01:13 0 EOF\n";
        let device = makedev(8, 1);
        assert_eq!(holder_in(text, device, 12), Some(Holder::Process(77)));
        assert_eq!(holder_in(text, device, 13), None);
    }
}
