//! Where unit files lie, and what they name.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, exit};

/// Where systemd looks for what the administrator installs.
pub(super) const UNIT_DIR: &str = "/etc/systemd/system";

/// What a unit names is looked up from nowhere.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Why a file of a service is not as it was to be.
pub(super) fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot {doing} {}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::new(exit::REFUSED, what)
            .next("Services are the administrator's: call it by sudo."),
        _ => Failure::failed(what),
    }
}
