//! The checksum of a copy that is a SQLite file. SQLite checks how a file is built, but a row in which a bit
//! has turned looks like any other to it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

/// How much is read at a time.
pub(super) const PIECE_BYTES: usize = 1024 * 1024;
/// Where the header of a SQLite file has a number for programs (`application_id`), of which a site makes no
/// other use.
const AT: usize = 68;
const BYTES: usize = 4;

/// The first 32 bits of the SHA-256 of a file in which they are zero; never 0, which says that there is none.
#[derive(Debug, Default)]
pub(super) struct Sum {
    hash: Sha256,
    read: usize,
    found: [u8; BYTES],
}

impl Sum {
    /// Adds what comes next, and sets the checksum in it to 0.
    pub(super) fn add(&mut self, piece: &mut [u8]) {
        for (at, found) in (AT..).zip(&mut self.found) {
            let place = at.checked_sub(self.read).and_then(|at| piece.get_mut(at));
            if let Some(byte) = place {
                *found = std::mem::take(byte);
            }
        }
        self.hash.update(&piece);
        self.read = self.read.saturating_add(piece.len());
    }

    /// Whether the file has a checksum, and that of something else.
    pub(super) fn differs(self) -> bool {
        let found = self.found;
        found != [0; BYTES] && found != self.made()
    }

    fn made(self) -> [u8; BYTES] {
        let mut made = [0; BYTES];
        for (to, from) in made.iter_mut().zip(self.hash.finalize()) {
            *to = from;
        }
        match made {
            [0, 0, 0, 0] => [0, 0, 0, 1],
            made => made,
        }
    }
}

/// Writes the checksum of a SQLite file into it, on disk; nobody else has it open.
pub(super) fn write(path: &Path) -> io::Result<()> {
    let mut sum = Sum::default();
    let mut file = File::open(path)?;
    let mut piece = vec![0_u8; PIECE_BYTES];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        sum.add(piece.get_mut(..length).unwrap_or_default());
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(AT as u64))?;
    file.write_all(&sum.made())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_wrong(bytes: &[u8], piece: usize) -> bool {
        let mut sum = Sum::default();
        for piece in bytes.to_vec().chunks_mut(piece) {
            sum.add(piece);
        }
        sum.differs()
    }

    proptest! {
        #[test]
        fn a_file_with_its_checksum_is_right_and_one_with_another_bit_is_wrong(
            mut bytes in proptest::collection::vec(any::<u8>(), 100..2_000),
            piece in 1..500_usize,
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            bytes[AT..AT + BYTES].fill(0);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("copy");
            std::fs::write(&path, &bytes).unwrap();
            prop_assert!(!is_wrong(&bytes, piece), "it has none");
            write(&path).unwrap();
            let mut summed = std::fs::read(&path).unwrap();
            prop_assert!(!is_wrong(&summed, piece));
            summed[at.index(bytes.len())] ^= 1 << bit;
            // One of 2^32 has no checksum then.
            let has_none = summed[AT..AT + BYTES] == [0; BYTES];
            prop_assert!(is_wrong(&summed, piece) || has_none);
        }
    }
}
