//! Access tokens at rest: hashes only. What roles mean is the server's business.

use std::sync::Arc;

use usher_core::ledger::{Command, ComputerId, ComputerRef, Reply, SubjectId, SubjectRef};

use crate::base::columns::from_i64;
use crate::queue::requests::Failure;
use crate::queue::shared::Shared;
use crate::read::history::{self, Rows};

/// The realm of the users that tokens are bound to.
pub const TOKEN_AUTHORITY: &str = usher_core::people::TOKEN_REALM;

/// A token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Token id.
    pub id: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// What its bearer may do.
    pub role: String,
    /// A note for people what it is for.
    pub name: String,
    /// The account of the user that it is bound to, in the form in which accounts are compared.
    pub user: Option<String>,
    /// That account as people see it; none: the same.
    pub account: Option<String>,
    /// The realm of that user; none: [`TOKEN_AUTHORITY`].
    pub realm: Option<String>,
    /// The computer that it is bound to.
    pub computer: Option<String>,
    /// When it was made; Unix milliseconds, wall clock.
    pub created_at: i64,
    /// When it stops working; none: never. Unix milliseconds, wall clock.
    pub expires_at: Option<i64>,
    /// When it was revoked; none: it was not. Unix milliseconds, wall clock.
    pub revoked_at: Option<i64>,
}

/// The surrogates of the user and the computer that a token is bound to.
struct Bound {
    subject: Option<SubjectId>,
    computer: Option<ComputerId>,
}

/// The SQL query for a page.
const PAGE: &str = "SELECT id, hash, role, name, subject, computer, created_at, expires_at, \
    revoked_at, rowid FROM tokens WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";

/// The tokens of a data file. Changes are durable when they return.
pub struct Tokens {
    shared: Arc<Shared>,
}

impl Tokens {
    pub(crate) fn new(shared: Arc<Shared>) -> Tokens {
        Tokens { shared }
    }

    /// All tokens, revoked ones included, in order of creation.
    pub fn list(&self) -> Result<Vec<TokenRow>, Failure> {
        let rows = self.read(0, u32::MAX)?;
        Ok(rows.into_iter().map(|(_, token)| token).collect())
    }

    /// A page of them in the same order. `after` is the cursor: 0 begins at the oldest.
    pub fn page(&self, after: u64, limit: u32) -> Result<Rows<TokenRow>, Failure> {
        let numbered = self.read(after, limit.saturating_add(1))?;
        let page = history::page(numbered, limit, |(number, _)| *number);
        Ok(Rows {
            next: page.next,
            rows: page.rows.into_iter().map(|(_, token)| token).collect(),
        })
    }

    /// Tokens are never removed: they have the numbers of their rows, in the order of creation, also
    /// after a pack.
    fn read(&self, after: u64, limit: u32) -> Result<Vec<(u64, TokenRow)>, Failure> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut rows = self.shared.with_reader(move |connection| {
            let mut statement = connection.prepare_cached(PAGE)?;
            let rows = statement.query_map([after, i64::from(limit)], |row| {
                let bound = Bound {
                    subject: row
                        .get::<_, Option<i64>>(4)?
                        .map(|id| SubjectId(from_i64(id))),
                    computer: row
                        .get::<_, Option<i64>>(5)?
                        .map(|id| ComputerId(from_i64(id))),
                };
                let token = TokenRow {
                    id: row.get(0)?,
                    hash: row.get(1)?,
                    role: row.get(2)?,
                    name: row.get(3)?,
                    user: None,
                    account: None,
                    realm: None,
                    computer: None,
                    created_at: row.get(6)?,
                    expires_at: row.get(7)?,
                    revoked_at: row.get(8)?,
                };
                Ok((from_i64(row.get(9)?), token, bound))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        // The directory's rows may still be in the journal alone; the ledger knows them all.
        self.shared.read(move |ledger, _| {
            for (_, token, bound) in &mut rows {
                let subject = bound.subject.and_then(|id| ledger.subjects().get(id));
                let computer = bound.computer.and_then(|id| ledger.computers().get(id));
                token.user = subject.map(|subject| subject.key.as_ref().to_owned());
                token.account = subject.map(|subject| subject.name.as_ref().to_owned());
                token.realm = subject.map(|subject| subject.authority.as_ref().to_owned());
                token.computer = computer.map(|computer| computer.key.as_ref().to_owned());
            }
            let rows = rows.into_iter();
            rows.map(|(number, token, _)| (number, token)).collect()
        })
    }

    /// Adds a token.
    pub fn add(&self, token: TokenRow) -> Result<(), Failure> {
        let candidate = || {
            getrandom::u64().map_err(|error| Failure::Storage(format!("no random number: {error}")))
        };
        let subject = match &token.user {
            Some(user) => Some(SubjectRef {
                authority: token.realm.as_deref().unwrap_or(TOKEN_AUTHORITY).into(),
                key: user.as_str().into(),
                name: token.account.as_deref().unwrap_or(user).into(),
                candidate: candidate()?,
            }),
            None => None,
        };
        let computer = match &token.computer {
            Some(key) => Some(ComputerRef {
                key: key.as_str().into(),
                candidate: candidate()?,
            }),
            None => None,
        };
        let entered = self.shared.execute(Command::Enter { subject, computer })?;
        let Reply::Entered { subject, computer } = entered.reply else {
            return Err(Failure::Storage(
                "the directory gave no surrogate".to_owned(),
            ));
        };
        self.shared.with_connection(move |connection| {
            connection.execute(
                "INSERT INTO tokens (id, hash, role, name, subject, computer, created_at, \
                 expires_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                rusqlite::params![
                    token.id,
                    token.hash,
                    token.role,
                    token.name,
                    subject.map(|id| id.0.cast_signed()),
                    computer.map(|id| id.0.cast_signed()),
                    token.created_at,
                    token.expires_at,
                    token.revoked_at,
                ],
            )?;
            Ok(())
        })
    }

    /// Revokes a token; false if there is none with that id. The first time of revocation stays.
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;
    use crate::base::schema::{Saved, migrate};

    #[test]
    fn a_page_of_tokens_is_found_without_reading_or_sorting_the_others() {
        let mut connection = Connection::open_in_memory().unwrap();
        let nobody = |_: &Connection, _: &Path| Ok(());
        migrate(&mut connection, Path::new("new"), Saved::Elsewhere, nobody).unwrap();
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {PAGE}"))
            .unwrap();
        let steps = statement.query_map([0, 1], |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
        assert_eq!(steps, ["SEARCH tokens USING INTEGER PRIMARY KEY (rowid>?)"]);
    }
}
