//! Which file systems starts are held on: those of the computer's own disks, as they are mounted.
//!
//! A mark is of a file system, and holds on all its mounts in every namespace. The kernel tells when
//! the mount table of this namespace changes; those of others are looked at from time to time.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use usher_api::MountMark;
use usher_gate::{CommandNumber, Gate};

use super::Shared;
use crate::base::lock;
use crate::base::wake::Wake;
use crate::system::mounts::{self, Mount};

/// The mount table of this process.
pub(super) const TABLE: &str = "/proc/self/mountinfo";
/// How often the mount tables of other namespaces are read.
const LOOK_ELSEWHERE: Duration = Duration::from_secs(5);
/// The largest mount table that is read, in bytes.
const TABLE_LIMIT: u64 = 16 << 20;
/// How many other mount namespaces are checked.
const NAMESPACES_LIMIT: usize = 1_024;
/// How many file systems are marked.
const MARKS_LIMIT: usize = 4_096;

/// Marks file systems for one gate, until this is dropped.
pub(super) struct Marks {
    known: Arc<Known>,
    end: Wake,
}

/// The result for each file system, by its device, and requests that are still open.
#[derive(Default)]
struct Known {
    results: Mutex<HashMap<String, Result<(), String>>>,
    asked: Mutex<HashMap<CommandNumber, String>>,
    shown: Mutex<Vec<Mount>>,
}

impl Marks {
    /// Starts the thread that follows the mounts, on the file systems of the paths `only`, or on
    /// all if there are none.
    pub(super) fn follow(
        gate: Arc<Gate>,
        only: Vec<PathBuf>,
        shared: Arc<Shared>,
    ) -> io::Result<Marks> {
        let known = Arc::new(Known::default());
        let end = Wake::new()?;
        let ending = end.try_clone()?;
        let follower = Follower {
            gate,
            only,
            shared,
            known: known.clone(),
        };
        usher_vital::spawn("usher-mounts", move || follower.run(&ending))?;
        Ok(Marks { known, end })
    }

    /// Notes that the gate has carried out a command, or could not.
    pub(super) fn done(&self, shared: &Shared, command: CommandNumber, result: Result<(), Errno>) {
        let Some(device) = lock(&self.known.asked).remove(&command) else {
            return;
        };
        if let Err(error) = result {
            tracing::warn!(device, %error, "a file system cannot be marked: its starts are not held");
        }
        let result = result.map_err(|error| format!("the kernel refuses to mark it: {error}"));
        lock(&self.known.results).insert(device, result);
        self.known.show(shared);
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        // The thread may hang on a disk; it ends when it comes back.
        self.end.wake();
    }
}

impl Known {
    /// Shows the result for each mount of this namespace.
    fn show(&self, shared: &Shared) {
        let results = lock(&self.results);
        let mounts = lock(&self.shown);
        let marks = mounts.iter().filter_map(|mount| {
            let result = results.get(&mount.device)?;
            Some(MountMark {
                path: mount.shown_path(),
                fs_type: mount.fs_type.clone(),
                why_not: result.clone().err(),
            })
        });
        let held = results.values().filter(|result| result.is_ok()).count();
        shared.show(marks.collect(), u32::try_from(held).unwrap_or(u32::MAX));
    }
}

struct Follower {
    gate: Arc<Gate>,
    only: Vec<PathBuf>,
    shared: Arc<Shared>,
    known: Arc<Known>,
}

