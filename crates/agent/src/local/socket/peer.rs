//! Who is at the other end of a local connection, as the kernel says.

use std::io;

use usher_core::sessions::{ProcessKey, Who};
use usher_platform::account::Account;
use usher_platform::socket;

use crate::system::procfs;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) uid: u32,
    pub(crate) pid: Option<u32>,
}

impl Peer {
    /// As the system tells of it.
    pub(super) fn of(told: &socket::Peer) -> io::Result<Peer> {
        Ok(Peer {
            uid: uid_of(&told.account)?,
            pid: told.pid,
        })
    }

    /// Whether it is the account that this agent acts as.
    pub(super) fn is_own(self) -> bool {
        own_uid().is_ok_and(|own| own == self.uid)
    }

    /// Whom its use is counted for: the login uid where it is set, else its own.
    pub(crate) fn who(self) -> Who {
        // The pid is only believed while it still belongs to that uid.
        let login = self
            .pid
            .filter(|pid| procfs::real_uid(*pid).is_ok_and(|uid| uid == self.uid))
            .and_then(procfs::login_uid);
        Who {
            counted: login.unwrap_or(self.uid),
            real: self.uid,
        }
    }

    /// The process, if it still is that user's.
    pub(crate) fn process(self) -> Option<ProcessKey> {
        let pid = self
            .pid
            .filter(|pid| procfs::real_uid(*pid).is_ok_and(|uid| uid == self.uid))?;
        let start = procfs::process_stat(pid).ok()?.start;
        Some(ProcessKey { pid, start })
    }

    pub(crate) fn is_root(self) -> bool {
        self.uid == 0
    }
}

/// The uid that this agent acts as.
pub(super) fn own_uid() -> io::Result<u32> {
    uid_of(&Account::own()?)
}

/// This computer knows accounts by numbers.
fn uid_of(account: &Account) -> io::Result<u32> {
    let told = account.id().parse();
    told.map_err(|_| io::Error::other(format!("{account} is no uid")))
}
