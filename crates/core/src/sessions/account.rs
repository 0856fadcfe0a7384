//! Which account of the computer something belongs to, whatever the system calls it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An account of one computer, by the number that the agent of this computer gives it. Two are the
/// same account exactly if their numbers are equal; the number says nothing else, and means nothing
/// on another computer.
///
/// Only the agent makes one, of what the system tells it. On Linux the number is the uid. Windows
/// knows accounts by SIDs, which are longer than a number: there it is to be the index of the SID in
/// a table in `agent.db`, which only grows, so that a number means the same account after a restart.
/// What is stored is the number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountKey(u32);

impl AccountKey {
    /// No account: of a process whose account is not known yet. No system gives an account this
    /// number: it is the uid that Linux keeps for "none".
    pub const NOBODY: AccountKey = AccountKey(u32::MAX);

    /// The account with that number, as the agent gave it.
    pub const fn new(number: u32) -> Self {
        AccountKey(number)
    }

    /// Its number, as it is stored.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
