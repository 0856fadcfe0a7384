//! What `/proc` tells about a process, read as soon as it can be.
//!
//! A process may be gone between two reads: then there is no answer, never a wrong one. Paths are
//! bytes, and are what the kernel names them, without the ` (deleted)` that it adds.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{CWD, Mode, OFlags, fstat, openat, readlinkat, stat};
use usher_core::sessions::{AccountKey, ProcessKey};

use crate::system::{FileKey, account_key};

/// Longest text that is read of one file of a process, in bytes.
const TEXT_LIMIT: u64 = 4096;
/// Longest text of the variables of a process, in bytes.
const VARIABLES_LIMIT: u64 = 256 * 1024;
/// Of the flags of a process: it is on its way out (linux/sched.h).
const PF_EXITING: u64 = 4;
pub(crate) const DELETED: &[u8] = b" (deleted)";

/// `/proc/PID/NAME`, written into `buffer`.
fn proc_path<'b>(buffer: &'b mut [u8; 40], pid: u32, name: &str) -> &'b [u8] {
    use std::io::Write;
    let mut cursor = io::Cursor::new(&mut buffer[..]);
    // The longest is /proc/4294967295/loginuid, which fits.
    let _ = write!(cursor, "/proc/{pid}/{name}");
    let length = cursor.position() as usize;
    &buffer[..length]
}

