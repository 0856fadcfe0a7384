//! Folders for which one rule names all programs that were seen in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::executed::ExecutedProgram;

/// Up to so many programs of one folder are named one by one; if there are more, the folder is
/// named.
const BY_NAME: usize = 8;

/// Folders that hold programs of several products.
const SHARED: &[&str] = &[
    "", "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libexec", "local", "media",
    "mnt", "opt", "root", "run", "sbin", "share", "snap", "srv", "tmp", "usr", "var", "games",
    "jvm", "python3", "cgi-bin", ".local",
];

/// The folders to name, the lowest that hold more than [`BY_NAME`] programs of one package.
pub(super) fn of(helpers: &[&ExecutedProgram], main: &Path) -> Vec<PathBuf> {
    let mut left: Vec<&ExecutedProgram> = helpers.to_vec();
    left.retain(|seen| !seen.is_windows());
    let mut chosen = Vec::new();
    while let Some(folder) = lowest(&left, main) {
        left.retain(|seen| !seen.file().starts_with(&folder));
        chosen.push(folder);
    }
    chosen
}

fn lowest(helpers: &[&ExecutedProgram], main: &Path) -> Option<PathBuf> {
    let mut inside: BTreeMap<&Path, Vec<&ExecutedProgram>> = BTreeMap::new();
    for seen in helpers {
        let folders = seen.file().ancestors().skip(1);
        // A pattern for a folder that holds the program itself would make it a helper.
        for folder in folders.take_while(|folder| !is_shared(folder) && !main.starts_with(folder)) {
            inside.entry(folder).or_default().push(seen);
        }
    }
    let of_one_package =
        |seen: &[&ExecutedProgram]| seen.iter().all(|other| other.package == seen[0].package);
    inside
        .into_iter()
        .filter(|(_, seen)| seen.len() > BY_NAME && of_one_package(seen))
        .map(|(folder, _)| folder)
        .max_by_key(|folder| folder.components().count())
        .map(Path::to_owned)
}

/// Whether a folder is one of the system's, a home, or what is below it by architecture.
fn is_shared(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default();
    SHARED.contains(&&*name)
        || name.contains("-linux-")
        || folder.parent() == Some(Path::new("/home"))
}
