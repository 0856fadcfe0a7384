//! The one place where a request's text becomes a person: (realm, account).

use usher_core::ledger::SubjectRef;
use usher_core::people::{LocalAccounts, Person};

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
    if said.authority == AUTHORITY && composed(said.id) != composed(said.name) {
        return Err(format!(
            "`{field}`: of the authority {AUTHORITY} a user's id is the name: make them the same, \
             or name another authority"
        ));
    }
    let (realm, account) = (composed(said.authority), composed(said.name));
    let person = Person::of(&realm, &account, local).map_err(|why| format!("`{field}`: {why}"))?;
    Ok(SubjectRef {
        authority: person.realm.into(),
        key: person.key.into(),
        name: person.account.into(),
        candidate: surrogate(),
    })
}
