//! A Unix socket that knows who connects, and lets in only so many.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};

use super::folder_of;
use super::peer::Peer;
use crate::lock;

/// Connections in all; the next is closed at once.
const CONNECTIONS_LIMIT: usize = 512;
/// Connections of one user, so that none can shut out others.
const CONNECTIONS_OF_ONE_LIMIT: usize = 128;

/// Connections by uid.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Arc<Mutex<HashMap<u32, usize>>>);

impl Slots {
    fn take(&self, uid: u32) -> Option<Slot> {
        let mut open = lock(&self.0);
        let all: usize = open.values().sum();
        let of_one = open.entry(uid).or_default();
        // Root is let in beyond the bound: it must be able to look.
        if uid != 0 && (all >= CONNECTIONS_LIMIT || *of_one >= CONNECTIONS_OF_ONE_LIMIT) {
            return None;
        }
        *of_one += 1;
        Some(Slot {
            slots: self.clone(),
            uid,
        })
    }
}

/// One connection's place.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    uid: u32,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = lock(&self.slots.0);
        if let Some(count) = open.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.uid);
            }
        }
    }
}

/// The listening end.
pub(crate) struct LocalListener {
    listener: UnixListener,
    slots: Slots,
}

impl LocalListener {
    /// Binds `path`, which then has the permissions `mode`. A socket that nobody listens on any
    /// more is replaced.
    pub(super) fn bind(path: &Path, mode: u32, slots: Slots) -> io::Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder_of(path))?;
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another agent listens there",
            ));
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        Ok(LocalListener { listener, slots })
    }

    async fn next(&self) -> io::Result<Option<(Guarded, Peer)>> {
        let (stream, _) = self.listener.accept().await?;
        let credentials = stream.peer_cred()?;
        let peer = Peer {
            uid: credentials.uid(),
            pid: credentials.pid().and_then(|pid| u32::try_from(pid).ok()),
        };
        let Some(slot) = self.slots.take(peer.uid) else {
            tracing::warn!(uid = peer.uid, "too many local connections");
            return Ok(None);
        };
        Ok(Some((
            Guarded {
                stream,
                _slot: slot,
            },
            peer,
        )))
    }
}

impl axum::serve::Listener for LocalListener {
    type Io = Guarded;
    type Addr = Peer;

    async fn accept(&mut self) -> (Guarded, Peer) {
        loop {
            match self.next().await {
                Ok(Some(connection)) => return connection,
                Ok(None) => {}
                Err(error) => {
                    // Out of descriptors, as a rule: some will be free again.
                    tracing::warn!(%error, "a local connection cannot be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer {
            uid: rustix::process::geteuid().as_raw(),
            pid: None,
        })
    }
}

/// A connection that holds its place.
pub(crate) struct Guarded {
    stream: UnixStream,
    _slot: Slot,
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_cannot_shut_out_others() {
        let slots = Slots::default();
        let mut held: Vec<Slot> = Vec::new();
        while let Some(slot) = slots.take(1000) {
            held.push(slot);
        }
        assert_eq!(held.len(), CONNECTIONS_OF_ONE_LIMIT);
        assert!(slots.take(1001).is_some());
        held.pop();
        assert!(slots.take(1000).is_some());
    }
}
