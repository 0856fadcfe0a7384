//! Files that are not asked about again, until something changes about them: a rename, a new link,
//! other attributes, the end of writing to them. What the gate's own marks in the kernel do not see.
//!
//! Each such file is watched before the kernel is told to ask no more, so that nothing is missed in
//! between. Its first change ends the watching: the kernel asks at its next start, and not before
//! that it costs anything again. A file that cannot be watched is asked about at each start.

mod kernel;

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::{CWD, Mode, OFlags, fstatvfs, openat};
use rustix::io::Errno;
use usher_gate::{Answer, CommandNumber, Gate, Question};

use self::kernel::{Event, FileHandle, Group};
use super::marks::{TABLE, mounts_of};
use crate::lock;
use crate::mounts::markable;

/// Between two times that every file is asked about again.
const ALL_AGAIN_EVERY: Duration = Duration::from_millis(100);

/// Watches the files that one gate does not ask about, until this is dropped.
#[derive(Debug)]
pub(super) struct Changes {
    watch: Arc<Watch>,
    end: OwnedFd,
}

#[derive(Debug)]
struct Watch {
    gate: Weak<Gate>,
    group: Group,
    /// Held while a file begins or ceases to be watched, and the gate is told so.
    turn: Mutex<()>,
}

impl Changes {
    /// Starts the thread that hears of changes.
    ///
    /// # Errors
    /// The kernel tells of no changes (before Linux 5.1), or no thread can be had.
    pub(super) fn follow(gate: &Arc<Gate>) -> std::io::Result<Changes> {
        let end = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let watch = Arc::new(Watch {
            gate: Arc::downgrade(gate),
            group: Group::open()?,
            turn: Mutex::default(),
        });
        let (watching, ending) = (watch.clone(), end.try_clone()?);
        std::thread::Builder::new()
            .name("usher-changes".to_owned())
            .spawn(move || watching.run(&ending))?;
        Ok(Changes { watch, end })
    }

    /// Lets a start run, and has its file asked about no more until it changes.
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
        let _ = rustix::io::write(&self.end, &1_u64.to_ne_bytes());
    }
}

impl Watch {
    fn run(&self, end: &OwnedFd) {
        let mut all = AllAgain::default();
        loop {
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
                    Event::Changed(handle) => self.changed(handle),
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

    /// Has a file asked about again.
    fn changed(&self, mut handle: FileHandle) -> Result<(), Errno> {
        let root = root_of(handle.file_system).ok_or(Errno::NODEV)?;
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

/// The root of a mount of this namespace of that file system. It is kept open no longer than it is
/// needed: meanwhile nobody can unmount it.
fn root_of(file_system: u64) -> Option<OwnedFd> {
    let mounts = mounts_of(Path::new(TABLE));
    let local = mounts
        .iter()
        .filter(|mount| markable(&mount.fs_type).is_ok());
    let mut roots = local.filter_map(|mount| {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        openat(CWD, mount.path.as_slice(), flags, Mode::empty()).ok()
    });
    roots.find(|root| fstatvfs(root).is_ok_and(|found| found.f_fsid == file_system))
}

/// When every file is to be asked about again: at once, and then not too often.
#[derive(Debug, Default)]
struct AllAgain {
    is_wanted: bool,
    last: Option<Instant>,
}

impl AllAgain {
    fn want(&mut self) {
        self.is_wanted = true;
    }

    /// How long until it is due; none where it is not wanted.
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
