//! Reads a file of groups.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use usher_core::groups::{self, Entry, FILE_LIMIT_BYTES};
use usher_platform::files;

/// How long a file may take to be read.
pub(super) const READ_WITHIN: Duration = Duration::from_secs(20);

/// What the file says, or why it cannot be used. A person without a realm is of `realm`.
pub(super) fn read(path: &Path, realm: Option<&str>) -> Result<Vec<Entry>, String> {
    let file = files::open_regular(path).map_err(|error| format!("cannot open it: {error}"))?;
    let mut bytes = Vec::new();
    let limit = FILE_LIMIT_BYTES as u64 + 1;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read it: {error}"))?;
    groups::read(&bytes, realm).map_err(|faulty| faulty.to_string())
}
