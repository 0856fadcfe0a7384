//! Files by their descriptors.
//!
//! A path of somebody else's is looked up once, as a place that nothing is done to (`O_PATH`); what
//! stands there is looked at by that descriptor, and the same descriptor is opened, by
//! `/proc/self/fd`.

mod give;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, RenameFlags, Stat, fstat, openat, renameat_with};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::terms::{Identity, Links, Readers, Room, invalid};

pub(crate) use give::{give_to_owner_of, is_closed_to_others, keep_owner, owner};

/// Opens the regular file at `path`, which is looked up from `folder`, for reading.
///
/// # Errors
/// There is nothing, it is no regular file, or it may not be read.
pub fn open_regular_at(folder: impl AsFd, path: impl Arg, links: Links) -> io::Result<File> {
    let (place, stat) = look_up(folder, path, links)?;
    match kind_of(&stat) {
        FileType::RegularFile => reopen(&place),
        other => Err(refused(other)),
    }
}

/// The place at `path`, looked up once and opened by nobody, with what is known of it.
///
/// # Errors
/// There is nothing.
pub fn look_up(folder: impl AsFd, path: impl Arg, links: Links) -> io::Result<(OwnedFd, Stat)> {
    let nofollow = match links {
        Links::Followed => OFlags::empty(),
        Links::Refused => OFlags::NOFOLLOW,
    };
    let flags = OFlags::PATH | OFlags::CLOEXEC | nofollow;
    let place = openat(folder, path, flags, Mode::empty())?;
    let stat = fstat(&place)?;
    Ok((place, stat))
}

pub(crate) fn open_regular(path: &Path, links: Links) -> io::Result<File> {
    open_regular_at(CWD, path, links)
}

pub(crate) fn open_folder_or_regular(path: &Path) -> io::Result<File> {
    let (place, stat) = look_up(CWD, path, Links::Followed)?;
    match kind_of(&stat) {
        FileType::RegularFile | FileType::Directory => reopen(&place),
        other => Err(refused(other)),
    }
}

pub(crate) fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?.into())
}

/// How many names a file has.
pub(crate) fn names(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.nlink())
}

pub(crate) fn open_or_create(path: &Path, links: Links) -> io::Result<File> {
    let flags = match links {
        Links::Followed => OFlags::empty(),
        Links::Refused => OFlags::NOFOLLOW,
    };
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(mode(Readers::Nobody, 0))
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

pub(crate) fn create_new(path: &Path, readers: Readers) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode(readers, 0))
        .open(path)
}

pub(crate) fn make_folder(path: &Path, readers: Readers) -> io::Result<()> {
    DirBuilder::new().mode(mode(readers, 0o111)).create(path)
}

/// The permissions of a new file; `search` if a folder has more of them.
fn mode(readers: Readers, search: u32) -> u32 {
    match readers {
        Readers::Nobody => 0o600 | search & 0o700,
        Readers::Everybody => 0o644 | search,
    }
}

pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if to.exists() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(Errno::INVAL | Errno::NOSYS) => std::fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(crate) fn identity(path: &Path) -> io::Result<Identity> {
    let facts = std::fs::metadata(path)?;
    Ok(Identity {
        volume: facts.dev(),
        number: facts.ino(),
    })
}

/// When a file's contents or attributes last changed, in nanoseconds since 1970.
pub(crate) fn changed_at_ticks(path: &Path) -> io::Result<i128> {
    let facts = std::fs::metadata(path)?;
    Ok(i128::from(facts.ctime()) * 1_000_000_000 + i128::from(facts.ctime_nsec()))
}

pub(crate) fn room(path: &Path) -> io::Result<Room> {
    let facts = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks.saturating_mul(facts.f_frsize);
    Ok(Room {
        free: bytes(facts.f_bavail),
        total: bytes(facts.f_blocks),
    })
}

pub(crate) fn is_output_an_empty_file() -> bool {
    let stat = fstat(io::stdout().as_fd());
    stat.is_ok_and(|stat| kind_of(&stat) == FileType::RegularFile && stat.st_size == 0)
}

pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    std::ffi::OsString::from_vec(bytes.to_vec()).into()
}

/// Opens the very file that a descriptor stands for.
fn reopen(place: &OwnedFd) -> io::Result<File> {
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(openat(CWD, path.as_str(), flags, Mode::empty())?.into())
}

fn kind_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn refused(kind: FileType) -> io::Error {
    invalid(match kind {
        FileType::Directory => "it is a folder",
        FileType::Symlink => "it is a symbolic link",
        FileType::Fifo => "it is a FIFO",
        FileType::Socket => "it is a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "it is a device",
        _ => "it is no regular file",
    })
}

#[cfg(test)]
mod tests;