fn path_of(bytes: &[u8]) -> &std::path::Path {
    std::path::Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// What a process runs: its path and which file it is.
pub(crate) fn executable(pid: u32, scratch: &mut Vec<u8>) -> io::Result<(Vec<u8>, FileKey)> {
    let mut buffer = [0; 40];
    let link = proc_path(&mut buffer, pid, "exe");
    let stat_now = stat(path_of(link))?;
    let target = match readlinkat(CWD, path_of(link), std::mem::take(scratch)) {
        Ok(target) => target.into_bytes(),
        // Longer than a page: the file is known, its name is not.
        Err(rustix::io::Errno::NAMETOOLONG) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let key = FileKey::of(&stat_now);
    let path = match target.strip_suffix(DELETED) {
        Some(stripped) if !is_file(&target, &key) => stripped.to_vec(),
        _ => target,
    };
    Ok((path, key))
}

/// The path by which a process itself knows what lies at `path`, if its root is another than this
/// one's (chroot) and `path` lies below that; none: it knows it by the same, or by none.
pub(crate) fn path_in_own_root(pid: u32, path: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = [0; 40];
    let link = proc_path(&mut buffer, pid, "root");
    let root = readlinkat(CWD, path_of(link), Vec::new())
        .ok()?
        .into_bytes();
    let below = path.strip_prefix(root.as_slice())?;
    (root != b"/" && below.starts_with(b"/")).then(|| below.to_vec())
}

/// Whether that file is what this process finds at the path.
pub(crate) fn is_file(path: &[u8], key: &FileKey) -> bool {
    stat(path_of(path)).is_ok_and(|found| found.st_dev == key.device && found.st_ino == key.inode)
}

/// Whether what a process runs belongs to root, or cannot be looked at.
pub(crate) fn is_roots_executable(pid: u32) -> bool {
    let mut buffer = [0; 40];
    let exe = stat(path_of(proc_path(&mut buffer, pid, "exe")));
    !exe.is_ok_and(|exe| exe.st_uid != 0)
}

/// Opens what a process runs: by the process, also if it has no name any more; or by its name,
/// if the process is gone or runs something else already.
pub(crate) fn open_executable(pid: u32, path: &[u8], key: &FileKey) -> io::Result<File> {
    let mut buffer = [0; 40];
    let link = path_of(proc_path(&mut buffer, pid, "exe"));
    for path in [link, path_of(path)] {
        if let Ok(file) = usher_platform::files::open_regular(path)
            && FileKey::of(&fstat(&file)?) == *key
        {
            return Ok(file);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// The file of that name, with the path that it has; a name that begins at the root only.
pub(crate) fn file_by_name(name: &[u8]) -> io::Result<(Vec<u8>, FileKey)> {
    if !name.starts_with(b"/") {
        return Err(io::ErrorKind::NotFound.into());
    }
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path_of(name), flags, Mode::empty())?);
    let key = FileKey::of(&fstat(&file)?);
    Ok((path_of_open(&file)?, key))
}

/// Parent, start time, state, threads and terminal of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessStat {
    pub(crate) parent: u32,
    /// In kernel ticks since boot.
    pub(crate) start: u64,
    /// It has ended, or is about to: that it has is told a moment after this is so.
    pub(crate) ending: bool,
    pub(crate) threads: u32,
    /// The leader of its session of processes.
    pub(crate) leader: u32,
    /// The device of its controlling terminal.
    pub(crate) terminal: Option<Device>,
}

/// A device, by the numbers of its driver and within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Device {
    /// As `/proc/PID/stat` has it: 20 bits within the driver, its number in the midst of them.
    fn read(number: u32) -> Option<Device> {
        (number != 0).then_some(Device {
            major: (number >> 8) & 0xfff,
            minor: (number & 0xff) | ((number >> 12) & 0xf_ff00),
        })
    }
}

/// Reads `/proc/PID/stat`.
pub(crate) fn process_stat(pid: u32) -> io::Result<ProcessStat> {
    let text = read_text(pid, "stat")?;
    // The name in parentheses may itself contain spaces, newlines and parentheses.
    let after_name = text
        .iter()
        .rposition(|byte| *byte == b')')
        .and_then(|at| text.get(at + 2..))
        .ok_or(io::ErrorKind::InvalidData)?;
    let fields: Vec<&[u8]> = after_name.split(|byte| *byte == b' ').collect();
    let number = |index: usize| -> io::Result<u64> {
        fields
            .get(index)
            .and_then(|field| std::str::from_utf8(field).ok()?.trim().parse().ok())
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    };
    // It is a signed number: devices of high numbers look negative.
    let terminal = fields
        .get(4)
        .and_then(|field| std::str::from_utf8(field).ok()?.parse::<i32>().ok())
        .map(i32::cast_unsigned);
    Ok(ProcessStat {
        parent: number(1)? as u32,
        start: number(19)?,
        ending: fields.first() == Some(&b"Z".as_slice()) || number(6)? & PF_EXITING != 0,
        threads: number(17)? as u32,
        leader: number(3)? as u32,
        terminal: terminal.and_then(Device::read),
    })
}

/// Whether that process is still there: another one may have its pid by now. One whose first thread
/// has ended before others is.
pub(crate) fn still_runs(process: ProcessKey) -> bool {
    process_stat(process.pid).is_ok_and(|stat| {
        let is_over = stat.ending && stat.threads <= 1;
        stat.start == process.start && !is_over
    })
}

/// Whether that process has certainly ended; false if it cannot be inspected for another reason.
pub(crate) fn is_gone(process: ProcessKey) -> bool {
    match process_stat(process.pid) {
        Ok(stat) => {
            let is_another = process.start != 0 && stat.start != process.start;
            is_another || (stat.ending && stat.threads <= 1)
        }
        Err(error) => {
            let no_process = rustix::io::Errno::SRCH.raw_os_error();
            error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(no_process)
        }
    }
}

/// A process and its ancestors, the nearest first, as far as there are any besides the first of all
/// processes.
pub(crate) fn line_of(pid: u32) -> impl Iterator<Item = u32> {
    const LIMIT: usize = 64;
    let up = |pid: &u32| Some(process_stat(*pid).ok()?.parent);
    std::iter::successors(Some(pid), up)
        .take(LIMIT)
        .take_while(|pid| *pid > 1)
}

/// The real uid of a process.
pub(crate) fn real_uid(pid: u32) -> io::Result<u32> {
    let text = read_text(pid, "status")?;
    text.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"Uid:"))
        .and_then(|rest| std::str::from_utf8(rest).ok())
        .and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The account that a process runs as.
pub(crate) fn real_account(pid: u32) -> io::Result<AccountKey> {
    real_uid(pid).map(account_key::of_uid)
}

/// The account that the process' user logged in by: it survives sudo and su. None if it was never
/// set, or if the kernel does not keep it.
pub(crate) fn login_account(pid: u32) -> Option<AccountKey> {
    let text = read_text(pid, "loginuid").ok()?;
    let uid: u32 = std::str::from_utf8(&text).ok()?.trim().parse().ok()?;
    (uid != u32::MAX).then(|| account_key::of_uid(uid))
}

/// The variables that a process was started with, NUL behind each. Fails if there are too many.
pub(crate) fn variables(pid: u32) -> io::Result<Vec<u8>> {
    let text = read_limited(pid, "environ", VARIABLES_LIMIT + 1)?;
    match text.len() as u64 > VARIABLES_LIMIT {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(text),
    }
}

/// The beginning of the arguments of a process, NUL behind each.
pub(crate) fn arguments(pid: u32) -> io::Result<Vec<u8>> {
    read_text(pid, "cmdline")
}

