//! What sources of groups said last, in a file of the data directory, for the next run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use usher_core::groups::Entry;
use usher_platform::files::{self, Readers};

const FILE: &str = "groups.json";
const DRAFT: &str = "groups.json.new";
/// Bytes that are read at the most; a longer file counts as none.
const LIMIT_BYTES: u64 = 1 << 30;

/// What one source said.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) name: String,
    /// The realm that names without one were of.
    pub(super) realm: Option<String>,
    /// When it said so; Unix milliseconds, wall clock.
    pub(super) as_of_ms: i64,
    #[serde(with = "shared")]
    pub(super) entries: Arc<Vec<Entry>>,
}

/// The file in a data directory.
pub(super) fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// What the run before knew; nothing if it kept nothing that can be read.
pub(super) fn read(path: &Path) -> Vec<Kept> {
    let read = files::read_own_text(path, LIMIT_BYTES)
        .and_then(|text| serde_json::from_str(&text).map_err(io::Error::from));
    match read {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let path = path.display();
            tracing::warn!(%path, %error, "cannot read which groups were known");
            Vec::new()
        }
    }
}

/// Writes it for the next run; a failure is logged.
pub(super) fn write(path: &Path, kept: &[Kept]) {
    let written = serde_json::to_vec(kept)
        .map_err(io::Error::from)
        .and_then(|bytes| files::put(path, &path.with_file_name(DRAFT), Readers::Nobody, &bytes));
    if let Err(error) = written {
        let path = path.display();
        tracing::warn!(%path, %error, "cannot keep which groups are known");
    }
}

/// Entries that are shared, as JSON.
mod shared {
    use super::{Arc, Deserialize, Entry, Serialize};

    pub(super) fn serialize<S: serde::Serializer>(
        entries: &Arc<Vec<Entry>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        entries.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<Vec<Entry>>, D::Error> {
        Vec::deserialize(from).map(Arc::new)
    }
}
