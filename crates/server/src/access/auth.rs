//! The valid tokens, and to whom each belongs.
//!
//! A token is 256 random bits; only its SHA-256 is kept. The hashes are held in memory; a change
//! of the tokens is seen by the next request, and by what lasts: streams and long polls end with
//! their token. What a role may do is said in [`crate::access::rights`].

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;
use usher_core::people::LocalAccounts;
use usher_http::bearer;
use usher_store::TokenRow;

pub(crate) use crate::access::principal::Principal;
use crate::access::principal::unauthorized;
use crate::secrets::secret::hash;
use crate::wire::problem::Refusal;

/// The valid tokens, by hash.
#[derive(Default)]
pub(crate) struct TokenBook {
    known: RwLock<Known>,
    local: LocalAccounts,
}

#[derive(Default)]
struct Known {
    by_hash: FxHashMap<[u8; 32], Arc<Principal>>,
    hashes: FxHashMap<Arc<str>, [u8; 32]>,
    /// The computers of revoked agents' tokens, by hash, to recognise agents that still use one.
    revoked_of: FxHashMap<[u8; 32], Arc<str>>,
    /// How many tokens there are, revoked ones included.
    kept: usize,
}

impl Known {
    fn add(&mut self, row: &TokenRow, local: LocalAccounts) {
        self.kept += 1;
        let Some(principal) = Principal::of(row, local) else {
            return;
        };
        if row.revoked_at.is_none() {
            self.hashes.insert(principal.token_id.clone(), row.hash);
            self.by_hash.insert(row.hash, Arc::new(principal));
        } else {
            self.note_revoked(row.hash, &principal);
        }
    }

    /// Remembers a revoked token; there are no more of these than tokens.
    fn note_revoked(&mut self, hash: [u8; 32], principal: &Principal) {
        if let Some(computer) = principal.own_computer() {
            self.revoked_of.insert(hash, computer.into());
        }
    }
}

impl TokenBook {
    /// The stored tokens, under the site's rule for local accounts.
    pub(crate) fn of(rows: &[TokenRow], local: LocalAccounts) -> TokenBook {
        let mut known = Known::default();
        rows.iter().for_each(|row| known.add(row, local));
        TokenBook {
            known: RwLock::new(known),
            local,
        }
    }

    /// Adds a token that is already stored.
    pub(crate) fn add(&self, row: &TokenRow) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.add(row, self.local);
    }

    /// Revokes a token, and ends its streams and long polls.
    pub(crate) fn revoke(&self, id: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = known.hashes.remove(id)
            && let Some(principal) = known.by_hash.remove(&hash)
        {
            principal.revoke();
            known.note_revoked(hash, &principal);
        }
    }

    /// The computer whose agent's token an `Authorization` header contains, be it valid, expired or
    /// revoked; none: it is not and never was an agent's token on this server.
    pub(crate) fn computer_of(&self, header: &[u8]) -> Option<Arc<str>> {
        let hash = hash(bearer(header)?);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let live = known.by_hash.get(&hash);
        live.and_then(|principal| principal.own_computer().map(Arc::from))
            .or_else(|| known.revoked_of.get(&hash).cloned())
    }

    /// How many tokens there are, revoked ones included.
    pub(crate) fn kept(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.kept
    }

    /// The principal whose token has that hash.
    pub(crate) fn find(&self, hash: &[u8; 32]) -> Option<Arc<Principal>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.by_hash.get(hash).cloned()
    }
}

/// The last principal on a connection: most connections use one token.
#[derive(Default)]
pub(crate) struct LastAsker {
    header: Vec<u8>,
    principal: Option<Arc<Principal>>,
}

impl LastAsker {
    /// The principal of a request with that `Authorization` header.
    pub(crate) fn identify(
        &mut self,
        header: Option<&[u8]>,
        book: &TokenBook,
    ) -> Result<Arc<Principal>, Refusal> {
        let header = header.ok_or_else(|| {
            unauthorized("no token was shown: send it as `Authorization: Bearer TOKEN`")
        })?;
        if let Some(principal) = &self.principal
            && self.header == header
        {
            return principal.must_be_valid().map(|()| principal.clone());
        }
        let token = bearer(header).ok_or_else(|| {
            unauthorized(
                "the Authorization header does not have the form `Bearer TOKEN`: send it so",
            )
        })?;
        let principal = book.find(&hash(token)).ok_or_else(|| {
            unauthorized(
                "the token is not known here, or was revoked: make one with `usher token create`",
            )
        })?;
        self.header.clear();
        self.header.extend_from_slice(header);
        self.principal = Some(principal.clone());
        principal.must_be_valid().map(|()| principal)
    }
}

#[cfg(test)]
mod tests {
    use usher_core::ledger::{Access, Command};

    use super::*;
    use crate::access::numbers::RequestNumber;

    fn row(token: &str, role: &str) -> TokenRow {
        TokenRow {
            id: "t1".into(),
            hash: hash(token.as_bytes()),
            role: role.into(),
            name: String::new(),
            user: Some("ann".into()),
            account: None,
            realm: None,
            computer: Some("pc1".into()),
            created_at: 0,
            expires_at: None,
            revoked_at: None,
        }
    }

    fn book(rows: &[TokenRow]) -> TokenBook {
        TokenBook::of(rows, LocalAccounts::ByComputer)
    }

