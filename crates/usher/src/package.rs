//! Which package installed a file, if dpkg or rpm knows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How many files are asked about at once.
const AT_ONCE: usize = 200;

/// The package of each of `files`.
pub(crate) fn owners(files: &[&Path]) -> Vec<Option<String>> {
    let mut owners = Vec::with_capacity(files.len());
    for some in files.chunks(AT_ONCE) {
        let known = dpkg(some.iter().flat_map(|file| names(file)).collect());
        owners.extend(some.iter().map(|file| {
            names(file)
                .iter()
                .find_map(|name| known.get(name).cloned())
                .or_else(|| rpm(file))
        }));
    }
    owners
}

/// The version of an installed package.
pub(crate) fn version(package: &str) -> Option<String> {
    let mut dpkg = Command::new("dpkg-query");
    dpkg.args(["--show", "--showformat", "${Version}\\n", package]);
    let mut rpm = Command::new("rpm");
    rpm.args(["-q", "--queryformat", "%{VERSION}-%{RELEASE}\\n", package]);
    [dpkg, rpm].iter_mut().find_map(|command| {
        let text = answer(command)?;
        text.lines()
            .next()
            .map(str::to_owned)
            .filter(|version| !version.is_empty() && !version.contains(' '))
    })
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
    let mut command = Command::new("dpkg-query");
    let Some(text) = answer(command.arg("--search").arg("--").args(files)) else {
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
    let mut command = Command::new("rpm");
    command.args(["-qf", "--queryformat", "%{NAME}\\n"]);
    let text = answer(command.arg(file))?;
    text.lines()
        .next()
        .map(str::to_owned)
        .filter(|name| !name.contains(' '))
}

fn answer(command: &mut Command) -> Option<String> {
    let command = command.stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
