//! Which computer this is: an id that the agent made once, tied to the machine id.
//!
//! The id is random and kept in the data directory beside a keyed hash of `/etc/machine-id`. If the
//! machine id has changed since the last start, the disk was cloned or the system installed again:
//! then the agent makes a new id, and logs it. The hash itself goes to the server, which can notice
//! two computers that have the same one; the machine id never leaves the computer.

use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The key for the hash of the machine id, which machine-id(5) asks applications to use.
const HASH_KEY: &[u8] = b"usher computer 1\0";

/// A computer's id and what it is tied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Computer {
    pub(crate) id: String,
    /// The keyed hash of the machine id; `None` if the computer has no machine id.
    pub(crate) machine: Option<String>,
    pub(crate) name: String,
}

/// The keyed hash of the machine id in `file`.
pub(crate) fn machine_hash(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let text = text.trim();
    if text.is_empty() || text == "uninitialized" {
        return None;
    }
    let digest = Sha256::new()
        .chain_update(HASH_KEY)
        .chain_update(text)
        .finalize();
    Some(HEXLOWER.encode(&digest[..16]))
}

/// A new id.
pub(crate) fn new_id() -> Result<String, std::io::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(format!("c-{}", HEXLOWER.encode(&bytes)))
}

/// The computer's host name.
pub(crate) fn host_name() -> String {
    let name: String = usher_platform::host::computer_name()
        .chars()
        .filter(|c| !usher_api::is_unseen(*c))
        .take(200)
        .collect();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_id_is_hashed_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machine-id");
        std::fs::write(&file, "3d1219c7c4c5404aaa1f6d2a48adfda4\n").unwrap();
        let first = machine_hash(&file).unwrap();
        assert!(!first.contains("3d1219c7"));
        std::fs::write(&file, "3d1219c7c4c5404aaa1f6d2a48adfda5\n").unwrap();
        assert_ne!(machine_hash(&file).unwrap(), first);
        std::fs::write(&file, "uninitialized\n").unwrap();
        assert_eq!(machine_hash(&file), None);
        assert_eq!(machine_hash(&folder.path().join("none")), None);
    }

    #[test]
    fn ids_differ() {
        assert_ne!(new_id().unwrap(), new_id().unwrap());
    }
}
