//! Unix sockets; the kernel keeps the credentials of who connected (SO_PEERCRED).

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{bind, listen, socket_with};
use tokio::net::UnixListener;

use crate::plain::{folder_of, remove_if_there};
use crate::terms::Reach;

/// A connection.
pub type Stream = tokio::net::UnixStream;

/// A path that a socket's address takes: it has 107 bytes.
const ADDRESS_BYTES: usize = 107;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

#[derive(Debug)]
pub(crate) struct Listener(UnixListener);

impl Listener {
    pub(crate) fn bind(path: &Path, reach: Reach) -> io::Result<Listener> {
        let address = Address::of(path)?;
        if std::os::unix::net::UnixStream::connect(&address.path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process listens there",
            ));
        }
        remove_if_there(path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // The file that it gets has these permissions from its first moment on.
        fchmod(&socket, Mode::from_raw_mode(0o600))?;
        bind(&socket, &SocketAddrUnix::new(&address.path)?)?;
        if reach == Reach::Everybody {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o666))?;
        }
        listen(&socket, BACKLOG)?;
        Ok(Listener(UnixListener::from_std(socket.into())?))
    }

    pub(crate) async fn accept(&self) -> io::Result<(Stream, String, Option<u32>)> {
        let (stream, _) = self.0.accept().await?;
        with_peer(stream)
    }
}

pub(crate) async fn connect(path: &Path) -> io::Result<(Stream, String, Option<u32>)> {
    let address = Address::of(path)?;
    with_peer(Stream::connect(&address.path).await?)
}

fn with_peer(stream: Stream) -> io::Result<(Stream, String, Option<u32>)> {
    let credentials = stream.peer_cred()?;
    let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
    Ok((stream, credentials.uid().to_string(), pid))
}

/// A way to a socket that is short enough for its address, while this lives.
struct Address {
    path: PathBuf,
    /// By which a longer path is shortened.
    _folder: Option<File>,
}

impl Address {
    fn of(path: &Path) -> io::Result<Address> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        if path.as_os_str().len() <= ADDRESS_BYTES {
            return Ok(Address {
                path: path.to_owned(),
                _folder: None,
            });
        }
        let folder = File::open(folder_of(path))?;
        let short = format!("/proc/self/fd/{}", folder.as_raw_fd());
        Ok(Address {
            path: Path::new(&short).join(name),
            _folder: Some(folder),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::account::Account;
    use crate::socket::{Listener, Reach, connect};

    #[tokio::test]
    async fn both_ends_hear_who_the_other_is_however_long_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(120));
        std::fs::create_dir(&long).unwrap();
        for path in [folder.path().join("it"), long.join("it")] {
            let listener = Listener::bind(&path, Reach::Owner).unwrap();
            let (taken, connected) = tokio::join!(listener.accept(), connect(&path));
            let ((mut ours, client), (mut theirs, server)) = (taken.unwrap(), connected.unwrap());
            let own = Account::own().unwrap();
            assert_eq!((&client.account, &server.account), (&own, &own));
            assert_eq!(client.pid, Some(std::process::id()));
            theirs.write_all(b"hello").await.unwrap();
            drop(theirs);
            let mut heard = String::new();
            ours.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "hello");
        }
    }

    #[tokio::test]
    async fn a_socket_is_replaced_only_when_nobody_listens_and_is_for_whom_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let listener = Listener::bind(&path, Reach::Owner).unwrap();
        assert_eq!(mode(), 0o600);
        let refused = Listener::bind(&path, Reach::Everybody).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        let _listener = Listener::bind(&path, Reach::Everybody).unwrap();
        assert_eq!(mode(), 0o666);
    }
}
