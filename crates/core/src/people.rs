//! Who one person is: a realm and an account in it, however a computer or a request writes them.
//!
//! A realm is a directory's name, `computer:ID` for the accounts of a computer's own files (or
//! [`LOCAL_REALM`] for those of all computers), or [`TOKEN_REALM`]. A directory compares accounts
//! without case, a computer's own files exactly. One account in two realms is two people
//! (KB Q201055). Both are compared in [composed] form, however accents are written. Uids and SIDs are attributes, never the key: two computers may give one person
//! two of them, and two people one.

use std::borrow::Cow;

use crate::names::composed;

#[cfg(test)]
mod tests;

/// Bytes of an account at the most.
pub const ACCOUNT_LIMIT_BYTES: usize = 255;

/// The realm of the people whom tokens and requests name without naming a realm.
pub const TOKEN_REALM: &str = "usher";

/// The realm of every computer's own accounts if the site counts them by name.
pub const LOCAL_REALM: &str = "local";

/// What the realm of a computer's own accounts begins with; the computer's id follows.
pub const COMPUTER_REALM_PREFIX: &str = "computer:";

/// Whether an account of a computer's own files is one person with the account of the same name
/// on other computers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocalAccounts {
    /// No: each computer's are people of their own.
    #[default]
    ByComputer,
    /// Yes, as on a cluster whose nodes have the same accounts: their realm is [`LOCAL_REALM`].
    ByName,
}

/// A person: equal realms and keys are the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The realm, as it is compared.
    pub realm: String,
    /// The account, as it is compared.
    pub key: String,
    /// The account as it was written, without the realm.
    pub account: String,
}

/// Why a realm or an account cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPerson {
    /// The realm is empty.
    #[error("the realm is empty: name a directory, or `computer:ID`")]
    NoRealm,
    /// There is no account, or none but for the realm behind it.
    #[error("the account is empty: give 1 to {ACCOUNT_LIMIT_BYTES} bytes")]
    NoAccount,
    /// The account is too long.
    #[error("the account has {0} bytes: give at most {ACCOUNT_LIMIT_BYTES}")]
    TooLong(usize),
    /// It is another spelling of a realm that is no directory's.
    #[error("{0:?} is no directory's realm: write `{1}` in small letters, or name another")]
    Disguised(String, &'static str),
}

impl Person {
    /// The person of an account in a realm.
    ///
    /// # Errors
    /// See [`NotAPerson`].
    pub fn of(realm: &str, account: &str, local: LocalAccounts) -> Result<Person, NotAPerson> {
        let person = PersonName::of(realm, account, local)?;
        Ok(Person {
            realm: person.realm.into_owned(),
            key: person.key.into_owned(),
            account: person.account.into_owned(),
        })
    }
}

/// A [`Person`] as a request names one: its parts are those of the request if they are written as
/// they are compared, as nearly all are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName<'a> {
    /// The realm, as it is compared.
    pub realm: Cow<'a, str>,
    /// The account, as it is compared.
    pub key: Cow<'a, str>,
    /// The account as it was written, without the realm.
    pub account: Cow<'a, str>,
}

impl<'a> PersonName<'a> {
    /// The person of an account in a realm.
    ///
    /// # Errors
    /// See [`NotAPerson`].
    pub fn of(
        realm: &'a str,
        account: &'a str,
        local: LocalAccounts,
    ) -> Result<PersonName<'a>, NotAPerson> {
        if realm.is_empty() {
            return Err(NotAPerson::NoRealm);
        }
        let (realm, account) = (composed(realm), composed(account));
        if !is_directory(&realm)? {
            check_account(&account)?;
            let shared = local == LocalAccounts::ByName && is_computers_own(&realm);
            return Ok(PersonName {
                realm: if shared { LOCAL_REALM.into() } else { realm },
                key: account.clone(),
                account,
            });
        }
        let realm = folded(&realm);
        // One computer writes `ann`, another, which knows several domains, `ann@corp.example`.
        let own = |domain: &str| (folded(domain) == realm).then_some(());
        let account: Cow<'_, str> = match account {
            Cow::Borrowed(written) => without(written, own).into(),
            Cow::Owned(written) => without(&written, own).to_owned().into(),
        };
        check_account(&account)?;
        Ok(PersonName {
            key: folded(&account).into(),
            account,
            realm: realm.into(),
        })
    }
}

/// An account without its domain, if that is the realm that it is `own` in.
fn without(account: &str, own: impl Fn(&str) -> Option<()>) -> &str {
    split(account, own).map_or(account, |(_, account)| account)
}

/// Without case, and composed: a small letter may be one character where the capital was two.
pub(crate) fn folded(text: &str) -> String {
    composed(&text.to_lowercase()).into_owned()
}

/// Splits a name into a domain that `known` maps to something, and the account: at the first `\`
/// or else the last `@`. Both may stand in an account, so a name whose domain is not known is an
/// account as a whole: none.
pub fn split<T>(name: &str, known: impl Fn(&str) -> Option<T>) -> Option<(T, &str)> {
    let parts = [
        name.split_once('\\'),
        name.rsplit_once('@')
            .map(|(account, domain)| (domain, account)),
    ];
    parts
        .into_iter()
        .flatten()
        .filter(|(domain, account)| !domain.is_empty() && !account.is_empty())
        .find_map(|(domain, account)| Some((known(domain)?, account)))
}

/// Whether a realm is a directory's, which compares accounts without case.
///
/// # Errors
/// It is another spelling of a realm that is none: somebody of a directory could else be taken
/// for somebody else.
pub fn is_directory(realm: &str) -> Result<bool, NotAPerson> {
    if realm == TOKEN_REALM || realm == LOCAL_REALM || is_computers_own(realm) {
        return Ok(false);
    }
    let folded = realm.to_lowercase();
    let disguised = |of| Err(NotAPerson::Disguised(realm.to_owned(), of));
    match folded.as_str() {
        TOKEN_REALM => disguised(TOKEN_REALM),
        LOCAL_REALM => disguised(LOCAL_REALM),
        folded if is_computers_own(folded) => disguised(COMPUTER_REALM_PREFIX),
        _ => Ok(true),
    }
}

fn is_computers_own(realm: &str) -> bool {
    realm.starts_with(COMPUTER_REALM_PREFIX)
}

fn check_account(account: &str) -> Result<(), NotAPerson> {
    match account.len() {
        0 => Err(NotAPerson::NoAccount),
        1..=ACCOUNT_LIMIT_BYTES => Ok(()),
        bytes => Err(NotAPerson::TooLong(bytes)),
    }
}
