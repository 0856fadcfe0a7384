//! The kernel's side of the gate: the permission descriptor, and what this process asks for itself.
//! The one place of this crate that is unsafe.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};

/// Bytes of an event, and of how many one reading takes at most.
const EVENT: usize = size_of::<libc::fanotify_event_metadata>();
pub(crate) const READ_AT_ONCE: usize = 64;

/// The fanotify group: the starts that the kernel holds. Closing it lets all of them run.
///
/// Its queue is the bounded one: a start that comes while it is full runs; the unbounded one would
/// hold it. Its marks are unbounded: ignore marks are the kernel's to drop when it needs the memory.
#[derive(Debug)]
pub(crate) struct Group(OwnedFd);

/// One start, as the kernel reports it.
#[derive(Debug)]
pub(crate) enum Event {
    /// The process and the file; to be answered by [`Group::answer`].
    Start { pid: u32, file: OwnedFd },
    /// The queue was full: programs started without being reported.
    Overflow,
}

/// Room for what one reading brings.
pub(crate) struct Buffer([u8; EVENT * READ_AT_ONCE]);

impl Buffer {
    pub(crate) fn new() -> Self {
        Self([0; EVENT * READ_AT_ONCE])
    }
}

impl AsFd for Group {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Group {
    /// # Errors
    /// EPERM without CAP_SYS_ADMIN; ENOSYS in a kernel without fanotify.
    pub(crate) fn open() -> Result<Self, Errno> {
        let flags = libc::FAN_CLASS_CONTENT
            | libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_UNLIMITED_MARKS;
        let of_files = libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC | libc::O_NOATIME;
        // SAFETY: a call with numbers only; what it gives back is a new descriptor or -1.
        let descriptor = unsafe { libc::fanotify_init(flags, of_files as libc::c_uint) };
        if descriptor < 0 {
            return Err(last_error());
        }
        // SAFETY: the kernel has just made this descriptor for us; nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }

    /// Has starts of programs reported on the file system that `on` is on.
    pub(crate) fn mark(&self, on: BorrowedFd<'_>) -> Result<(), Errno> {
        self.change(libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM, on)
    }

    /// Has no more starts reported on that file system.
    pub(crate) fn unmark(&self, on: BorrowedFd<'_>) -> Result<(), Errno> {
        self.change(libc::FAN_MARK_REMOVE | libc::FAN_MARK_FILESYSTEM, on)
    }

    /// Has no more starts of this file reported, until it is written to or the kernel needs the
    /// memory.
    pub(crate) fn ignore(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        let ignore = libc::FAN_MARK_IGNORE | libc::FAN_MARK_EVICTABLE;
        self.change(libc::FAN_MARK_ADD | ignore, file)
    }

    /// Has starts of this file reported again. It is no error if they are reported already.
    pub(crate) fn heed(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        match self.change(libc::FAN_MARK_REMOVE | libc::FAN_MARK_IGNORE, file) {
            Err(Errno::NOENT) => Ok(()),
            done => done,
        }
    }

    /// Has starts of every file reported again.
    pub(crate) fn heed_all(&self) -> Result<(), Errno> {
        self.call(libc::FAN_MARK_FLUSH, 0, rustix::fs::CWD)
    }

    /// Has no starts reported any more.
    pub(crate) fn unmark_all(&self) -> Result<(), Errno> {
        let file_systems = libc::FAN_MARK_FLUSH | libc::FAN_MARK_FILESYSTEM;
        self.call(file_systems, 0, rustix::fs::CWD)
            .and(self.heed_all())
    }

    fn change(&self, what: libc::c_uint, on: BorrowedFd<'_>) -> Result<(), Errno> {
        self.call(what, libc::FAN_OPEN_EXEC_PERM, on)
    }

    fn call(&self, what: libc::c_uint, mask: u64, on: BorrowedFd<'_>) -> Result<(), Errno> {
        let (group, on) = (self.0.as_raw_fd(), on.as_raw_fd());
        // SAFETY: both descriptors are open for as long as the call lasts; without a path it is
        // about what `on` is open on.
        let done = unsafe { libc::fanotify_mark(group, what, mask, on, std::ptr::null()) };
        if done == 0 { Ok(()) } else { Err(last_error()) }
    }

    /// Reads at most [`READ_AT_ONCE`] events of the kernel. An event that is not taken from the
    /// iterator stays unanswered.
    ///
    /// # Errors
    /// EAGAIN: there are none. Any other: the kernel could not open the file for us, and has
    /// refused that start.
    pub(crate) fn read<'a>(
        &self,
        buffer: &'a mut Buffer,
    ) -> Result<impl Iterator<Item = Event> + 'a, Errno> {
        let length = rustix::io::read(&self.0, &mut buffer.0)?;
        let events = buffer.0.get(..length).unwrap_or_default();
        Ok(events.chunks_exact(EVENT).filter_map(event))
    }

    /// Lets a start run, or fail with EPERM.
    pub(crate) fn answer(&self, start: &OwnedFd, may_run: bool) {
        let answer = if may_run {
            libc::FAN_ALLOW
        } else {
            libc::FAN_DENY
        };
        let mut response = [0; 8];
        let (number, word) = response.split_at_mut(4);
        number.copy_from_slice(&start.as_raw_fd().to_ne_bytes());
        word.copy_from_slice(&answer.to_ne_bytes());
        // It fails only if the starting process has been killed meanwhile.
        let _ = rustix::io::write(&self.0, &response);
    }
}

/// Reads one event of the kernel's: length u32, version u8, reserved u8, length u16, mask u64,
/// descriptor i32, pid i32 (fanotify(7)).
fn event(bytes: &[u8]) -> Option<Event> {
    let mask = u64::from_ne_bytes(bytes.get(8..16)?.try_into().ok()?);
    let descriptor = i32::from_ne_bytes(bytes.get(16..20)?.try_into().ok()?);
    let pid = i32::from_ne_bytes(bytes.get(20..24)?.try_into().ok()?);
    if mask & libc::FAN_Q_OVERFLOW != 0 {
        return Some(Event::Overflow);
    }
    if descriptor < 0 {
        return None;
    }
    // SAFETY: the kernel has made this descriptor for us when the event was read, and each event
    // of a reading is looked at once: `Group::read` gives an iterator over a buffer that it
    // borrows, and the next reading overwrites it.
    let file = unsafe { OwnedFd::from_raw_fd(descriptor) };
    Some(Event::Start {
        pid: u32::try_from(pid).unwrap_or(0),
        file,
    })
}

/// Closes all descriptors but the standard three: those that the partner has left open are not for
/// this process.
pub(crate) fn close_others() {
    // SAFETY: called first of all in this process; nothing in it owns a descriptor yet.
    unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
}

/// Ahead of every other process, if this is allowed: a real-time priority, else the best nice
/// value, else as it was.
pub(crate) fn go_first(priority: i32) {
    let wanted = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: the structure lives for as long as the call lasts; 0 is this process.
    let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const wanted) };
    if done != 0 {
        let _ = rustix::process::setpriority_process(None, -20);
    }
}

/// Raises the limit of open files to that many.
pub(crate) fn allow_descriptors(wanted: i32) -> Result<(), Errno> {
    let wanted = u64::from(wanted.unsigned_abs());
    let now = rustix::process::getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = now.maximum.map(|maximum| maximum.max(wanted));
    rustix::process::setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            maximum,
        },
    )
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
