//! What this computer and this account are called, and where their files belong.

use std::path::PathBuf;

use crate::system::host as system;

/// What is kept of the computer's name, in characters.
const NAME_LIMIT: usize = 255;

/// The computer's name, without characters that are not seen; `localhost` if it has none.
pub fn computer_name() -> String {
    let name = system::computer_name().unwrap_or_default();
    let seen = name.chars().filter(|c| !c.is_control());
    let name: String = seen.take(NAME_LIMIT).collect();
    match name.is_empty() {
        true => "localhost".to_owned(),
        false => name,
    }
}

/// The name of the account that started this process, else what the system calls it.
pub fn user_name() -> String {
    system::user_name()
}

/// Where programs keep their data: of the whole computer for an administrator, else the person's
/// own.
pub fn data_home() -> PathBuf {
    system::data_home()
}

/// Where a person's settings are; none for an administrator, whose are the computer's.
pub fn own_settings() -> Option<PathBuf> {
    system::own_settings()
}

/// Where the computer's settings are.
pub fn settings() -> PathBuf {
    system::settings()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_name_and_an_absolute_place() {
        assert!(!computer_name().is_empty() && !user_name().is_empty());
        assert!(data_home().is_absolute() && settings().is_absolute());
        assert!(own_settings().is_none_or(|place| place.is_absolute()));
    }
}
