//! Which number an account of this computer has in the agent, and which account a number is. Here it
//! is the uid.

use std::io;

use usher_core::sessions::AccountKey;
use usher_platform::account::Account;

/// The administrator's own account.
const ROOT: AccountKey = AccountKey::new(0);

/// The key of a uid.
pub(crate) fn of_uid(uid: u32) -> AccountKey {
    AccountKey::new(uid)
}

/// The uid of an account.
pub(crate) fn uid(account: AccountKey) -> u32 {
    account.number()
}

/// That of an account, as the system says it.
///
/// # Errors
/// It is none that this computer can have.
pub(crate) fn of(account: &Account) -> io::Result<AccountKey> {
    let told = account.id().parse::<u32>();
    told.map(of_uid)
        .map_err(|_| io::Error::other(format!("{account} is no uid")))
}

/// What the system calls an account, for servers and people: its uid in digits.
pub(crate) fn id(account: AccountKey) -> String {
    uid(account).to_string()
}

/// Whether it is the administrator's own: root.
pub(crate) fn is_system(account: AccountKey) -> bool {
    account == ROOT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_the_same_by_its_number_and_by_what_the_system_says() {
        let own = Account::own().unwrap();
        let key = of(&own).unwrap();
        assert_eq!(id(key), own.id());
        assert_eq!(of_uid(uid(key)), key);
        assert_eq!(is_system(key), own.is_system());
        assert!(of(&Account::named("S-1-5-18".to_owned())).is_err());
    }
}
