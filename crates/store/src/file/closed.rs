//! Whether a data file is whole, as its server left it.
//!
//! A server that ends puts a random mark into its file with the last commit, and the same one beside
//! the file when that is closed, with the file's inode and time of change; one that begins takes both
//! away before it grants anything. So if the two agree, the file holds everything that its server
//! has granted: it is no copy, its write-ahead log is not missing, and nobody has served it since. A
//! killed server leaves no mark.
//!
//! If there is a mark beside the file and the file has another one or none, it is not the file
//! that was closed: a copy was put in its place. If the file was moved with its mark, the two
//! agree, though its inode is another.

use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use usher_platform::files::{self, Readers};

use crate::base::error::StoreError;
use crate::base::meta;
use crate::base::whole::{beside, remove, system};

/// The name in `meta` of the mark.
const MARK: &str = "closed";
/// The suffix of the mark file's name, after the name of the data file.
const SUFFIX: &str = ".closed";
/// The largest mark file that is read, in bytes.
const MARK_LIMIT_BYTES: u64 = 256;

/// Takes the marks away. What is granted from now on may be in no file that has one. That beside the
/// file goes first: a file without one is not taken for another because of a kill between the two.
pub(crate) fn begin(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    forget_beside(path)?;
    let forget = || connection.execute("DELETE FROM meta WHERE key = ?1", [MARK]);
    forget().map(drop).map_err(|source| StoreError::Database {
        doing: "begin to serve",
        path: path.into(),
        source,
    })
}

/// Removes the mark beside a file, because another file will replace it.
pub(crate) fn forget_beside(path: &Path) -> Result<(), StoreError> {
    let mark = mark_of(path);
    if !mark.exists() {
        return Ok(());
    }
    remove(&mark)?;
    sync_folder(path)
}

/// Writes a mark into the file, as the last write to it. `None` if it cannot be written.
pub(crate) fn put(connection: &Connection) -> Option<String> {
    let (high, low) = (getrandom::u64().ok()?, getrandom::u64().ok()?);
    let mark = format!("{high:016x}{low:016x}");
    meta::put_text(connection, MARK, &mark).ok()?;
    Some(mark)
}

/// Writes the mark beside the closed file.
pub(crate) fn put_beside(path: &Path, mark: &str) -> Result<(), StoreError> {
    let name = mark_of(path);
    let text = text(path, mark).map_err(system("look at", path))?;
    // One that is not written whole agrees with nothing.
    remove(&name)?;
    files::create_new(&name, Readers::Nobody)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(system("write", &name))?;
    sync_folder(path)
}

/// Whether the file is unchanged since its server closed it.
pub(crate) fn is_as_left(connection: &Connection, path: &Path) -> bool {
    let expected = meta::text(connection, MARK)
        .ok()
        .flatten()
        .and_then(|mark| text(path, &mark).ok());
    expected.is_some() && expected == read_beside(path)
}

/// Whether another file than the closed one is here. A file that no server has used yet does not
/// count.
pub(crate) fn is_another(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let database = |source| StoreError::Database {
        doing: "look at",
        path: path.into(),
        source,
    };
    let beside = read_beside(path);
    let Some(left) = beside.as_deref().and_then(mark_in) else {
        return Ok(false);
    };
    let is_made = meta::text(connection, "server_id").map_err(database)?;
    let mark = meta::text(connection, MARK).map_err(database)?;
    Ok(is_made.is_some() && mark.as_deref() != Some(left))
}

/// The content of the mark file, if it can be a mark.
fn read_beside(path: &Path) -> Option<String> {
    let name = mark_of(path);
    let found = std::fs::symlink_metadata(&name).ok()?;
    let is_short = found.is_file() && found.len() <= MARK_LIMIT_BYTES;
    is_short.then(|| std::fs::read_to_string(&name).ok())?
}

/// The mark in the content of a mark file; none if it is not complete.
fn mark_in(text: &str) -> Option<&str> {
    let (mark, rest) = text.split_once(' ')?;
    let is_mark = mark.len() == 32 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_mark && rest.ends_with('\n')).then_some(mark)
}

/// The content of the mark file for a file that is closed with that mark.
fn text(path: &Path, mark: &str) -> std::io::Result<String> {
    let file = files::identity(path)?;
    let changed = files::changed_at_ticks(path)?;
    Ok(format!(
        "{mark} {}:{} {changed}\n",
        file.volume, file.number
    ))
}

fn mark_of(path: &Path) -> PathBuf {
    beside(path, SUFFIX)
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = files::folder_of(path);
    files::sync_folder(folder).map_err(system("write", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_was_not_written_whole_is_none() {
        let mark = "0123456789abcdef0123456789abcdef";
        let whole = format!("{mark} 1:2 3\n");
        assert_eq!(mark_in(&whole), Some(mark));
        for end in 0..whole.len() {
            assert_eq!(mark_in(&whole[..end]), None, "{end} bytes");
        }
        assert_eq!(mark_in(&whole.replace('f', "x")), None);
    }
}
