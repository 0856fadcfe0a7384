//! Files: private ones, whole writes, those in folders of other accounts, which file it is, and
//! how much room there is.
//!
//! Whoever may write in a folder can put a FIFO, a device or a link where a file was, at any
//! moment. The functions that open somebody else's path look at what they have opened, not at what
//! a path led to a moment before, and neither wait for a writer nor wake a device.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::system::files as system;
use crate::terms::invalid;

pub use crate::plain::{before_restores, beside, folder_of, next_before_restore, remove_if_there};
pub use crate::terms::{Identity, Links, Readers, Room};

#[cfg(target_os = "linux")]
pub use crate::system::files::{look_up, open_regular_at};

/// Opens the regular file at `path` for reading; links lead on.
///
/// # Errors
/// There is nothing, it is no regular file, or it may not be read.
pub fn open_regular(path: impl AsRef<Path>) -> io::Result<File> {
    system::open_regular(path.as_ref(), Links::Followed)
}

/// Opens what is mounted or marked at `path`, for reading: a folder or a regular file.
///
/// # Errors
/// There is nothing, it is neither, or it may not be read.
pub fn open_folder_or_regular(path: impl AsRef<Path>) -> io::Result<File> {
    system::open_folder_or_regular(path.as_ref())
}

/// Opens the folder at `path`, whatever leads there.
///
/// # Errors
/// There is nothing, or it is no folder.
pub fn open_folder(path: impl AsRef<Path>) -> io::Result<File> {
    system::open_folder(path.as_ref())
}

/// The text of a small file that lies in somebody else's folder: a regular file of one name, no
/// link, of at most `limit` bytes. An administrator would otherwise read for the folder's owner
/// what only an administrator may read.
///
/// # Errors
/// As [`open_regular`]; it is a link, has several names, is longer, or is no UTF-8.
pub fn read_own_text(path: &Path, limit: u64) -> io::Result<String> {
    let file = system::open_regular(path, Links::Refused)?;
    if system::names(&file)? > 1 {
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

/// Opens a file for reading and writing that is made, if it is not there, for its owner alone. What
/// it holds stays.
///
/// # Errors
/// It cannot be opened or made.
pub fn open_private(path: &Path) -> io::Result<File> {
    system::open_or_create(path, Links::Followed)
}

/// As [`open_private`], but a symbolic link at the path is an error.
///
/// # Errors
/// It is a link, or cannot be opened or made.
pub fn open_private_itself(path: &Path) -> io::Result<File> {
    system::open_or_create(path, Links::Refused)
}

/// Makes a file that must not be there yet, and opens it for writing.
///
/// # Errors
/// There is something at the path, or it cannot be made.
pub fn create_new(path: &Path, readers: Readers) -> io::Result<File> {
    system::create_new(path, readers)
}

/// Makes a folder for its owner alone; one that is there is an error.
///
/// # Errors
/// There is something at the path, or it cannot be made.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    system::make_folder(path, Readers::Nobody)
}

/// Makes a folder, and those that lead to it, if they are not there: each new one is for `readers`.
///
/// # Errors
/// One cannot be made.
pub fn make_folders(path: &Path, readers: Readers) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let make = || match system::make_folder(path, readers) {
        // It is there, or another process has just made it.
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    };
    match (make(), path.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(parent, readers)?;
            make()
        }
        (made, _) => made,
    }
}

/// Writes a file whole or not at all, in place of what may be there: first to `draft` beside it,
/// which is removed if a killed process left it. It is on disk under its name when this returns.
///
/// # Errors
/// It cannot be written; what was there stays.
pub fn put(path: &Path, draft: &Path, readers: Readers, bytes: &[u8]) -> io::Result<()> {
    remove_if_there(draft)?;
    let mut file = create_new(draft, readers)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(draft, path)?;
    sync_folder(folder_of(path))
}

/// Renames `from` to `to`; an error of kind `AlreadyExists` if there is something. A file system
/// that cannot promise that in one step is looked at first.
///
/// # Errors
/// As above, or it cannot be renamed.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    system::rename_new(from, to)
}

/// Brings what a folder lists to disk: names that were given, changed or removed in it.
///
/// # Errors
/// It cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    system::sync_folder(folder)
}

/// Brings what the file at `path` holds to disk, by whatever handle it was written.
///
/// # Errors
/// It cannot be opened or synced.
pub fn sync_file(path: &Path) -> io::Result<()> {
    system::sync_file(path)
}

/// Which file `path` leads to.
///
/// # Errors
/// There is nothing, or it may not be looked at.
pub fn identity(path: &Path) -> io::Result<Identity> {
    system::identity(path)
}

/// When the file that `path` leads to was changed last, in what it holds or what is said of it: ticks
/// of its file system's clock, which nobody can set for a file. Only to be compared with others of
/// the same file.
///
/// # Errors
/// There is nothing, or it may not be looked at.
pub fn changed_at_ticks(path: &Path) -> io::Result<i128> {
    system::changed_at_ticks(path)
}

/// The owner of the file or folder that was looked at.
///
/// # Errors
/// The system does not say.
pub fn owner(facts: &Metadata) -> io::Result<Account> {
    system::owner(facts).map(Account::named)
}

/// Whether accounts besides a folder's own and its group cannot reach what lies in it.
///
/// # Errors
/// It cannot be looked at, or the system does not say.
pub fn is_closed_to_others(folder: &Path) -> io::Result<bool> {
    system::is_closed_to_others(folder)
}

/// If this process is the administrator, gives `path` to the account that `of` belongs to, as all
/// else that lies there is; `path` is not followed if it is a link.
///
/// # Errors
/// `of` cannot be looked at, or `path` not be given away.
pub fn give_to_owner_of(of: &Path, path: &Path) -> io::Result<()> {
    system::give_to_owner_of(of, path)
}

/// Has `file`, which this process has made to replace what is at `path`, belong to the same account
/// and group, and its group read it if it may read that. Nothing is done if there is nothing.
///
/// # Errors
/// The file there is another account's, in a folder that others may write to, or `file` cannot be
/// given away.
pub fn keep_owner(file: &File, path: &Path) -> io::Result<()> {
    system::keep_owner(file, path)
}

/// Room of the file system that `path` is on.
///
/// # Errors
/// It cannot be looked at.
pub fn room(path: &Path) -> io::Result<Room> {
    system::room(path)
}

/// Whether standard output goes to a regular file that is empty, as a shell makes one for `> FILE`.
pub fn is_output_an_empty_file() -> bool {
    system::is_output_an_empty_file()
}

/// The path that these bytes are of. A system whose paths are text takes them as UTF-8.
pub fn path_of(bytes: &[u8]) -> PathBuf {
    system::path_of(bytes)
}

#[cfg(test)]
mod tests;
