//! Access tokens at rest: hashes only. What roles mean is the server's business.

use std::sync::Arc;

use crate::engine::Failure;
use crate::writer::Shared;

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Token id.
    pub id: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// What its bearer may do.
    pub role: String,
    /// What it is for.
    pub name: String,
    /// The user that it is bound to.
    pub user: Option<String>,
    /// The computer that it is bound to.
    pub computer: Option<String>,
    /// When it was made, in Unix milliseconds.
    pub created_at: i64,
    /// When it stops working, in Unix milliseconds.
    pub expires_at: Option<i64>,
    /// When it was revoked, in Unix milliseconds.
    pub revoked_at: Option<i64>,
}

/// The tokens of a data file. Changes are durable when they return.
pub struct Tokens {
    shared: Arc<Shared>,
}

impl Tokens {
    pub(crate) fn new(shared: Arc<Shared>) -> Tokens {
        Tokens { shared }
    }

    /// All of them, revoked ones too, in order of creation.
    pub fn list(&self) -> Result<Vec<TokenRow>, Failure> {
        self.shared.with_connection(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, hash, role, name, user_name, computer_key, created_at, expires_at, \
                 revoked_at FROM tokens ORDER BY created_at, id",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(TokenRow {
                    id: row.get(0)?,
                    hash: row.get(1)?,
                    role: row.get(2)?,
                    name: row.get(3)?,
                    user: row.get(4)?,
                    computer: row.get(5)?,
                    created_at: row.get(6)?,
                    expires_at: row.get(7)?,
                    revoked_at: row.get(8)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Keeps a new one.
    pub fn add(&self, token: TokenRow) -> Result<(), Failure> {
        self.shared.with_connection(move |connection| {
            connection.execute(
                "INSERT INTO tokens (id, hash, role, name, user_name, computer_key, created_at, \
                 expires_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                rusqlite::params![
                    token.id,
                    token.hash,
                    token.role,
                    token.name,
                    token.user,
                    token.computer,
                    token.created_at,
                    token.expires_at,
                    token.revoked_at,
                ],
            )?;
            Ok(())
        })
    }

    /// Revokes one; false where there is none of that id. The first time stands.
    pub fn revoke(&self, id: &str, at_wall_ms: i64) -> Result<bool, Failure> {
        let id = id.to_owned();
        self.shared.with_connection(move |connection| {
            let changed = connection.execute(
                "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
                rusqlite::params![id, at_wall_ms],
            )?;
            Ok(changed > 0)
        })
    }
}
