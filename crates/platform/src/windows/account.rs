//! Accounts are SIDs, as people write them.

use std::fmt;
use std::io;

use super::raw;

/// The system itself (LocalSystem).
const SYSTEM: &str = "S-1-5-18";

pub(crate) fn own() -> io::Result<String> {
    raw::own_sid()
}

pub(crate) fn is_system(id: &str) -> bool {
    id == SYSTEM
}

pub(crate) fn show(id: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(id)
}

pub(crate) fn is_administrator() -> bool {
    raw::is_elevated().unwrap_or(false)
}
