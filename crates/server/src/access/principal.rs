//! The sender of a request: its token's role and rights, whom the token is bound to, and until when
//! it is valid.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use usher_api::{Code, Role};
use usher_core::ledger::{Access, ActorKind, By, Command};
use usher_core::names::composed;
use usher_core::people::{LocalAccounts, Person};
use usher_store::TokenRow;

use crate::access::numbers::RequestNumber;
use crate::access::rights::{self, Bound, Right, Rights, RoleRights};
use crate::base::clock::wall_ms;
use crate::wire::people::AUTHORITY;
use crate::wire::problem::Refusal;

/// The only route for tokens of role `backup`.
const BACKUP: &str = "/v1/backup";

/// How long at most a stream or long poll goes on after its token has expired, if the wall clock
/// was set.
const CLOCK_LOOK: Duration = Duration::from_secs(5);

/// The sender of a request.
#[derive(Debug)]
pub(crate) struct Principal {
    /// The token's id.
    pub(crate) token_id: Arc<str>,
    /// Its role, for texts; its rights decide what it may do.
    pub(crate) role: Role,
    rights: Rights,
    is_of: Bound,
    /// The person or computer that it is bound to.
    bound: Option<Arc<str>>,
    /// The realm of that user.
    realm: Arc<str>,
    /// Whose leases and tickets it may see and change.
    pub(crate) access: Access,
    /// The validity of the token itself, for whomever it is used.
    validity: Arc<Validity>,
    /// The person at a manager for whom the token is used.
    on_behalf_of: Option<Other>,
}

/// A person on whose behalf a manager sends a request.
#[derive(Debug)]
struct Other {
    /// The person's id at the manager and role, in words.
    words: Arc<str>,
    /// The person's rights.
    rights: Rights,
}

/// Until when a token is valid.
#[derive(Debug)]
struct Validity {
    expires_at_ms: Option<i64>,
    revoked: AtomicBool,
    /// Notified when the token is revoked.
    revoking: Notify,
}

impl Principal {
    pub(super) fn of(row: &TokenRow, local: LocalAccounts) -> Option<Principal> {
        let RoleRights {
            role,
            bound: is_of,
            rights,
            ..
        } = *rights::named(&row.role)?;
        let bound: Option<Arc<str>> = match is_of {
            Bound::Person => Some(composed(row.user.as_deref()?).into()),
            Bound::Computer => Some(composed(row.computer.as_deref()?).into()),
            Bound::Nobody => None,
        };
        let kept = row.realm.as_deref().unwrap_or(AUTHORITY);
        // The site may count local accounts in another way than when the token was made. The account
        // is kept as it is compared.
        let person = bound.as_deref().map(|user| Person::of(kept, user, local));
        let realm: Arc<str> = match person {
            Some(Ok(person)) => person.realm.into(),
            _ => kept.into(),
        };
        let access = match (is_of, &bound) {
            (Bound::Person, Some(user)) => Access::Subject {
                authority: realm.clone(),
                key: user.clone(),
            },
            (Bound::Computer, Some(computer)) => Access::Computer(computer.clone()),
            _ if rights.has(Right::Operate) => Access::Anyone,
            _ => nobodys(),
        };
        Some(Principal {
            token_id: row.id.as_str().into(),
            role,
            rights,
            is_of,
            bound,
            realm,
            access,
            validity: Arc::new(Validity {
                expires_at_ms: row.expires_at,
                revoked: AtomicBool::new(false),
                revoking: Notify::new(),
            }),
            on_behalf_of: None,
        })
    }

    /// The same token, used for somebody else whom a manager knows under `id`: it may do what both
    /// may, and what it changes is recorded under both. None: its role acts for nobody else.
    pub(super) fn on_behalf_of(&self, role: &RoleRights, id: &str) -> Option<Principal> {
        let own = rights::of(self.role).for_others;
        if !own.has(Right::SeeSelf) {
            return None;
        }
        let rights = own.and(role.rights);
        Some(Principal {
            token_id: format!("{} for {id}", self.token_id).into(),
            role: self.role,
            rights,
            is_of: self.is_of,
            bound: self.bound.clone(),
            realm: self.realm.clone(),
            access: nobodys(),
            validity: self.validity.clone(),
            on_behalf_of: Some(Other {
                words: format!("{id}, of role {}", role.role.as_str()).into(),
                rights: role.rights,
            }),
        })
    }

    /// A command that ends what others hold or wait for, with who sends it; one's own is no change
    /// to keep.
    pub(crate) fn acts_on_others(&self, command: Command, request: RequestNumber) -> Command {
        match self.may(Right::Operate) {
            true => self.acts(command, request),
            false => command,
        }
    }

