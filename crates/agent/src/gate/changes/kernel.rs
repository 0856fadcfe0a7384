//! The kernel's side: a fanotify group that reports changes of files by the files' handles.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

/// What changes a file, its name or what is known of it: attributes and links, a rename, and the
/// end of writing to it, through a shared mapping too.
const CHANGES: u64 = libc::FAN_ATTRIB | libc::FAN_MOVE_SELF | libc::FAN_CLOSE_WRITE;
/// How many bytes one read takes at most.
const READ_AT_ONCE: usize = 4_096;
/// The size of the header of an event.
const METADATA: usize = size_of::<libc::fanotify_event_metadata>();
/// Kind, padding and length of a record, and the file system's identity, before the handle.
const BEFORE_HANDLE: usize = size_of::<libc::fanotify_event_info_header>() + 8;

/// Reports changes of the files that were added to it.
#[derive(Debug)]
pub(super) struct Group(OwnedFd);

/// A report of the kernel.
#[derive(Debug)]
pub(super) enum Event {
    /// A file has changed.
    Changed(FileHandle),
    /// The kernel's queue overflowed: any file may have changed.
    Overflow,
}

/// A file, by whatever name.
#[derive(Debug)]
pub(super) struct FileHandle {
    /// The file system, as `fstatvfs` tells it.
    pub(super) file_system: u64,
    handle: Vec<u8>,
}

impl AsFd for Group {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Group {
    /// # Errors
    /// EPERM without CAP_SYS_ADMIN; EINVAL before Linux 5.1.
    pub(super) fn open() -> Result<Self, Errno> {
        // The kernel drops these marks when it needs the memory: they need no bound of ours.
        let flags = libc::FAN_CLASS_NOTIF
            | libc::FAN_REPORT_FID
            | libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_UNLIMITED_MARKS;
        // SAFETY: a call with numbers only; what it gives back is a new descriptor or -1.
        let descriptor = unsafe { libc::fanotify_init(flags, libc::O_RDONLY as libc::c_uint) };
        if descriptor < 0 {
            return Err(last_error());
        }
        // SAFETY: the kernel has just made this descriptor for us; nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }

    /// Tells of changes of this file, until the kernel needs the memory.
    ///
    /// # Errors
    /// ENODEV or EOPNOTSUPP if its file system knows no handles; EXDEV in a part of a file
    /// system that counts as one of its own.
    pub(super) fn watch(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        self.change(libc::FAN_MARK_ADD | libc::FAN_MARK_EVICTABLE, file)
    }

    /// Stops reporting this file. It is not an error if the file was not added.
    pub(super) fn unwatch(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        match self.change(libc::FAN_MARK_REMOVE, file) {
            Err(Errno::NOENT) => Ok(()),
            done => done,
        }
    }

    fn change(&self, what: libc::c_uint, file: BorrowedFd<'_>) -> Result<(), Errno> {
        let (group, file) = (self.0.as_raw_fd(), file.as_raw_fd());
        // SAFETY: both descriptors are open for as long as the call lasts; without a path it is
        // about what `file` is open on.
        let done = unsafe { libc::fanotify_mark(group, what, CHANGES, file, std::ptr::null()) };
        if done == 0 { Ok(()) } else { Err(last_error()) }
    }

    /// Reads the kernel's reports, as many as fit; empty if there are none.
    pub(super) fn read(&self) -> Vec<Event> {
        let mut buffer = [0; READ_AT_ONCE];
        let length = rustix::io::read(&self.0, &mut buffer).unwrap_or(0);
        let mut rest = buffer.get(..length).unwrap_or_default();
        let mut events = Vec::new();
        while let Some((event, behind)) = first(rest) {
            events.extend(event);
            rest = behind;
        }
        events
    }
}

impl FileHandle {
    /// Opens the file for reading. `on` lies on the same file system.
    ///
    /// # Errors
    /// ESTALE: it is gone.
    pub(super) fn open(&mut self, on: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        // Nothing is read from it; not O_NOATIME, which takes CAP_FOWNER for the files of others.
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let handle = self.handle.as_mut_ptr().cast::<libc::file_handle>();
        // SAFETY: `handle` is what the kernel wrote as a file handle, whole with its length in
        // front (`first` has seen to it), and lives as long as the call; only the kernel reads it,
        // byte by byte.
        let descriptor = unsafe { libc::open_by_handle_at(on.as_raw_fd(), handle, flags) };
        if descriptor < 0 {
            return Err(last_error());
        }
        // SAFETY: the kernel has just made this descriptor for us; nobody else has it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    }
}

/// Splits off the first event (fanotify(7)): length u32, version u8, reserved u8, length of its
/// head u16, mask u64, descriptor i32, pid i32; behind it one record with the file's handle: kind
/// u8, padding u8, length u16, file system 2 i32, then the handle: its length u32, kind i32, bytes.
fn first(bytes: &[u8]) -> Option<(Option<Event>, &[u8])> {
    let length = u32::from_ne_bytes(array(bytes, 0)?) as usize;
    let mask = u64::from_ne_bytes(array(bytes, 8)?);
    let (event, rest) = bytes.split_at_checked(length.max(METADATA))?;
    if mask & libc::FAN_Q_OVERFLOW != 0 {
        return Some((Some(Event::Overflow), rest));
    }
    Some((handle(event).map(Event::Changed), rest))
}

fn handle(event: &[u8]) -> Option<FileHandle> {
    let record = event.get(usize::from(u16::from_ne_bytes(array(event, 6)?))..)?;
    if *record.first()? != libc::FAN_EVENT_INFO_TYPE_FID {
        return None;
    }
    let (low, high) = (
        u32::from_ne_bytes(array(record, 4)?),
        u32::from_ne_bytes(array(record, 8)?),
    );
    let handle = record.get(BEFORE_HANDLE..)?;
    let bytes = u32::from_ne_bytes(array(handle, 0)?) as usize;
    Some(FileHandle {
        file_system: u64::from(low) | u64::from(high) << 32,
        handle: handle.get(..bytes.checked_add(8)?)?.to_vec(),
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_is_no_event_and_nothing_is_read_behind_it() {
        let mut event = vec![0; METADATA + BEFORE_HANDLE + 12];
        let length = event.len() as u32;
        event[..4].copy_from_slice(&length.to_ne_bytes());
        event[6..8].copy_from_slice(&(METADATA as u16).to_ne_bytes());
        event[8..16].copy_from_slice(&libc::FAN_ATTRIB.to_ne_bytes());
        event[METADATA] = libc::FAN_EVENT_INFO_TYPE_FID;
        event[METADATA + 4..METADATA + 12].copy_from_slice(&7_u64.to_ne_bytes());
        event[METADATA + BEFORE_HANDLE..][..4].copy_from_slice(&4_u32.to_ne_bytes());
        let (found, rest) = first(&event).unwrap();
        let Some(Event::Changed(found)) = found else {
            panic!("{found:?}");
        };
        assert_eq!((found.handle.len(), rest.len()), (12, 0));
        for cut in 0..event.len() {
            assert!(first(&event[..cut]).is_none(), "{cut}");
        }
        // A handle that is said to be longer than its event.
        event[METADATA + BEFORE_HANDLE..][..4].copy_from_slice(&5_u32.to_ne_bytes());
        assert!(matches!(first(&event), Some((None, _))));
    }
}
