//! A data directory that is somebody else's, and what root does there: nothing that its owner could
//! not do.
//!
//! The account of a server owns its data directory, and can put anything there under any name at
//! any moment. So what root is called for in it is done by a process of its own, which has taken
//! the owner's rights for good ([`child`]); root itself only passes on what it has opened.

pub(crate) mod child;
mod reach;

use std::fs::File;
use std::io;
use std::path::Path;

use nix::unistd::{Gid, Uid, User};
use rustix::fs::{AtFlags, FileType, Stat, fstat};
use usher_platform::files::{Links, look_up};

use crate::failure::Failure;

/// Files that root's own work leaves in a data directory. They are given to its owner.
const FILES: [&str; 13] = [
    "cache.db",
    "cache.db-wal",
    "cache.db-shm",
    "cache.db.incoming",
    "cache.db.closed",
    "lock",
    "upgrade.json",
    "admin.token",
    "site.db",
    "site.db-wal",
    "site.db-shm",
    "site.db.incoming",
    "manager.lock",
];
const SNAPSHOTS: &str = "snapshots";

/// The account that owns a data directory, if it is not root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The owner of `data`, if this process is root and the owner is another account; none: this
/// process works there with the rights that it has.
pub(crate) fn of(data: &Path) -> Result<Option<Owner>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    match usher_platform::files::open_folder(data) {
        Ok(folder) => owner_of(&folder, data),
        // It is made, or told of, by who opens it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot_look(data, &error)),
    }
}

fn owner_of(folder: &File, data: &Path) -> Result<Option<Owner>, Failure> {
    let stat = fstat(folder).map_err(|error| cannot_look(data, &error.into()))?;
    if stat.st_uid != 0 {
        let (uid, gid) = (stat.st_uid, stat.st_gid);
        return Ok(Some(Owner { uid, gid }));
    }
    let is_groups = stat.st_mode & 0o020 != 0 && stat.st_gid != 0;
    if !is_groups && stat.st_mode & 0o002 == 0 {
        return Ok(None);
    }
    // As `usher up` leaves it for the account that it gives its server.
    let by_file = look_up(folder, "cache.db", Links::Refused)
        .ok()
        .filter(|(_, file)| is_file_of_one_name(file) && file.st_uid != 0)
        .map(|(_, file)| (file.st_uid, file.st_gid));
    let by_group = || {
        let user = User::from_name("usher").ok()??;
        let is_it = user.gid == Gid::from_raw(stat.st_gid);
        is_it.then(|| (user.uid.as_raw(), user.gid.as_raw()))
    };
    let (uid, gid) = by_file.or_else(by_group).ok_or_else(|| {
        Failure::failed(format!(
            "other accounts may write to {}, and it cannot be told whose data it is",
            data.display()
        ))
        .next("Give the directory to the account of the server: `chown ACCOUNT DIR`.")
    })?;
    Ok(Some(Owner { uid, gid }))
}

fn cannot_look(data: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot look at {}: {error}", data.display()))
}

fn is_file_of_one_name(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1
}

impl Owner {
    /// Gives up root for good. To be called while this process has one thread.
    fn take(self) -> nix::Result<()> {
        nix::unistd::setgroups(&[Gid::from_raw(self.gid)])?;
        nix::unistd::setgid(Gid::from_raw(self.gid))?;
        nix::unistd::setuid(Uid::from_raw(self.uid))?;
        match nix::unistd::setuid(Uid::from_raw(0)) {
            Ok(()) => Err(nix::Error::EPERM),
            Err(_) => Ok(()),
        }
    }

    /// Gives the owner what root left in its directory.
    fn adopt(self, data: &File) {
        for name in FILES {
            // What cannot be given is told of when it cannot be opened.
            let _ = self.give(data, name);
        }
        let Ok((_, found)) = look_up(data, SNAPSHOTS, Links::Refused) else {
            return;
        };
        if found.st_uid != 0 || FileType::from_raw_mode(found.st_mode) != FileType::Directory {
            return;
        }
        let Ok(folder) = rustix::fs::openat(
            data,
            SNAPSHOTS,
            rustix::fs::OFlags::RDONLY
                | rustix::fs::OFlags::DIRECTORY
                | rustix::fs::OFlags::NOFOLLOW
                | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        ) else {
            return;
        };
        for entry in rustix::fs::Dir::read_from(&folder)
            .into_iter()
            .flatten()
            .flatten()
        {
            let _ = self.give(&folder, entry.file_name());
        }
        let _ = rustix::fs::fchown(&folder, Some(self.rustix_uid()), Some(self.rustix_gid()));
    }

    /// Gives a file of root's, which has this one name, to the owner.
    pub(crate) fn give(
        self,
        folder: impl std::os::fd::AsFd,
        name: impl rustix::path::Arg,
    ) -> io::Result<()> {
        let (place, stat) = look_up(folder, name, Links::Refused)?;
        if stat.st_uid != 0 || !is_file_of_one_name(&stat) {
            return Ok(());
        }
        rustix::fs::chownat(
            &place,
            "",
            Some(self.rustix_uid()),
            Some(self.rustix_gid()),
            AtFlags::EMPTY_PATH,
        )?;
        Ok(())
    }

    fn rustix_uid(self) -> rustix::fs::Uid {
        rustix::fs::Uid::from_raw(self.uid)
    }

    fn rustix_gid(self) -> rustix::fs::Gid {
        rustix::fs::Gid::from_raw(self.gid)
    }

    /// Why this account could exchange the file or folder at `path`, which has no links in it; none:
    /// it could not.
    pub(crate) fn can_change(self, path: &Path) -> Option<String> {
        let mut below: Option<Stat> = None;
        for place in path.ancestors() {
            let Ok(stat) = rustix::fs::lstat(place) else {
                return Some(format!("{} cannot be looked at", place.display()));
            };
            // In a folder with the sticky bit only the owner of what lies there exchanges it.
            let is_kept =
                stat.st_mode & 0o1000 != 0 && below.is_some_and(|below| below.st_uid != self.uid);
            let is_writable =
                stat.st_mode & 0o002 != 0 || stat.st_mode & 0o020 != 0 && stat.st_gid == self.gid;
            if stat.st_uid == self.uid || is_writable && !is_kept {
                return Some(format!(
                    "the account of the data (uid {}) can change {}",
                    self.uid,
                    place.display()
                ));
            }
            below = Some(stat);
        }
        None
    }
}

#[cfg(test)]
mod tests;
