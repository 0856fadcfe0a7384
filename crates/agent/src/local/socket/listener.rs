//! A Unix socket that knows who connects, and lets in only so many.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use usher_core::sessions::AccountKey;
use usher_platform::files::{self, Readers};
use usher_platform::socket::{Listener, Reach, Stream};

use super::folder_of;
use super::peer::Peer;
use crate::base::lock;
use crate::system::account_key;

/// Connections in all; beyond, the account that has most gives up the one that was quiet longest.
const CONNECTIONS_LIMIT: usize = 512;
/// Connections of one user, so that none can shut out others.
const CONNECTIONS_OF_ONE_LIMIT: usize = 128;
/// A connection without a request ends after so long.
const IDLE: Duration = Duration::from_secs(75);
/// One with a request on which no byte moves: longer than any answer is waited for.
const STALLED: Duration = Duration::from_secs(330);

/// Connections by account.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Arc<Mutex<HashMap<AccountKey, Vec<Arc<Held>>>>>);

/// What is known of a connection that holds a place.
#[derive(Debug)]
struct Held {
    /// When a byte last moved on it.
    moved: Mutex<Instant>,
    /// Its place was given to another.
    is_over: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Held {
    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(waker) = lock(&self.waker).take() {
            waker.wake();
        }
    }
}

impl Slots {
    fn take(&self, account: AccountKey) -> Option<Slot> {
        let mut open = lock(&self.0);
        let all: usize = open.values().map(Vec::len).sum();
        let own = open.get(&account).map_or(0, Vec::len);
        // Root is let in beyond the bound: it must be able to look.
        let is_bound = !account_key::is_system(account);
        if is_bound && own >= CONNECTIONS_OF_ONE_LIMIT {
            return None;
        }
        if is_bound && all >= CONNECTIONS_LIMIT {
            let most = open
                .iter_mut()
                .filter(|(of, _)| !account_key::is_system(**of));
            let most = most.max_by_key(|(_, held)| held.len());
            let (_, held) = most.filter(|(_, held)| held.len() > own + 1)?;
            let quietest = (0..held.len()).min_by_key(|at| *lock(&held[*at].moved))?;
            held.swap_remove(quietest).end();
        }
        let held = Arc::new(Held {
            moved: Mutex::new(Instant::now()),
            is_over: AtomicBool::new(false),
            waker: Mutex::default(),
        });
        open.entry(account).or_default().push(held.clone());
        Some(Slot {
            slots: self.clone(),
            account,
            held,
        })
    }
}

/// One connection's place.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    account: AccountKey,
    held: Arc<Held>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = lock(&self.slots.0);
        if let Some(held) = open.get_mut(&self.account) {
            held.retain(|held| !Arc::ptr_eq(held, &self.held));
            if held.is_empty() {
                open.remove(&self.account);
            }
        }
    }
}

/// The listening end.
pub(crate) struct LocalListener {
    listener: Listener,
    slots: Slots,
}

impl LocalListener {
    /// Listens at `path`, for whom it is to reach. A socket that nobody listens on any more is
    /// replaced.
    pub(super) fn bind(path: &Path, reach: Reach, slots: Slots) -> io::Result<Self> {
        files::make_folders(folder_of(path), Readers::Everybody)?;
        let listener = Listener::bind(path, reach)?;
        Ok(LocalListener { listener, slots })
    }

    async fn next(&self) -> io::Result<Option<(Guarded, Peer)>> {
        let (stream, told) = self.listener.accept().await?;
        let peer = Peer::of(&told)?;
        let Some(slot) = self.slots.take(peer.account) else {
            tracing::warn!(account = %peer.account, "too many local connections");
            return Ok(None);
        };
        Ok(Some((
            Guarded {
                stream,
                slot,
                quiet: Box::pin(tokio::time::sleep(IDLE)),
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
        Peer::own(None)
    }
}

impl Connected<IncomingStream<'_, LocalListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, LocalListener>) -> Self {
        *stream.remote_addr()
    }
}

/// A connection that holds its place, until nothing has moved on it for too long or its place is
/// given to another account.
pub(crate) struct Guarded {
    stream: Stream,
    slot: Slot,
    quiet: Pin<Box<Sleep>>,
}

impl Guarded {
    fn moved(&mut self, quiet_for: Duration) {
        *lock(&self.slot.held.moved) = Instant::now();
        self.quiet
            .as_mut()
            .reset(tokio::time::Instant::now() + quiet_for);
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match &read {
            Poll::Ready(_) if buffer.filled().len() > before => self.moved(STALLED),
            Poll::Ready(_) => {}
            Poll::Pending => {
                *lock(&self.slot.held.waker) = Some(cx.waker().clone());
                let is_over = self.slot.held.is_over.load(Ordering::Relaxed);
                if is_over || self.quiet.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(1..)) = written {
            // What was asked is answered: now the next request is waited for.
            self.moved(IDLE);
        }
        written
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

    fn of(number: u32) -> AccountKey {
        AccountKey::new(number)
    }

    #[test]
    fn one_user_cannot_shut_out_others() {
        let slots = Slots::default();
        let mut held: Vec<Slot> = Vec::new();
        while let Some(slot) = slots.take(of(1000)) {
            held.push(slot);
        }
        assert_eq!(held.len(), CONNECTIONS_OF_ONE_LIMIT);
        assert!(slots.take(of(1001)).is_some());
        held.pop();
        assert!(slots.take(of(1000)).is_some());
    }

    #[test]
    fn no_number_of_users_shuts_out_another() {
        let slots = Slots::default();
        let mut held: Vec<Slot> = Vec::new();
        for number in 1000..1004 {
            held.extend(std::iter::from_fn(|| slots.take(of(number))));
        }
        assert_eq!(held.len(), CONNECTIONS_LIMIT);
        *lock(&held[7].held.moved) -= Duration::from_secs(9);
        let mut others: Vec<Slot> = Vec::new();
        for number in 2000..2100 {
            others.push(slots.take(of(number)).unwrap());
        }
        assert!(held[7].held.is_over.load(Ordering::Relaxed), "the quietest");
        let ended = held
            .iter()
            .filter(|slot| slot.held.is_over.load(Ordering::Relaxed));
        assert_eq!(ended.count(), 100);
        // Who has as many as anybody takes none from others.
        assert!(slots.take(of(1000)).is_none());
        held.clear();
        assert!(slots.take(of(1000)).is_some());
    }

    #[tokio::test]
    async fn a_connection_without_a_request_ends() {
        use tokio::io::AsyncReadExt;
        let (stream, _other) = Stream::pair().unwrap();
        let mut guarded = Guarded {
            stream,
            slot: Slots::default().take(of(1000)).unwrap(),
            // tidy: sleep, the bound of the connection, shortened
            quiet: Box::pin(tokio::time::sleep(Duration::from_millis(20))),
        };
        let ended = guarded.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }
}