    #[test]
    fn a_revoked_token_is_refused_on_a_connection_that_has_used_it() {
        let book = book(&[row("usher_a", "client")]);
        let mut last = LastAsker::default();
        let shown: Option<&[u8]> = Some(b"Bearer usher_a");
        let principal = last.identify(shown, &book).unwrap();
        assert_eq!(principal.own_person(), Some(("usher", "ann")));
        book.revoke("t1");
        assert_eq!(last.identify(shown, &book).unwrap_err().status(), 401);
    }

    #[test]
    fn a_token_of_a_local_account_is_of_the_person_whom_the_site_counts_now() {
        let made_by_computer = TokenRow {
            realm: Some("computer:c1".into()),
            ..row("usher_a", "client")
        };
        let own = |local, realm: &str| {
            let book = TokenBook::of(std::slice::from_ref(&made_by_computer), local);
            let principal = book.find(&hash(b"usher_a")).unwrap();
            assert_eq!(principal.own_person(), Some((realm, "ann")));
            let access = Access::Subject {
                authority: realm.into(),
                key: "ann".into(),
            };
            assert_eq!(principal.access, access);
        };
        own(LocalAccounts::ByComputer, "computer:c1");
        own(LocalAccounts::ByName, "local");
    }

    #[test]
    fn what_is_changed_on_behalf_of_another_is_recorded_under_both_and_ends_with_the_token() {
        let manager = TokenRow {
            user: None,
            computer: None,
            ..row("usher_a", "manager")
        };
        let book = book(&[manager]);
        let principal = book.find(&hash(b"usher_a")).unwrap();
        let mut shown = hyper::HeaderMap::new();
        shown.insert(usher_api::ON_BEHALF_OF, "admin m-7".parse().unwrap());
        let acting = crate::access::behalf::acting(principal, &shown).unwrap();
        let number = RequestNumber::of(&usher_http::RequestId::Made(3));
        let Command::As { by, .. } = acting.acts(Command::Tick, number) else {
            panic!("it is said who sends it");
        };
        assert_eq!(&*by.id, "t1 for m-7");
        assert!(acting.must_be_valid().is_ok());
        book.revoke("t1");
        assert_eq!(acting.must_be_valid().unwrap_err().status(), 401);
    }

    #[test]
    fn a_new_token_opens_and_counts_without_the_others_being_read_again() {
        let book = book(&[TokenRow {
            revoked_at: Some(1),
            ..row("usher_a", "admin")
        }]);
        let new = TokenRow {
            id: "t2".into(),
            ..row("usher_b", "client")
        };
        book.add(&new);
        let mut last = LastAsker::default();
        assert!(last.identify(Some(b"Bearer usher_b"), &book).is_ok());
        assert!(last.identify(Some(b"Bearer usher_a"), &book).is_err());
        assert_eq!(book.kept(), 2, "revoked ones count to the limit, too");
        book.revoke("t2");
        assert!(last.identify(Some(b"Bearer usher_b"), &book).is_err());
        assert_eq!(book.kept(), 2);
    }

    #[test]
    fn the_computer_of_an_agents_token_is_known_also_if_that_is_revoked_or_over() {
        let agent = |id: &str, token: &str, computer: &str| TokenRow {
            id: id.into(),
            user: None,
            computer: Some(computer.into()),
            ..row(token, "agent")
        };
        let book = book(&[
            TokenRow {
                revoked_at: Some(1),
                ..agent("t1", "usher_a", "pc-1")
            },
            TokenRow {
                expires_at: Some(1),
                ..agent("t2", "usher_b", "pc-2")
            },
            agent("t3", "usher_c", "pc-3"),
            row("usher_d", "client"),
        ]);
        book.revoke("t3");
        let computer = |token: &str| {
            let shown = format!("Bearer {token}");
            let computer = book.computer_of(shown.as_bytes());
            computer.map(|computer| computer.to_string())
        };
        let tokens = ["usher_a", "usher_b", "usher_c", "usher_d", "usher_e"];
        let expected = [Some("pc-1"), Some("pc-2"), Some("pc-3"), None, None];
        assert_eq!(
            tokens.map(computer),
            expected.map(|it| it.map(str::to_owned))
        );
    }

    #[test]
    fn a_token_stops_working_when_its_time_is_over() {
        let book = book(&[TokenRow {
            expires_at: Some(1),
            ..row("usher_a", "admin")
        }]);
        let found = LastAsker::default().identify(Some(b"Bearer usher_a"), &book);
        assert_eq!(found.unwrap_err().status(), 401);
    }

    #[test]
    fn only_a_known_bearer_token_opens() {
        let book = book(&[row("usher_a", "admin")]);
        let mut last = LastAsker::default();
        assert!(last.identify(Some(b"bearer usher_a"), &book).is_ok());
        for wrong in [
            "usher_a",
            "Basic usher_a",
            "Bearer ",
            "Bearer usher_b",
            "Bea",
        ] {
            assert!(
                last.identify(Some(wrong.as_bytes()), &book).is_err(),
                "{wrong}"
            );
        }
        assert!(last.identify(None, &book).is_err());
    }

    #[test]
    fn a_token_of_a_role_that_this_version_does_not_know_opens_nothing() {
        let book = book(&[row("usher_a", "owner")]);
        let found = LastAsker::default().identify(Some(b"Bearer usher_a"), &book);
        assert!(found.is_err());
    }
}
