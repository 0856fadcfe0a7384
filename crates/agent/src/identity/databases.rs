//! The databases of what is installed: when one has changed, a file that was nobody's may be a
//! product's, though nothing about the file itself has changed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Of dpkg, of rpm in the places of its formats, of apk.
const DATABASES: [&str; 5] = [
    "/var/lib/dpkg/status",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/lib/apk/db/installed",
];

/// Which file it is, and when it was last written to; none: it is not there.
type Stamp = Option<(u64, u64, i64, i64)>;

/// The databases as they were at the last check.
#[derive(Debug)]
pub(crate) struct Databases(Vec<Stamp>);

impl Databases {
    /// Reads their present state.
    pub(crate) fn look() -> Self {
        Databases::at(&DATABASES)
    }

    fn at(paths: &[impl AsRef<Path>]) -> Self {
        Databases(paths.iter().map(|path| stamp(path.as_ref())).collect())
    }

    /// Whether one has changed since this was last asked.
    pub(crate) fn have_changed(&mut self) -> bool {
        let now = Databases::look();
        std::mem::replace(&mut self.0, now.0) != self.0
    }
}

fn stamp(path: &Path) -> Stamp {
    let facts = std::fs::metadata(path).ok()?;
    Some((facts.dev(), facts.ino(), facts.mtime(), facts.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_written_replaced_or_new_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status");
        let look = || Databases::at(&[&path]).0;
        let none = look();
        std::fs::write(&path, "a").unwrap();
        let first = look();
        assert_ne!(first, none);
        assert_eq!(look(), first);
        let draft = folder.path().join("status-new");
        std::fs::write(&draft, "a").unwrap();
        std::fs::rename(draft, &path).unwrap();
        assert_ne!(look(), first);
    }
}
