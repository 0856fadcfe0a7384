//! Names by uname and the passwd database; places by the XDG base directory specification.

use std::path::PathBuf;

use nix::unistd::{User, getuid};

use super::account::is_administrator;

pub(crate) fn computer_name() -> Option<String> {
    let uname = rustix::system::uname();
    Some(uname.nodename().to_string_lossy().into_owned())
}

pub(crate) fn user_name() -> String {
    let uid = getuid();
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => std::env::var("USER").unwrap_or_else(|_| uid.to_string()),
    }
}

pub(crate) fn data_home() -> PathBuf {
    let shared = PathBuf::from("/var/lib");
    match is_administrator() {
        true => shared,
        false => of_person("XDG_DATA_HOME", ".local/share").unwrap_or(shared),
    }
}

pub(crate) fn own_settings() -> Option<PathBuf> {
    match is_administrator() {
        true => None,
        false => of_person("XDG_CONFIG_HOME", ".config"),
    }
}

pub(crate) fn settings() -> PathBuf {
    PathBuf::from("/etc")
}

/// What the variable names, else that place in the home directory; a relative path is none.
fn of_person(variable: &str, usual: &str) -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(usual)))
}
