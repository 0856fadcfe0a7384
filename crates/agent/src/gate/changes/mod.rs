//! Files that are not asked about again, until something changes about them: a rename, a new link,
//! other attributes, the end of writing to them. What the gate's own marks in the kernel do not see.
//!
//! Each such file is watched before the kernel is told to ask no more, so that nothing is missed in
//! between. Its first change ends the watching: the kernel asks at its next start, and not before
//! that it costs anything again. A file that cannot be watched is asked about at each start.

mod kernel;

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstatvfs;
use rustix::io::Errno;
use usher_gate::{Answer, CommandNumber, Gate, Question};
use usher_platform::files;

use self::kernel::{Event, FileHandle, Group};
use super::marks::{TABLE, mounts_of};
use crate::base::lock;
use crate::base::wake::Wake;
use crate::system::mounts::markable;

/// The least time between two resets, after which every file is asked about again.
const ALL_AGAIN_EVERY: Duration = Duration::from_millis(100);
/// How many file systems are remembered with their mounts; those of further ones are looked up each
/// time.
const ROOTS_LIMIT: usize = 256;

/// Watches the files that one gate does not ask about, until this is dropped.
#[derive(Debug)]
pub(super) struct Changes {
    watch: Arc<FileWatch>,
    end: Wake,
}

#[derive(Debug)]
struct FileWatch {
    gate: Weak<Gate>,
    group: Group,
    /// Held while a file is added to or removed from the watch and the gate is told.
    turn: Mutex<()>,
}

impl Changes {
    /// Starts the thread that reads the changes.
    ///
    /// # Errors
    /// The kernel reports no changes (before Linux 5.1), or no thread can be started.
    pub(super) fn follow(gate: &Arc<Gate>) -> std::io::Result<Changes> {
        let end = Wake::new()?;
        let watch = Arc::new(FileWatch {
            gate: Arc::downgrade(gate),
            group: Group::open()?,
            turn: Mutex::default(),
        });
        let (watching, ending) = (watch.clone(), end.try_clone()?);
        usher_vital::spawn("usher-changes", move || watching.run(&ending))?;
        Ok(Changes { watch, end })
    }

    /// Lets a start run; its file is not asked about again until it changes.
    pub(super) fn forget(&self, question: &Question) {
        let Some(gate) = self.watch.gate.upgrade() else {
            return;
        };
        let _turn = lock(&self.watch.turn);
        let answer = match self.watch.group.watch(question.file.as_fd()) {
            Ok(()) => Answer::RunAndForget,
            Err(_) => Answer::Run,
        };
        // A gate that takes no messages has ended, or its guard ends it: then the start runs.
        let _ = gate.answer(question.number, answer);
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        // The thread may hang on a disk; it ends when it comes back.
        self.end.wake();
    }
}

impl FileWatch {
    fn run(&self, end: &Wake) {
        let mut all = AllAgain::default();
        let mut roots = Roots::default();
        loop {
            usher_vital::plant::thread();
            let timeout = all.left().and_then(|left| Timespec::try_from(left).ok());
            let interest = [self.group.as_fd(), end.as_fd()];
            let mut ends = interest.map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN));
            let _ = poll(&mut ends, timeout.as_ref());
            let [_, ended] = ends;
            if !ended.revents().is_empty() {
                return;
            }
            for event in self.group.read() {
                let done = match event {
                    Event::Changed(handle) => self.changed(handle, &mut roots),
                    Event::Overflow => Err(Errno::OVERFLOW),
                };
                if done.is_err() {
                    all.want();
                }
            }
            if all.is_due() {
                self.tell(Gate::ask_about_all_again);
                all.done();
            }
        }
    }

    /// Makes the gate ask about a file again.
    fn changed(&self, mut handle: FileHandle, roots: &mut Roots) -> Result<(), Errno> {
        let root = roots.open(handle.file_system).ok_or(Errno::NODEV)?;
        let file = match handle.open(root.as_fd()) {
            // It has no name any more that it could be started by.
            Err(Errno::STALE) => return Ok(()),
            opened => opened?,
        };
        let _turn = lock(&self.turn);
        self.group.unwatch(file.as_fd())?;
        self.tell(|gate| gate.ask_again(file.as_fd()));
        Ok(())
    }

    /// Tells the gate, which is kept no longer than that: it ends with its last holder, and a disk
    /// may hang. One that takes no messages has ended, or its guard ends it.
    fn tell(&self, what: impl FnOnce(&Gate) -> Result<CommandNumber, Errno>) {
        if let Some(gate) = self.gate.upgrade() {
            let _ = what(&gate);
        }
    }
}

/// Where the mounts of file systems are, so that not all have to be looked at for each change.
#[derive(Debug, Default)]
struct Roots(HashMap<u64, Vec<u8>>);

impl Roots {
    /// The root of a mount of this namespace of that file system. It is to be kept open no longer
    /// than it is needed: meanwhile nobody can unmount it.
    fn open(&mut self, file_system: u64) -> Option<OwnedFd> {
        let known = self.0.get(&file_system);
        if let Some(root) = known.and_then(|path| root_at(path, file_system)) {
            return Some(root);
        }
        let mounts = mounts_of(Path::new(TABLE));
        let local = mounts
            .into_iter()
            .filter(|mount| markable(&mount.fs_type).is_ok());
        let mut found = local.filter_map(|mount| {
            let root = root_at(&mount.path, file_system)?;
            Some((mount.path, root))
        });
        let (path, root) = found.next()?;
        if self.0.len() >= ROOTS_LIMIT {
            self.0.clear();
        }
        self.0.insert(file_system, path);
        Some(root)
    }
}

fn root_at(path: &[u8], file_system: u64) -> Option<OwnedFd> {
    let root = OwnedFd::from(files::open_folder_or_regular(files::path_of(path)).ok()?);
    let found = fstatvfs(&root).ok()?;
    (found.f_fsid == file_system).then_some(root)
}

/// When every file has to be asked about again: at once the first time, then at intervals.
#[derive(Debug, Default)]
struct AllAgain {
    is_wanted: bool,
    last: Option<Instant>,
}

impl AllAgain {
    fn want(&mut self) {
        self.is_wanted = true;
    }

    /// The time until it is due; none: it is not needed.
    fn left(&self) -> Option<Duration> {
        let since = self.last.map_or(ALL_AGAIN_EVERY, |last| last.elapsed());
        self.is_wanted
            .then(|| ALL_AGAIN_EVERY.saturating_sub(since))
    }

    fn is_due(&self) -> bool {
        self.left() == Some(Duration::ZERO)
    }

    fn done(&mut self) {
        self.is_wanted = false;
        self.last = Some(Instant::now());
    }
}
