//! The admin's token: made at the first start, a hash of it in memory. Whoever may write its file
//! may exchange it; then the one before opens nothing, and what it waits for ends.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use usher_api::{TOKEN_PREFIX, secret_in};
use usher_platform::files::{self, Readers};

const FILE: &str = "admin.token";
/// How often the file is checked for a new token.
const LOOK: Duration = Duration::from_secs(1);

/// The admin's token, as the file has it.
pub(crate) struct Admin {
    file: PathBuf,
    hash: watch::Sender<[u8; 32]>,
}

/// A token from a request, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown([u8; 32]);

impl Shown {
    /// The hash of that token. Comparing hashes of long random values reveals nothing about the
    /// token.
    pub(crate) fn of(token: &str) -> Shown {
        Shown(hash(token))
    }

    /// Its hash, as hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl Admin {
    /// The admin's token in a file that somebody else maintains.
    pub(crate) fn of(file: PathBuf) -> io::Result<Admin> {
        let hash = watch::Sender::new(read(&file)?);
        Ok(Admin { file, hash })
    }

    /// The admin's token in a data directory; made if there is none.
    pub(crate) fn in_data(data: &Path) -> io::Result<Admin> {
        let file = data.join(FILE);
        // What else is wrong with it is told by who reads it.
        if let Err(error) = secret_in(&file)
            && matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
            )
        {
            write(&file, &format!("{TOKEN_PREFIX}{}", random_hex(32)?))?;
        }
        Admin::of(file)
    }

    /// Whether this is the admin's token. The file is read again before a token is refused.
    pub(crate) fn is(&self, shown: Shown) -> bool {
        if *self.hash.borrow() != shown.0 {
            self.read_again();
        }
        *self.hash.borrow() == shown.0
    }

    /// Waits until a token is no longer the admin's.
    pub(crate) async fn ended(&self, shown: Shown) {
        let mut hash = self.hash.subscribe();
        // It cannot fail: the sender is borrowed.
        let _ = hash.wait_for(|now| *now != shown.0).await;
    }

    /// The token itself, as the file has it now.
    pub(crate) fn token(&self) -> io::Result<String> {
        secret_in(&self.file)
    }

    /// Puts another token into the file, for its owner alone.
    pub(crate) fn put(&self, token: &str) -> io::Result<()> {
        write(&self.file, token)?;
        self.read_again();
        Ok(())
    }

    /// Reads the file again; the former token stays valid while the file cannot be read.
    fn read_again(&self) {
        if let Ok(now) = read(&self.file) {
            self.hash.send_if_modified(|known| {
                let is_another = *known != now;
                *known = now;
                is_another
            });
        }
    }

    /// The path of the token's file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// Checks regularly whether the file has another token, on a thread of its own, because its disk
/// may hang.
pub(crate) async fn attend(admin: Arc<Admin>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let admin = admin.clone();
        // What fails is looked at again.
        let _ = tokio::task::spawn_blocking(move || admin.read_again()).await;
    }
}

fn read(file: &Path) -> io::Result<[u8; 32]> {
    let token = secret_in(file)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    Ok(hash(&token))
}

/// So many random bytes, as hexadecimal digits.
pub(crate) fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0_u8; bytes];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(HEXLOWER.encode(&random))
}

/// The hash of a token; a fast one is enough, because tokens are long and random.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Writes a file completely or not at all.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let line = format!("{token}\n");
    let part = path.with_extension("part");
    files::put(path, &part, Readers::Nobody, line.as_bytes())
}