impl Follower {
    fn run(&self, end: &Wake) {
        let Ok(table) = File::open(TABLE) else {
            tracing::error!("the mount table cannot be read: no start is held");
            return;
        };
        let mut elsewhere = HashSet::new();
        loop {
            usher_vital::plant::thread();
            self.mark_own();
            self.mark_elsewhere(&mut elsewhere);
            let timeout = Timespec::try_from(LOOK_ELSEWHERE).unwrap_or_default();
            let mut ends = [
                PollFd::from_borrowed_fd(table.as_fd(), PollFlags::PRI | PollFlags::ERR),
                PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN),
            ];
            let _ = poll(&mut ends, Some(&timeout));
            if !ends[1].revents().is_empty() {
                return;
            }
        }
    }

    fn mark_own(&self) {
        let mut mounts = mounts_of(Path::new(TABLE));
        mounts.retain(|mount| !mount.holds_no_programs() && !mount.is_noexec);
        // Of mounts one over the other only the upper can be reached.
        for (at, mount) in mounts.iter().enumerate() {
            let is_covered = mounts[at + 1..]
                .iter()
                .any(|other| other.path == mount.path);
            if !is_covered {
                self.mark(mount, Path::new("/"));
            }
        }
        let devices: HashSet<&str> = mounts.iter().map(|mount| &*mount.device).collect();
        // A number is used again for what is mounted later.
        lock(&self.known.results).retain(|device, _| devices.contains(&**device));
        *lock(&self.known.shown) = mounts;
        self.known.show(&self.shared);
    }

    /// Marks file systems that are mounted only in other namespaces, such as containers.
    fn mark_elsewhere(&self, marked: &mut HashSet<String>) {
        let own: HashSet<String> = lock(&self.known.results).keys().cloned().collect();
        let mut present = HashSet::new();
        for pid in mounts::other_namespaces(NAMESPACES_LIMIT) {
            let process = PathBuf::from(format!("/proc/{pid}"));
            for mount in mounts_of(&process.join("mountinfo")) {
                let is_other = !mount.holds_no_programs() && !own.contains(&mount.device);
                if !is_other || mounts::markable(&mount.fs_type).is_err() {
                    continue;
                }
                present.insert(mount.device.clone());
                if marked.contains(&mount.device) || marked.len() >= MARKS_LIMIT {
                    continue;
                }
                let is_asked = self.ask(&mount, &process.join("root"));
                if is_asked.is_ok() {
                    marked.insert(mount.device.clone());
                }
            }
        }
        marked.retain(|device| present.contains(device));
    }

    /// Marks the file system of a mount, unless it was asked before.
    fn mark(&self, mount: &Mount, root: &Path) {
        let known = lock(&self.known.results).len();
        if lock(&self.known.results).contains_key(&mount.device) || known >= MARKS_LIMIT {
            return;
        }
        let result = match mounts::markable(&mount.fs_type) {
            Err(why) => Err(why.to_owned()),
            Ok(()) => self.ask(mount, root),
        };
        if let Err(why) = result {
            lock(&self.known.results).insert(mount.device.clone(), Err(why));
        }
    }

    fn ask(&self, mount: &Mount, root: &Path) -> Result<(), String> {
        let relative = mount.path.strip_prefix(b"/").unwrap_or(&mount.path);
        let path = root.join(std::ffi::OsStr::from_bytes(relative));
        let opened = usher_platform::files::open_folder_or_regular(&path).map(OwnedFd::from);
        let opened = opened.map_err(|error| format!("its root cannot be opened: {error}"))?;
        if !self.is_allowed(&opened) {
            return Err("the agent was told to hold starts elsewhere only".to_owned());
        }
        // Noted before the answer can come.
        let mut asked = lock(&self.known.asked);
        let command = self.gate.mark(opened.as_fd());
        let command = command.map_err(|error| format!("the gate did not take it: {error}"))?;
        asked.insert(command, mount.device.clone());
        Ok(())
    }

    /// Whether starts may be held on the file system of an open file.
    fn is_allowed(&self, opened: &OwnedFd) -> bool {
        let device = |path: &Path| rustix::fs::stat(path).ok().map(|stat| stat.st_dev);
        let of_opened = rustix::fs::fstat(opened).ok().map(|stat| stat.st_dev);
        self.only.is_empty() || self.only.iter().any(|path| device(path) == of_opened)
    }
}

/// The mounts of a table; none if it cannot be read.
pub(super) fn mounts_of(table: &Path) -> Vec<Mount> {
    let mut text = Vec::new();
    let read = File::open(table).and_then(|file| file.take(TABLE_LIMIT).read_to_end(&mut text));
    match read {
        Ok(_) => mounts::parse(&text),
        Err(_) => Vec::new(),
    }
}
