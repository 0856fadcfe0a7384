//! Accounts of this computer, as the system tells them apart.

use std::fmt;

use crate::system::account as system;

/// An account of this computer. What is in it is the system's affair: it is compared and shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account(Box<str>);

impl Account {
    /// The account that this process acts as.
    ///
    /// # Errors
    /// The system does not say.
    pub fn own() -> std::io::Result<Account> {
        system::own().map(Account::named)
    }

    /// The account that the system calls so: a uid in digits, or a SID.
    pub fn named(id: String) -> Account {
        Account(id.into_boxed_str())
    }

    /// What the system calls it.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// Whether it is the administrator's own: root, or the system's account.
    pub fn is_system(&self) -> bool {
        system::is_system(&self.0)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        system::show(&self.0, f)
    }
}

/// Whether this process may do what only an administrator may: as root, or elevated.
pub fn is_administrator() -> bool {
    system::is_administrator()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_its_id_and_the_same_as_itself_alone() {
        let own = Account::own().unwrap();
        assert_eq!(own, Account::named(own.id().to_owned()));
        assert_ne!(own, Account::named(format!("{}1", own.id())));
        assert!(own.to_string().contains(own.id()));
    }
}
