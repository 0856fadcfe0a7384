//! New tokens, and the file that holds the first one.

use std::io;
use std::path::Path;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use usher_api::{Role, TOKEN_PREFIX, secret_in};
use usher_platform::files::{self, Readers};
use usher_store::{Failure, TokenRow, Tokens};

use crate::base::clock::wall_ms;

/// The file in the data directory that holds an admin's token.
pub(crate) const ADMIN_TOKEN_FILE: &str = "admin.token";

/// The system gave no random numbers, so no secret can be made.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    #[expect(
        clippy::expect_used,
        reason = "without the system's random numbers every token could be guessed"
    )]
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// SHA-256 of a token.
pub(crate) fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Makes a token: 256 random bits.
pub(crate) fn token() -> String {
    format!("{TOKEN_PREFIX}{}", HEXLOWER.encode(&random::<32>()))
}

/// Makes the id of a token.
pub(crate) fn token_id() -> String {
    format!("K{}", HEXLOWER.encode(&random::<6>()))
}

/// Why an admin's token or a key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The tokens could not be read or stored.
    #[error("cannot keep an admin token in the data file: {0:?}")]
    Kept(Failure),
    /// The file could not be written.
    #[error("cannot write {path}: {source}: make the data directory writable")]
    File {
        /// The path of the file.
        path: String,
        /// The reason, as the system gives it.
        source: io::Error,
    },
    /// A key could not be read or made.
    #[error(
        "cannot {doing} {path}, which {what}: {source}: restore the file, or remove it to have a \
         new key made"
    )]
    Key {
        /// What was tried.
        doing: &'static str,
        /// What the key is for.
        what: &'static str,
        /// The path of the file.
        path: String,
        /// The reason, as the system gives it.
        source: io::Error,
    },
}

/// Makes sure that `admin.token` holds a token that opens: on the first start, and whenever the
/// file was lost or its token was revoked, a new one is made.
pub(crate) fn ensure_admin(data: &Path, tokens: &Tokens) -> Result<Vec<TokenRow>, SecretError> {
    let mut rows = tokens.list().map_err(SecretError::Kept)?;
    let held = held(data);
    let now = wall_ms();
    let opens = |row: &TokenRow| {
        row.hash == held
            && row.role == Role::Admin.as_str()
            && row.revoked_at.is_none()
            && row.expires_at.is_none_or(|at| at > now)
    };
    if rows.iter().any(opens) {
        return Ok(rows);
    }
    rows.push(make_admin(data, tokens)?);
    Ok(rows)
}

/// The hash of the token in `admin.token`.
pub(crate) fn held(data: &Path) -> [u8; 32] {
    let held = secret_in(&data.join(ADMIN_TOKEN_FILE)).unwrap_or_default();
    hash(held.as_bytes())
}

/// Makes a new token for `admin.token`.
pub(crate) fn make_admin(data: &Path, tokens: &Tokens) -> Result<TokenRow, SecretError> {
    let path = data.join(ADMIN_TOKEN_FILE);
    let token = token();
    // The file comes first: a file whose token opens nothing yet is replaced at the next start,
    // a token that nobody holds would stay.
    write_secret(&path, &token).map_err(|source| SecretError::File {
        path: path.display().to_string(),
        source,
    })?;
    let row = TokenRow {
        id: token_id(),
        hash: hash(token.as_bytes()),
        role: Role::Admin.as_str().to_owned(),
        name: ADMIN_TOKEN_FILE.to_owned(),
        user: None,
        account: None,
        realm: None,
        computer: None,
        created_at: wall_ms(),
        expires_at: None,
        revoked_at: None,
    };
    tracing::info!(token = %row.id, path = %path.display(), "made an admin token");
    tokens.add(row.clone()).map_err(SecretError::Kept)?;
    Ok(row)
}

/// The key in a file of the data directory, 256 bits in hexadecimal digits; made if there is
/// none. `what` says what it does.
///
/// # Errors
/// The file cannot be read or written, or holds no key.
pub(crate) fn key(data: &Path, file: &str, what: &'static str) -> Result<[u8; 32], SecretError> {
    let path = data.join(file);
    let failed = |doing: &'static str| {
        let path = path.display().to_string();
        move |source: io::Error| SecretError::Key {
            doing,
            what,
            path,
            source,
        }
    };
    match secret_in(&path) {
        Ok(digits) => key_in(&digits).ok_or_else(|| {
            let no_key = io::Error::new(io::ErrorKind::InvalidData, "it holds no key");
            failed("use")(no_key)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = random::<32>();
            write_secret(&path, &HEXLOWER.encode(&made)).map_err(failed("write"))?;
            tracing::info!(path = %path.display(), what, "made a key");
            Ok(made)
        }
        Err(error) => Err(failed("read")(error)),
    }
}

/// Parses a key of exactly the right number of hexadecimal digits.
fn key_in(digits: &str) -> Option<[u8; 32]> {
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// Writes a file that only its owner can read, completely or not at all.
pub(crate) fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    let line = format!("{secret}\n");
    let draft = path.with_extension("token.new");
    files::put(path, &draft, Readers::Nobody, line.as_bytes())
}
