//! The tokens that an administrator of this manager has made, each with a role: in the site's
//! settings as hashes, and in memory.
//!
//! The token in `admin.token` is none of them. Times are Unix milliseconds of the wall clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use usher_api::{Role, TokenInfo, TokenRequest};
use usher_site::{Site, SiteError};

use crate::clock::{date, wall_ms};
use crate::secrets::{Shown, random_hex};

/// The largest number of tokens, revoked ones included.
const LIMIT: usize = 1_000;
/// How long at most a long poll goes on after its token has expired.
const LOOK: Duration = Duration::from_secs(5);

/// A token as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    id: String,
    hash: String,
    role: Role,
    name: String,
    created_ms: i64,
    expires_ms: Option<i64>,
    revoked_ms: Option<i64>,
}

impl Kept {
    fn is_live(&self) -> bool {
        self.revoked_ms.is_none() && self.expires_ms.is_none_or(|at| at > wall_ms())
    }

    fn info(&self) -> TokenInfo {
        TokenInfo {
            id: self.id.clone(),
            role: self.role,
            name: self.name.clone(),
            user: None,
            realm: None,
            computer: None,
            created_at: date(self.created_ms),
            expires_at: self.expires_ms.map(date),
            revoked_at: self.revoked_ms.map(date),
        }
    }
}

/// Why a token was not made.
pub(crate) enum NotMade {
    /// The request is not valid, for this reason.
    Invalid(String),
    /// The site database failed.
    Site(SiteError),
}

pub(crate) struct Book {
    kept: Mutex<Vec<Kept>>,
    /// Held during a change. A disk that hangs holds up changes, but no check of a token.
    turn: tokio::sync::Mutex<()>,
    /// Counts changes, to wake long polls.
    changed: watch::Sender<u64>,
}

impl Book {
    /// Reads the tokens that the site database has.
    pub(crate) fn open(kept: Option<&str>) -> Result<Book, SiteError> {
        Ok(Book {
            kept: Mutex::new(read(kept)?),
            turn: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(0),
        })
    }

    /// Holds the tokens that another manager has made and revoked.
    pub(crate) fn reread(&self, kept: Option<&str>) -> Result<(), SiteError> {
        *self.kept() = read(kept)?;
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The role and the id of a token that is neither revoked nor expired.
    pub(crate) fn whose(&self, shown: Shown) -> Option<(Role, String)> {
        let hash = shown.hex();
        let kept = self.kept();
        let found = kept.iter().find(|kept| kept.hash == hash)?;
        found.is_live().then(|| (found.role, found.id.clone()))
    }

    /// Waits until a token is revoked or has expired.
    pub(crate) async fn ended(&self, shown: Shown) {
        let mut changed = self.changed.subscribe();
        while self.whose(shown).is_some() {
            // Both are seen by the next look.
            let _ = tokio::time::timeout(LOOK, changed.changed()).await;
        }
    }

    /// A page of tokens, oldest first, without their secrets: those after the token with that id,
    /// and the id after which the next page begins. None: there is no token with that id.
    pub(crate) fn page(
        &self,
        behind: Option<&str>,
        limit: usize,
    ) -> Option<(Vec<TokenInfo>, Option<String>)> {
        let kept = self.kept();
        let from = match behind {
            None => 0,
            Some(id) => kept.iter().position(|kept| kept.id == id)? + 1,
        };
        let rest = kept.get(from..).unwrap_or_default();
        let items: Vec<TokenInfo> = rest.iter().take(limit).map(Kept::info).collect();
        let next = (rest.len() > limit)
            .then(|| items.last().map(|last| last.id.clone()))
            .flatten();
        Some((items, next))
    }

    /// Makes and stores a token; answers its secret, and the token without it.
    pub(crate) async fn make(
        &self,
        request: TokenRequest,
        site: &dyn Site,
    ) -> Result<(String, TokenInfo), NotMade> {
        let invalid = |why: String| Err(NotMade::Invalid(why));
        if !matches!(request.role, Role::Viewer | Role::Operator | Role::Admin) {
            return invalid(format!(
                "a manager has no tokens of role {}: make one of role viewer, operator or admin, \
                 or make it at the metering server",
                request.role.as_str()
            ));
        }
        if request.user.is_some() || request.computer.is_some() {
            return invalid(
                "a manager's token is bound to nobody: leave `user` and `computer` out".into(),
            );
        }
        if request.name.len() > 255 || request.name.chars().any(usher_api::is_unseen) {
            return invalid("`name` has at most 255 bytes and no control characters".into());
        }
        if request.expires_at.is_some_and(|at| at <= Timestamp::now()) {
            return invalid(
                "`expires_at` is over already: give a later instant, or leave it out".into(),
            );
        }
        let failed = |error: std::io::Error| {
            NotMade::Site(SiteError::Failed {
                doing: "make a token",
                why: error.to_string(),
            })
        };
        let token = format!("usher_{}", random_hex(32).map_err(failed)?);
        let made = Kept {
            id: format!("m-{}", random_hex(6).map_err(failed)?),
            hash: Shown::of(&token).hex(),
            role: request.role,
            name: request.name,
            created_ms: wall_ms(),
            expires_ms: request.expires_at.map(Timestamp::as_millisecond),
            revoked_ms: None,
        };
        let info = made.info();
        let _turn = self.turn.lock().await;
        let mut next = self.kept().clone();
        if next.len() >= LIMIT {
            // Those that open nothing make room, the oldest first.
            match next.iter().position(|kept| !kept.is_live()) {
                Some(over) => drop(next.remove(over)),
                None => {
                    return invalid(format!(
                        "the limit of {LIMIT} tokens is reached: revoke one, or give one token to \
                         several programs"
                    ));
                }
            }
        }
        next.push(made);
        write(&next, site).await.map_err(NotMade::Site)?;
        *self.kept() = next;
        Ok((token, info))
    }

    /// Revokes a token; answers whether there is one with that id.
    pub(crate) async fn revoke(&self, id: &str, site: &dyn Site) -> Result<bool, SiteError> {
        let _turn = self.turn.lock().await;
        let mut next = self.kept().clone();
        let Some(found) = next.iter_mut().find(|kept| kept.id == id) else {
            return Ok(false);
        };
        if found.revoked_ms.is_none() {
            found.revoked_ms = Some(wall_ms());
            write(&next, site).await?;
            *self.kept() = next;
        }
        self.changed.send_modify(|count| *count += 1);
        Ok(true)
    }
}

fn read(kept: Option<&str>) -> Result<Vec<Kept>, SiteError> {
    let kept = kept.map_or(Ok(Vec::new()), serde_json::from_str);
    kept.map_err(|error| SiteError::Failed {
        doing: "read the manager's tokens",
        why: error.to_string(),
    })
}

async fn write(kept: &[Kept], site: &dyn Site) -> Result<(), SiteError> {
    let tokens = serde_json::to_string(kept).unwrap_or_default();
    site.set_tokens(tokens).await
}