/// The children of a process, as far as the kernel tells; those of its first threads only.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    const THREADS_LIMIT: usize = 64;
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .take(THREADS_LIMIT)
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            let children = text.split_ascii_whitespace();
            children
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// Whether a process with that pid is there.
pub(crate) fn exists(pid: u32) -> bool {
    let mut buffer = [0; 40];
    stat(path_of(proc_path(&mut buffer, pid, ""))).is_ok()
}

/// A folder of a process, to look up names as it does: `root` or `cwd`.
pub(crate) fn folder(pid: u32, name: &str) -> io::Result<rustix::fd::OwnedFd> {
    let mut buffer = [0; 40];
    let path = proc_path(&mut buffer, pid, name);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path_of(path), flags, Mode::empty())?)
}

/// The path of an open file, as the kernel names it.
pub(crate) fn path_of_open(file: &File) -> io::Result<Vec<u8>> {
    use std::os::fd::AsRawFd;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(readlinkat(CWD, link.as_str(), Vec::new())?.into_bytes())
}

/// Whether a file is mapped into a process.
pub(crate) fn has_mapped(pid: u32, device: u64, inode: u64) -> bool {
    let Ok(text) = read_limited(pid, "maps", 1 << 20) else {
        return false;
    };
    let major = rustix::fs::major(device);
    let minor = rustix::fs::minor(device);
    let wanted = format!("{major:02x}:{minor:02x} {inode} ");
    text.windows(wanted.len())
        .any(|window| window == wanted.as_bytes())
}

/// All pids that there are now, in no order.
pub(crate) fn all_pids() -> io::Result<Vec<u32>> {
    let entries = std::fs::read_dir("/proc")?;
    let pids = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    Ok(pids)
}

fn read_text(pid: u32, name: &str) -> io::Result<Vec<u8>> {
    read_limited(pid, name, TEXT_LIMIT)
}

fn read_limited(pid: u32, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 40];
    let path = proc_path(&mut buffer, pid, name);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path_of(path), flags, Mode::empty())?);
    let mut text = Vec::with_capacity(1024);
    file.take(limit).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_as_it_is() {
        let pid = std::process::id();
        let (path, key) = executable(pid, &mut Vec::new()).unwrap();
        let expected = std::env::current_exe().unwrap();
        assert_eq!(path, expected.as_os_str().as_bytes());
        assert_eq!(key, FileKey::of(&stat(&expected).unwrap()));
        let stat = process_stat(pid).unwrap();
        assert_eq!(
            stat.parent,
            rustix::process::getppid().unwrap().as_raw_nonzero().get() as u32
        );
        assert!(stat.start > 0 && !stat.ending && stat.threads >= 1);
        assert_eq!(real_uid(pid).unwrap(), rustix::process::getuid().as_raw());
        assert!(has_mapped(pid, key.device, key.inode));
        assert!(!has_mapped(pid, key.device, 1));
        assert!(exists(pid));
        assert!(all_pids().unwrap().contains(&pid));
    }

    #[test]
    fn a_terminal_is_known_by_its_device() {
        let of = |number| Device::read(number).map(|of| (of.major, of.minor));
        assert_eq!(of(0), None);
        assert_eq!(of(136 << 8 | 3), Some((136, 3)));
        assert_eq!(of(4 << 8 | 2), Some((4, 2)));
        assert_eq!(of(0x10_8801), Some((136, 257)));
    }

    #[test]
    fn a_process_that_is_gone_has_no_answer() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        child.wait().unwrap();
        assert!(executable(child.id(), &mut Vec::new()).is_err());
        assert!(process_stat(child.id()).is_err());
        assert!(!exists(child.id()));
        let (pid, start) = (child.id(), 0);
        assert!(is_gone(ProcessKey { pid, start }));
    }

    #[test]
    fn a_process_that_runs_is_not_gone_and_one_that_its_parent_has_not_noticed_is() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id();
        let start = process_stat(pid).unwrap().start;
        assert!(!is_gone(ProcessKey { pid, start }));
        assert!(
            !is_gone(ProcessKey { pid, start: 0 }),
            "when it began is not known"
        );
        let other = ProcessKey {
            pid,
            start: start + 1,
        };
        assert!(is_gone(other), "another one has its pid");
        child.kill().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !is_gone(ProcessKey { pid, start }) {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        assert!(exists(pid), "nobody has waited for it");
        child.wait().unwrap();
    }
}
