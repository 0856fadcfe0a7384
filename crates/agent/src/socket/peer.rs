//! Who is at the other end of a local connection, as the kernel says.

use usher_core::sessions::{ProcessKey, Who};

use crate::system::procfs;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) uid: u32,
    pub(crate) pid: Option<u32>,
}

impl Peer {
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
