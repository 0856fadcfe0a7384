//! The files of this computer that are never refused, by whatever name they are started: Usher's
//! own, init, the loaders, and the shells that people log in with.

use std::path::Path;

use usher_core::identify::{FileId, Needed, SystemRole, system_role, well_known_programs};
use usher_platform::files;

/// How many lines of `/etc/shells` are read.
const SHELLS_LIMIT: usize = 1_000;

/// The files that are never refused on this computer, at present: package upgrades replace files.
/// Checks some hundreds of files without opening them.
pub fn needed_here() -> Needed {
    let processes = [
        ("/proc/self/exe", SystemRole::Usher),
        ("/proc/1/exe", SystemRole::Init),
    ];
    let known = well_known_programs().into_iter().filter_map(|path| {
        let role = system_role(path.as_bytes())?;
        Some((path, role))
    });
    let shells = login_shells()
        .into_iter()
        .map(|path| (path, SystemRole::Shell));
    let processes = processes.map(|(path, role)| (path.to_owned(), role));
    let files = processes.into_iter().chain(known).chain(shells);
    Needed::new(files.filter_map(|(path, role)| Some((id(Path::new(&path))?, role))))
}

/// The file at `path`, links followed.
fn id(path: &Path) -> Option<FileId> {
    let found = files::identity(path).ok().filter(|_| path.is_file())?;
    Some(FileId {
        device: found.volume,
        inode: found.number,
    })
}

fn login_shells() -> Vec<String> {
    let text = std::fs::read_to_string("/etc/shells").unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let shells = lines.filter(|line| line.starts_with('/'));
    shells.take(SHELLS_LIMIT).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use usher_core::identify::Started;

    use super::*;

    fn role(path: &Path, called: &str) -> Option<SystemRole> {
        let started = Started {
            path: called.as_bytes(),
            file: id(path).unwrap(),
            is_administrators: false,
        };
        needed_here().never_refused(&started)
    }

    #[test]
    fn a_renamed_shell_and_usher_itself_are_known_by_their_files() {
        assert_eq!(
            role(Path::new("/bin/sh"), "/opt/cad/cad"),
            Some(SystemRole::Shell)
        );
        let own = std::env::current_exe().unwrap();
        assert_eq!(role(&own, "/opt/cad/cad"), Some(SystemRole::Usher));
    }

    #[test]
    fn a_copy_of_a_shell_is_a_program_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("sh");
        std::fs::copy("/bin/sh", &copy).unwrap();
        assert_eq!(role(&copy, copy.to_str().unwrap()), None);
    }
}
