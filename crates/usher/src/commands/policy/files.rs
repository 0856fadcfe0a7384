//! The files of a policy: found, read within bounds, and joined.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use usher_core::policy::{Fault, Read, SOURCE_LIMIT_BYTES, Source, read};

use crate::failure::Failure;
use crate::output::{counted, tame};

/// The most files of one policy.
const FILES_LIMIT: usize = 256;
/// Faults that are listed by a command that has another purpose; the rest are counted.
const FAULTS_LISTED: usize = 20;

/// Why files make no policy.
pub(in crate::commands) enum Unread {
    /// A file cannot be read at all.
    Failed(Box<Failure>),
    /// What they say is wrong.
    Faults(Vec<Fault>),
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Unread::Failed(Box::new(failure))
    }
}

impl Unread {
    /// As the end of a command that needs the policy.
    pub(in crate::commands) fn failure(self) -> Failure {
        let faults = match self {
            Unread::Failed(failure) => return *failure,
            Unread::Faults(faults) => faults,
        };
        let mut lines = vec![format!(
            "these files make no policy; {}:",
            counted(faults.len() as u64, "fault")
        )];
        let listed = faults.iter().take(FAULTS_LISTED);
        lines.extend(listed.map(|fault| format!("  {}", tame(&fault.to_string()))));
        let failure = Failure::usage(lines.join("\n"));
        match faults.len() > FAULTS_LISTED {
            true => failure.next("`usher policy check` lists all of them."),
            false => failure,
        }
    }
}

/// Whether standard input is among the files, so that nobody can be asked there.
pub(super) fn is_stdin(files: &[PathBuf]) -> bool {
    files.iter().any(|file| file.as_os_str() == "-")
}

/// Reads files, and the files `*.toml` of folders, as one policy.
pub(in crate::commands) fn policy(files: &[PathBuf]) -> Result<Read, Unread> {
    let mut sources = Vec::new();
    let mut faults = Vec::new();
    for path in listed(files)? {
        let name = tame(&path.display().to_string());
        let (name, bytes) = match path.as_os_str() == "-" {
            true => (
                "standard input".to_owned(),
                limited(std::io::stdin(), "standard input"),
            ),
            false => {
                let file = std::fs::File::open(&path).map_err(|error| unreadable(&name, &error))?;
                let bytes = limited(file, &name);
                (name, bytes)
            }
        };
        match String::from_utf8(bytes?) {
            Ok(text) => sources.push(Source { name, text }),
            Err(error) => {
                let before = error.utf8_error().valid_up_to();
                let before = error.as_bytes().iter().take(before);
                faults.push(Fault {
                    source: name,
                    line: 1 + before.filter(|byte| **byte == b'\n').count(),
                    what: "it is not UTF-8".to_owned(),
                });
            }
        }
    }
    match read(&sources, usher_api::is_unseen) {
        Ok(policy) if faults.is_empty() => Ok(policy),
        Ok(_) => Err(Unread::Faults(faults)),
        Err(more) => {
            faults.extend(more);
            Err(Unread::Faults(faults))
        }
    }
}

/// The files, with those of folders in the order of their names.
fn listed(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut listed = Vec::new();
    for path in files {
        match path.is_dir() {
            false => listed.push(path.clone()),
            true => listed.extend(of_folder(path)?),
        }
        if listed.len() > FILES_LIMIT {
            return Err(Failure::usage(format!(
                "there are more than {FILES_LIMIT} files: join some of them"
            )));
        }
    }
    Ok(listed)
}

/// The files `*.toml` of a folder; it is wrong if there are none.
pub(super) fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let name = tame(&folder.display().to_string());
    let found = toml_files(folder).map_err(|error| unreadable(&name, &error))?;
    match found.is_empty() {
        true => Err(Failure::usage(format!(
            "the folder {name} has no file *.toml"
        ))),
        false => Ok(found),
    }
}

/// The same, which may be none.
pub(super) fn toml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
        // What is more than that is refused in any case.
        if found.len() > FILES_LIMIT {
            break;
        }
    }
    found.sort();
    Ok(found)
}

fn limited(source: impl std::io::Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source
        .take(SOURCE_LIMIT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    match bytes.len() > SOURCE_LIMIT_BYTES {
        false => Ok(bytes),
        true => Err(Failure::usage(format!(
            "{name} is longer than {} MiB",
            SOURCE_LIMIT_BYTES >> 20
        ))
        .next("Divide it: several files, or a folder of them, are one policy.")),
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {name}: {error}"))
}

#[cfg(test)]
mod tests;
