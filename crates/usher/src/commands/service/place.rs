//! Where unit files lie, and what they name.

use std::path::{Path, PathBuf};

/// Where systemd looks for what the administrator installs.
pub(super) const UNIT_DIR: &str = "/etc/systemd/system";

/// What a unit names is looked up from nowhere.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
