//! Accounts are uids, written in digits.

use std::fmt;
use std::io;

pub(crate) fn own() -> io::Result<String> {
    Ok(rustix::process::geteuid().as_raw().to_string())
}

pub(crate) fn is_system(id: &str) -> bool {
    id == "0"
}

pub(crate) fn show(id: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "uid {id}")
}

pub(crate) fn is_administrator() -> bool {
    rustix::process::geteuid().is_root()
}
