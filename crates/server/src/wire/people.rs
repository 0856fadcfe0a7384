//! The one place where a request's text becomes a person: (realm, account).

use std::cell::RefCell;
use std::sync::Arc;

use usher_core::ledger::SubjectRef;
use usher_core::people::{LocalAccounts, PersonName};

use crate::base::random::surrogate;
use crate::wire::input::{check_name, composed};

/// The realm of the users that tokens and requests name without saying one.
pub(crate) const AUTHORITY: &str = usher_store::TOKEN_AUTHORITY;

/// A person as the wire says one.
pub(crate) struct Said<'a> {
    /// The realm.
    pub(crate) authority: &'a str,
    /// A uid or SID: it says who is meant only together with the account, so it is no key.
    pub(crate) id: &'a str,
    /// The account.
    pub(crate) name: &'a str,
}

/// The person who is meant, for the ledger; `field` is what the request calls them.
pub(crate) fn person(
    field: &str,
    said: &Said<'_>,
    local: LocalAccounts,
) -> Result<SubjectRef, String> {
    for (part, text) in [
        ("authority", said.authority),
        ("id", said.id),
        ("name", said.name),
    ] {
        check_name(part, text).map_err(|why| format!("`{field}`: {why}"))?;
    }
    let (realm, account) = (composed(said.authority), composed(said.name));
    if said.authority == AUTHORITY && composed(said.id) != account {
        return Err(format!(
            "`{field}`: of the authority {AUTHORITY} a user's id is the name: make them the same, \
             or name another authority"
        ));
    }
    let person = PersonName::of(&realm, &account, local);
    let person = person.map_err(|why| format!("`{field}`: {why}"))?;
    let key: Arc<str> = person.key.into();
    let name = match *person.account == *key {
        true => Arc::clone(&key),
        false => person.account.into(),
    };
    Ok(SubjectRef {
        authority: known_realm(&person.realm),
        key,
        name,
        candidate: surrogate(),
    })
}

/// The text of a realm: that of the last one on this thread, if it is the same.
fn known_realm(realm: &str) -> Arc<str> {
    LAST_REALM.with_borrow_mut(|last| {
        if **last != *realm {
            *last = realm.into();
        }
        Arc::clone(last)
    })
}

thread_local! {
    static LAST_REALM: RefCell<Arc<str>> = RefCell::default();
}