    /// A command that changes something for all, with who sends it, in a request of that number.
    pub(crate) fn acts(&self, command: Command, request: RequestNumber) -> Command {
        if let Some(other) = &self.on_behalf_of {
            tracing::info!(token = %self.token_id, on_behalf_of = %other.words, "a change");
        }
        let kind = match self.is_of {
            Bound::Computer => ActorKind::Agent,
            Bound::Person | Bound::Nobody => ActorKind::Token,
        };
        Command::As {
            by: By {
                kind,
                id: Arc::clone(&self.token_id),
                request: request.recorded(),
            },
            command: Box::new(command),
        }
    }

    /// Refuses whoever's token has been revoked or has expired.
    pub(crate) fn must_be_valid(&self) -> Result<(), Refusal> {
        if self.validity.revoked.load(Ordering::Acquire) {
            return Err(unauthorized(
                "the token was revoked: make one with `usher token create`",
            ));
        }
        match self.validity.expires_at_ms {
            Some(at) if at <= wall_ms() => Err(unauthorized(
                "the token has expired: make a new one with `usher token create`",
            )),
            _ => Ok(()),
        }
    }

    /// Whether the token was revoked.
    pub(crate) fn is_revoked(&self) -> bool {
        self.validity.revoked.load(Ordering::Acquire)
    }

    /// Waits until the token is revoked or has expired; returns the refusal for what it ends.
    pub(crate) async fn ended(self: Arc<Self>) -> Refusal {
        loop {
            let revoking = self.validity.revoking.notified();
            if let Err(refusal) = self.must_be_valid() {
                return refusal;
            }
            match self.validity.expires_at_ms {
                None => revoking.await,
                Some(at) => {
                    let left_ms = u64::try_from(at.saturating_sub(wall_ms())).unwrap_or(0);
                    let left = Duration::from_millis(left_ms).min(CLOCK_LOOK);
                    // Either is seen by the next look.
                    let _ = tokio::time::timeout(left, revoking).await;
                }
            }
        }
    }

    /// Waits until the token is revoked or has expired; returns the reason in words.
    pub(crate) async fn why_ended(self: Arc<Self>) -> String {
        self.ended().await.problem().detail.clone()
    }

    /// Revokes the token, and ends its streams and long polls.
    pub(super) fn revoke(&self) {
        self.validity.revoked.store(true, Ordering::Release);
        self.validity.revoking.notify_waiters();
    }

    /// The person that it is bound to: realm and account, in the form in which they are compared.
    pub(crate) fn own_person(&self) -> Option<(&str, &str)> {
        let account = self.bound.as_deref()?;
        (self.is_of == Bound::Person).then_some((&self.realm, account))
    }

    /// The computer that it is bound to.
    pub(crate) fn own_computer(&self) -> Option<&str> {
        let computer = self.bound.as_deref()?;
        (self.is_of == Bound::Computer).then_some(computer)
    }

    /// Whether it has the right.
    pub(crate) fn may(&self, right: Right) -> bool {
        self.rights.has(right)
    }

    /// Refuses a sender without the right to do `what`.
    pub(crate) fn must(&self, right: Right, what: &str) -> Result<(), Refusal> {
        match right {
            _ if self.may(right) => Ok(()),
            _ if self.is_for_who_may(right) => Err(Refusal::forbidden(format!(
                "a manager does not {what} for others: ask the server itself, with a token of role \
                 {}",
                rights::who_may(right)
            ))),
            // Others may, too; but a computer is to have a token of its own.
            Right::ReportAgent => Err(self.too_small(what, Role::Agent.as_str())),
            _ => Err(self.too_small(what, &rights::who_may(right))),
        }
    }

    /// Whether it is used for a person who has the right.
    fn is_for_who_may(&self, right: Right) -> bool {
        let other = self.on_behalf_of.as_ref();
        other.is_some_and(|other| other.rights.has(right))
    }

    /// Refuses a token that is for a single route on all other routes, existing or not.
    pub(crate) fn must_be_for(&self, path: &str) -> Result<(), Refusal> {
        match self.may(Right::SeeSelf) || path == BACKUP {
            true => Ok(()),
            false => {
                let roles = rights::who_may(Right::SeeSelf);
                Err(self.too_small("do anything else than take backups", &roles))
            }
        }
    }

    fn too_small(&self, what: &str, needed: &str) -> Refusal {
        let role = self.role.as_str();
        Refusal::forbidden(match &self.on_behalf_of {
            None => format!("a token of role {role} may not {what}: use one of role {needed}"),
            Some(Other { words, .. }) => format!(
                "{words}, on whose behalf a token of role {role} asks, may not {what}: that takes \
                 role {needed}"
            ),
        })
    }
}

/// A principal that owns nothing and may end nothing.
fn nobodys() -> Access {
    Access::Subject {
        authority: "".into(),
        key: "".into(),
    }
}

/// Refuses a token that is unknown, revoked or expired.
pub(super) fn unauthorized(detail: &str) -> Refusal {
    Refusal::new(Code::Unauthorized, detail)
}
