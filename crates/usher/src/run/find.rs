//! Finds a command as a shell would: before a seat is taken for it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use usher_platform::process::may_run;

use crate::failure::{Failure, exit};

/// The file that `command` would start.
pub(crate) fn find(command: &OsStr) -> Result<PathBuf, Failure> {
    find_in(command, std::env::var_os("PATH"))
}

fn find_in(command: &OsStr, path: Option<OsString>) -> Result<PathBuf, Failure> {
    let name = command.to_string_lossy();
    if command.as_encoded_bytes().contains(&b'/') {
        return check(Path::new(command), &name);
    }
    let mut not_startable = None;
    let path = path.unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    for folder in std::env::split_paths(&path) {
        let folder = if folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            folder
        };
        let file = folder.join(command);
        if !command.is_empty() && file.is_file() {
            match check(&file, &name) {
                Ok(file) => return Ok(file),
                Err(failure) => not_startable = not_startable.or(Some(failure)),
            }
        }
    }
    Err(not_startable.unwrap_or_else(|| no_command(&name)))
}

fn check(file: &Path, name: &str) -> Result<PathBuf, Failure> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(cannot_start(name, &error.to_string()))
        }
        Err(_) => Err(no_command(name)),
        Ok(facts) if facts.is_dir() => Err(cannot_start(name, "it is a folder")),
        Ok(_) => match may_run(file) {
            true => Ok(file.to_owned()),
            false => Err(cannot_start(name, "it is not executable for this account")),
        },
    }
}

/// What a shell says with 127.
pub(crate) fn no_command(name: &str) -> Failure {
    Failure::new(exit::NO_COMMAND, format!("there is no command {name}"))
}

/// What a shell says with 126.
pub(crate) fn cannot_start(name: &str, why: &str) -> Failure {
    Failure::new(
        exit::CANNOT_START,
        format!("cannot start {name}: {why}; no seat is held"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_in_the_path_and_by_its_own_path() {
        let sh = find_in("sh".as_ref(), Some("/nowhere:/bin".into())).unwrap();
        assert_eq!(sh, Path::new("/bin/sh"));
        assert_eq!(find("/bin/sh".as_ref()).unwrap(), Path::new("/bin/sh"));
    }

    #[test]
    fn what_is_not_there_is_127_and_what_cannot_be_started_126() {
        for (command, code) in [
            ("no-such-command", 127),
            ("/no/such", 127),
            ("", 127),
            ("/etc/passwd", 126),
            ("/tmp", 126),
        ] {
            assert_eq!(
                find(command.as_ref()).unwrap_err().code(),
                code,
                "{command}"
            );
        }
    }
}
