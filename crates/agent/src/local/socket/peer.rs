//! Who is at the other end of a local connection, as the kernel says.

use std::io;

use usher_core::sessions::{AccountKey, ProcessKey, Who};
use usher_platform::account::Account;
use usher_platform::socket;

use crate::system::{account_key, procfs};

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// The account that it acts as.
    pub(crate) account: AccountKey,
    pub(crate) pid: Option<u32>,
}

impl Peer {
    /// As the system tells of it.
    pub(super) fn of(told: &socket::Peer) -> io::Result<Peer> {
        Ok(Peer {
            account: account_key::of(&told.account)?,
            pid: told.pid,
        })
    }

    /// A process of the account that this agent acts as.
    pub(super) fn own(pid: Option<u32>) -> io::Result<Peer> {
        Ok(Peer {
            account: account_key::of(&Account::own()?)?,
            pid,
        })
    }

    /// Whether it is the account that this agent acts as.
    pub(super) fn is_own(self) -> bool {
        Peer::own(None).is_ok_and(|own| own.account == self.account)
    }

    /// Whom its use is counted for: the account that logged in if that is known, else its own.
    pub(crate) fn who(self) -> Who {
        let login = self.own_pid().and_then(procfs::login_account);
        Who {
            counted: login.unwrap_or(self.account),
            real: self.account,
        }
    }

    /// The process, if it still is that user's.
    pub(crate) fn process(self) -> Option<ProcessKey> {
        let pid = self.own_pid()?;
        let start = procfs::process_stat(pid).ok()?.start;
        Some(ProcessKey { pid, start })
    }

    /// The pid is only believed while it still belongs to that account.
    fn own_pid(self) -> Option<u32> {
        let is_own = |pid: &u32| procfs::real_account(*pid).is_ok_and(|of| of == self.account);
        self.pid.filter(is_own)
    }

    pub(crate) fn is_root(self) -> bool {
        account_key::is_system(self.account)
    }
}
