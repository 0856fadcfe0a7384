//! A local socket: programs of one computer talk, and the system says who is at the other end.

use std::io;
use std::path::Path;

use crate::account::Account;
use crate::system::socket as system;

pub use crate::system::socket::Stream;
pub use crate::terms::Reach;

/// Who is at the other end, as the system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The account that it acts as.
    pub account: Account,
    /// Its process, if the system says and it can be seen from here.
    pub pid: Option<u32>,
}

/// The listening end.
#[derive(Debug)]
pub struct Listener(system::Listener);

impl Listener {
    /// Listens at `path`: a file on Linux, `\\.\pipe\NAME` on Windows. A socket that nobody listens
    /// on any more is replaced. To be called within a runtime.
    ///
    /// # Errors
    /// `AddrInUse` if another process listens there; it cannot be made.
    pub fn bind(path: &Path, reach: Reach) -> io::Result<Listener> {
        system::Listener::bind(path, reach).map(Listener)
    }

    /// The next connection. May be dropped and called again.
    ///
    /// # Errors
    /// It cannot be taken, as when no descriptor is free; the next may be.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        let (stream, account, pid) = self.0.accept().await?;
        Ok((stream, peer(account, pid)))
    }
}

/// Connects to whoever listens at `path`.
///
/// # Errors
/// Nobody does, or it may not be reached.
pub async fn connect(path: &Path) -> io::Result<(Stream, Peer)> {
    let (stream, account, pid) = system::connect(path).await?;
    Ok((stream, peer(account, pid)))
}

fn peer(account: String, pid: Option<u32>) -> Peer {
    Peer {
        account: Account::named(account),
        pid,
    }
}
