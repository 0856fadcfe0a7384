//! usher-files: opening files whose path or folder belongs to somebody else.
//!
//! Whoever may write in a folder can put a FIFO, a device or a link where a file was, at any
//! moment. So a path is looked up once, as a place that nothing is done to (`O_PATH`); what stands
//! there is looked at by that descriptor, and the same descriptor is opened, by `/proc/self/fd`.
//! Opening neither waits for a writer nor wakes a device.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::path::Arg;

/// Whether a symbolic link at the end of a path leads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It does.
    Followed,
    /// It is no file.
    Refused,
}

/// Opens the regular file at `path` for reading; links lead on.
///
/// # Errors
/// There is nothing, it is no regular file, or it may not be read.
pub fn open_regular(path: impl Arg) -> io::Result<File> {
    open_regular_at(CWD, path, Links::Followed)
}

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

/// Opens what is mounted or marked at `path`, for reading: a folder or a regular file.
///
/// # Errors
/// There is nothing, it is neither, or it may not be read.
pub fn open_folder_or_regular(path: impl Arg) -> io::Result<File> {
    let (place, stat) = look_up(CWD, path, Links::Followed)?;
    match kind_of(&stat) {
        FileType::RegularFile | FileType::Directory => reopen(&place),
        other => Err(refused(other)),
    }
}

/// Opens the folder at `path`, whatever leads there.
///
/// # Errors
/// There is nothing, or it is no folder.
pub fn open_folder(path: impl Arg) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?.into())
}

/// The text of a small file that lies in somebody else's folder: a regular file of one name, no
/// link, of at most `limit` bytes. Root would otherwise read for the folder's owner what only root
/// may read.
///
/// # Errors
/// As [`open_regular_at`]; the file has several names, is longer, or is no UTF-8.
pub fn read_own_text(path: &Path, limit: u64) -> io::Result<String> {
    let file = open_regular_at(CWD, path, Links::Refused)?;
    if fstat(&file)?.st_nlink > 1 {
        return Err(invalid("it has more than one name"));
    }
    let mut text = String::new();
    file.take(limit.saturating_add(1))
        .read_to_string(&mut text)?;
    match u64::try_from(text.len()).is_ok_and(|length| length <= limit) {
        true => Ok(text),
        false => Err(invalid("it is too long")),
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

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::mknodat;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Folder {
            Folder(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn fifo(&self, name: &str) -> PathBuf {
            let path = self.path(name);
            mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            path
        }
    }

    fn why(opened: io::Result<File>) -> String {
        opened.unwrap_err().to_string()
    }

    #[test]
    fn a_fifo_a_device_a_socket_and_a_folder_are_refused_without_being_waited_for() {
        let folder = Folder::new();
        let fifo = folder.fifo("fifo");
        let socket = folder.path("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path("link");
        symlink("/dev/zero", &link).unwrap();
        assert_eq!(why(open_regular(&fifo)), "it is a FIFO");
        assert_eq!(why(open_regular(&socket)), "it is a socket");
        assert_eq!(why(open_regular(&link)), "it is a device");
        assert_eq!(why(open_regular("/dev/tty")), "it is a device");
        assert_eq!(why(open_regular(folder.0.path())), "it is a folder");
        assert_eq!(why(open_folder_or_regular(&fifo)), "it is a FIFO");
        assert!(open_folder_or_regular(folder.0.path()).is_ok());
    }

    #[test]
    fn a_file_that_takes_turns_with_a_fifo_never_holds_who_opens_it() {
        let folder = Folder::new();
        let (file, fifo, name) = (folder.path("file"), folder.fifo("fifo"), folder.path("it"));
        std::fs::write(&file, "whole").unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for from in [&file, &fifo] {
                        let next = folder.path("next");
                        std::fs::hard_link(from, &next).unwrap();
                        std::fs::rename(&next, &name).unwrap();
                        let _ = std::fs::remove_file(&next);
                    }
                }
            });
            for _ in 0..5_000 {
                if let Ok(mut opened) = open_regular(&name) {
                    let mut text = String::new();
                    opened.read_to_string(&mut text).unwrap();
                    assert_eq!(text, "whole");
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_small_file_of_somebody_elses_folder_is_read_by_its_one_name_only() {
        let folder = Folder::new();
        let (file, link, other) = (folder.path("file"), folder.path("link"), folder.path("two"));
        std::fs::write(&file, "secret\n").unwrap();
        assert_eq!(read_own_text(&file, 7).unwrap(), "secret\n");
        let long = read_own_text(&file, 6).unwrap_err().to_string();
        assert_eq!(long, "it is too long");
        symlink(&file, &link).unwrap();
        let linked = read_own_text(&link, 100).unwrap_err().to_string();
        assert_eq!(linked, "it is a symbolic link");
        std::fs::hard_link(&file, &other).unwrap();
        let named = read_own_text(&file, 100).unwrap_err().to_string();
        assert_eq!(named, "it has more than one name");
    }
}
