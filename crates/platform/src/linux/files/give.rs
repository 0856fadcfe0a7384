//! Who owns a file, and giving it to another account.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Gid, Mode, Uid, chownat, fchmod, fchown, fstat};

use crate::plain::folder_of;
use crate::system::account::is_administrator;

pub(crate) fn owner(facts: &Metadata) -> io::Result<String> {
    Ok(facts.uid().to_string())
}

pub(crate) fn is_closed_to_others(folder: &Path) -> io::Result<bool> {
    Ok(std::fs::metadata(folder)?.mode() & 0o001 == 0)
}

pub(crate) fn give_to_owner_of(of: &Path, path: &Path) -> io::Result<()> {
    if !is_administrator() {
        return Ok(());
    }
    let owner = std::fs::metadata(of)?;
    let (user, group) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Ok(chownat(CWD, path, Some(user), Some(group), flags)?)
}

pub(crate) fn keep_owner(file: &File, path: &Path) -> io::Result<()> {
    let Ok(before) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    let mode = Mode::from_raw_mode(0o600 | before.mode() & 0o040);
    let own = fstat(file)?;
    if (before.uid(), before.gid()) == (own.st_uid, own.st_gid) {
        return Ok(fchmod(file, mode)?);
    }
    let folder = std::fs::metadata(folder_of(path))?;
    if folder.uid() != own.st_uid || folder.mode() & 0o022 != 0 {
        return Err(io::Error::other(
            "the file is another account's, in a folder that others may write to",
        ));
    }
    let (uid, gid) = (Uid::from_raw(before.uid()), Gid::from_raw(before.gid()));
    fchown(file, Some(uid), Some(gid))?;
    Ok(fchmod(file, mode)?)
}
