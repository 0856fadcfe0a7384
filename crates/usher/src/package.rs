//! Which package installed a file, where dpkg or rpm knows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Seen;

/// Files that are asked about in one go.
const AT_ONCE: usize = 200;

/// Fills in the packages.
pub(super) fn find(programs: &mut [Seen]) {
    for some in programs.chunks_mut(AT_ONCE) {
        let owners = dpkg(some.iter().flat_map(|seen| names(seen.file())).collect());
        for seen in some {
            seen.package = names(seen.file())
                .iter()
                .find_map(|name| owners.get(name).cloned());
            if seen.package.is_none() {
                seen.package = rpm(seen.file());
            }
        }
    }
}

/// A file's names: on systems where /bin is a link to /usr/bin, dpkg may know it by either.
fn names(file: &Path) -> Vec<PathBuf> {
    let mut names = vec![file.to_owned()];
    if let Ok(rest) = file.strip_prefix("/usr") {
        names.push(Path::new("/").join(rest));
    }
    names
}

fn dpkg(files: Vec<PathBuf>) -> HashMap<PathBuf, String> {
    // Files that no package has are errors to it, and of no interest.
    let Some(text) = answer(Command::new("dpkg-query").arg("--search").args(files)) else {
        return HashMap::new();
    };
    text.lines()
        .filter_map(|line| {
            let (package, file) = line.split_once(": ")?;
            let package = package.split([':', ',']).next()?;
            Some((PathBuf::from(file), package.to_owned()))
        })
        .collect()
}

fn rpm(file: &Path) -> Option<String> {
    let text = answer(
        Command::new("rpm")
            .args(["-qf", "--queryformat", "%{NAME}\\n"])
            .arg(file),
    )?;
    text.lines()
        .next()
        .map(str::to_owned)
        .filter(|name| !name.contains(' '))
}

fn answer(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
