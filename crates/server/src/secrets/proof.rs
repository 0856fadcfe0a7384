//! The proof of a lease: whoever shows it got it from the holder, and may join.
//!
//! It is derived from the lease's id and a secret of the server, and so kept nowhere: a repeated
//! answer and a ticket that is fetched again tell the same one, and a copy of the database none.

use std::fmt;
use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use ring::hmac;
use usher_core::ledger::LeaseId;

use crate::secrets::secret::{SecretError, key};

/// The file in the data directory that holds the secret, in hexadecimal digits.
pub(crate) const PROOF_KEY_FILE: &str = "lease-proof.key";

/// The length of a proof in bytes: 128 bits, which cannot be guessed.
const PROOF_BYTES: usize = 16;

/// A proof, as bytes.
pub(crate) type Proof = [u8; PROOF_BYTES];

/// Makes and checks proofs.
pub(crate) struct LeaseProofs {
    key: hmac::Key,
}

impl LeaseProofs {
    /// By the secret in the data directory; made if there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub(crate) fn open(data: &Path) -> Result<LeaseProofs, SecretError> {
        let secret = key(data, PROOF_KEY_FILE, "makes the proofs of leases")?;
        Ok(LeaseProofs {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
        })
    }

    /// The proof of a lease.
    pub(crate) fn of(&self, lease: LeaseId) -> Proof {
        let tag = hmac::sign(&self.key, lease.to_string().as_bytes());
        let mut proof = [0; PROOF_BYTES];
        for (byte, of) in proof.iter_mut().zip(tag.as_ref()) {
            *byte = *of;
        }
        proof
    }

    /// Whether the given proof is that of the lease, compared in constant time.
    pub(crate) fn is_right(&self, lease: LeaseId, shown: &str) -> bool {
        let shown = HEXLOWER_PERMISSIVE.decode(shown.as_bytes());
        let Some(shown) = shown.ok().filter(|shown| shown.len() == PROOF_BYTES) else {
            return false;
        };
        // ring compares whole tags in constant time: that of the proof and that of what was shown.
        let right = hmac::sign(&self.key, &self.of(lease));
        hmac::verify(&self.key, &shown, right.as_ref()).is_ok()
    }
}

impl fmt::Debug for LeaseProofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseProofs").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use usher_core::ledger::{EventNumber, Incarnation};

    use super::*;
    use data_encoding::HEXLOWER;

    fn lease(number: u64) -> LeaseId {
        LeaseId {
            incarnation: Incarnation(0xab),
            number: EventNumber(number),
        }
    }

    #[test]
    fn a_proof_is_of_one_lease_at_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let proofs = LeaseProofs::open(folder.path()).unwrap();
        let again = LeaseProofs::open(folder.path()).unwrap();
        let shown = HEXLOWER.encode(&proofs.of(lease(7)));
        assert!(again.is_right(lease(7), &shown));
        assert!(!again.is_right(lease(8), &shown));
        for wrong in ["", "00", &shown[1..], &format!("{shown}0"), &"ü".repeat(16)] {
            assert!(!again.is_right(lease(7), wrong), "{wrong}");
        }
        let other = tempfile::tempdir().unwrap();
        let other = LeaseProofs::open(other.path()).unwrap();
        assert!(!other.is_right(lease(7), &shown));
    }

    #[test]
    fn a_proof_is_the_first_half_of_the_ids_hmac() {
        let folder = tempfile::tempdir().unwrap();
        let secret = "0b".repeat(32);
        std::fs::write(folder.path().join(PROOF_KEY_FILE), secret).unwrap();
        let proofs = LeaseProofs::open(folder.path()).unwrap();
        let whole = hmac::Key::new(hmac::HMAC_SHA256, &[0x0b; 32]);
        let whole = hmac::sign(&whole, b"L000000ab-7");
        assert_eq!(proofs.of(lease(7)), whole.as_ref()[..16]);
    }
}
