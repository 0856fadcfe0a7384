//! The key that policies are signed with: made once, and kept in the data directory.

use std::fmt;
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use ring::signature::{Ed25519KeyPair, KeyPair};
use usher_api::policy_message;

use crate::secrets::secret::{SecretError, key};

/// The file in the data directory that holds the key's seed, in hexadecimal digits.
pub(crate) const POLICY_KEY_FILE: &str = "policy.key";

/// Signs policies (Ed25519).
pub(crate) struct PolicyKey {
    pair: Ed25519KeyPair,
    public: Box<str>,
}

impl PolicyKey {
    /// The key in the data directory; made if there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub(crate) fn open(data: &Path) -> Result<PolicyKey, SecretError> {
        let what = "signs policies";
        let seed = key(data, POLICY_KEY_FILE, what)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| SecretError::Key {
            doing: "use",
            what,
            path: data.join(POLICY_KEY_FILE).display().to_string(),
            source: io::Error::new(io::ErrorKind::InvalidData, "it holds no key"),
        })?;
        let public = HEXLOWER.encode(pair.public_key().as_ref()).into();
        Ok(PolicyKey { pair, public })
    }

    /// The public part, in hexadecimal digits.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// The signature of a policy's text, in hexadecimal digits.
    pub(crate) fn sign(&self, text: &str) -> String {
        HEXLOWER.encode(self.pair.sign(&policy_message(text)).as_ref())
    }
}

impl fmt::Debug for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_signs_what_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let key = PolicyKey::open(folder.path()).unwrap();
        let again = PolicyKey::open(folder.path()).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(key.sign("a"), again.sign("a"));
        assert_ne!(key.sign("a"), key.sign("b"));
        let mode = fs::metadata(folder.path().join(POLICY_KEY_FILE))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
        let public = UnparsedPublicKey::new(&ED25519, bytes(key.public()));
        let signature = bytes(&key.sign("a"));
        assert!(public.verify(&policy_message("a"), &signature).is_ok());
        let shown = format!("{key:?}");
        let seed = fs::read_to_string(folder.path().join(POLICY_KEY_FILE)).unwrap();
        assert!(!shown.contains(seed.trim()));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(
            PolicyKey::open(other.path()).unwrap().public(),
            key.public()
        );
    }

    #[test]
    fn a_file_that_holds_no_key_is_said_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(POLICY_KEY_FILE);
        fs::write(&path, "not a key\n").unwrap();
        let why = PolicyKey::open(folder.path()).unwrap_err().to_string();
        assert!(
            why.contains("policy.key") && why.contains("holds no key"),
            "{why}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "not a key\n");
    }
}
