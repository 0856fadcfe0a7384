//! A way to a data directory for its owner, if it lies below a folder that only root may enter, as
//! systemd keeps the directories of dynamic users in `/var/lib/private`: this process sees an empty
//! folder in the place of root's, with the data directory in it. No other process sees it.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::Mode;

use super::Owner;

/// Makes `data`, a path without links, one that `owner` can go; opened there.
pub(super) fn open_for(data: &Path, owner: Owner) -> Result<File, String> {
    let open = || usher_platform::files::open_folder(data).map_err(|error| error.to_string());
    let Some(closed) = first_closed(data, owner) else {
        return open();
    };
    let because = |error: nix::Error| {
        format!(
            "{} is closed to its owner (uid {}), and no way around can be made: {error}",
            closed.display(),
            owner.uid
        )
    };
    unshare(CloneFlags::CLONE_NEWNS).map_err(because)?;
    let none: Option<&str> = None;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).map_err(because)?;
    let folder = open()?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(
        Some("usher"),
        &closed,
        Some("tmpfs"),
        flags,
        Some("mode=0755,size=64k"),
    )
    .map_err(because)?;
    let before = rustix::process::umask(Mode::from_raw_mode(0o022));
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(data);
    rustix::process::umask(before);
    made.map_err(|error| error.to_string())?;
    let from = format!("/proc/self/fd/{}", folder.as_raw_fd());
    mount(Some(from.as_str()), data, none, MsFlags::MS_BIND, none).map_err(because)?;
    open()
}

/// The first folder above `data` that `owner` may not go through.
fn first_closed(data: &Path, owner: Owner) -> Option<PathBuf> {
    let mut above: Vec<&Path> = data.ancestors().skip(1).collect();
    above.reverse();
    let closed = above.into_iter().find(|folder| {
        rustix::fs::stat(*folder).is_ok_and(|stat| {
            let may = match (stat.st_uid == owner.uid, stat.st_gid == owner.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            stat.st_mode & may == 0
        })
    });
    closed.map(Path::to_owned)
}
