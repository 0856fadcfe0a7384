//! The terms of the interface, which both ends share: what is asked for, and what is answered.

use std::io;
use std::path::PathBuf;

/// Whether a symbolic link at the end of a path leads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The link is followed.
    Followed,
    /// The link counts as no file.
    Refused,
}

/// Who may read a file besides its owner and the administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Only its owner and the administrator.
    Nobody,
    /// Whoever may look into its folder.
    Everybody,
}

/// Which file it is, whatever it is called: two that are there at one time have two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The file system.
    pub volume: u64,
    /// The file in it.
    pub number: u64,
}

/// Room of the file system that a path is on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Free for an account without privileges.
    pub free: u64,
    /// All bytes, used or free.
    pub total: u64,
}

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The process of that number.
    Process(u32),
    /// A process that cannot be seen from here, as of another container.
    Hidden,
}

/// How many files and sockets this process may have open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenFiles {
    /// At most so many.
    AtMost(u64),
    /// As many as memory has room for.
    Unlimited,
}

/// What another process can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// End, after what has to be done first (SIGTERM).
    End,
    /// End at once (SIGKILL).
    Kill,
}

/// What tells a process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A service manager or an administrator (SIGTERM), and the terminal (SIGINT).
    Usual,
    /// Besides, its end of the terminal (SIGQUIT, and SIGHUP unless whoever started this process
    /// ignores it, as nohup does).
    AlsoByTerminal,
}

/// One signal, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(pub i32);

impl Signal {
    /// The exit code of what was ended by it, as shells have it: 128 and its number.
    pub fn exit_code(self) -> u8 {
        u8::try_from(self.0.saturating_add(128)).unwrap_or(u8::MAX)
    }
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The account of the process that listens, and the administrator.
    Owner,
    /// Every account of this computer.
    Everybody,
}

/// How much a line weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Something has failed.
    Error,
    /// Something may fail.
    Warning,
    /// Something has happened.
    Information,
}

/// How the name services are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameService {
    pub(crate) program: PathBuf,
    /// Whether only the computer's own files are asked.
    pub(crate) own_files: bool,
}

/// A group, as a name service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemGroup {
    /// Its name.
    pub name: String,
    /// The number by which accounts name it.
    pub number: u32,
    /// The accounts that it lists. Those whose main group it is need not be among them.
    pub members: Vec<String>,
}

/// An account, as a name service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemAccount {
    /// Its name.
    pub name: String,
    /// The number of its main group.
    pub group: u32,
}

/// That this system's end of the interface cannot do something yet.
pub fn unsupported(what: &str) -> io::Error {
    let system = std::env::consts::OS;
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("{what} is not supported on {system} yet"),
    )
}

pub(crate) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_supported_says_what_and_where() {
        let error = unsupported("ending another process");
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(
            text.starts_with("ending another process is not supported on "),
            "{text}"
        );
    }
}
