//! One connection: HTTP/1.1 or HTTP/2 on it, until its watch ends it.

use std::cell::RefCell;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::service::service_fn;
use hyper::{Request, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::fast::{self, Left};
use crate::handler::{self, Handler, Way};
use crate::watch::{ConnectionWatch, Connections};

/// HTTP/2 requests at the same time on one connection.
const STREAMS_LIMIT: u32 = 128;
/// Bytes of a request's head, and of what is read ahead.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves one connection, from `peer`, to its end.
pub(crate) async fn serve<H, I>(
    handler: Rc<H>,
    connections: Rc<Connections>,
    io: I,
    peer: Option<IpAddr>,
    is_http2: bool,
) where
    H: Handler,
    I: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let entered = connections.enter(is_http2);
    let watch = entered.watch.clone();
    let way = Way {
        watch: watch.clone(),
        remembered: RefCell::default(),
        peer,
    };
    let mut io = Watched {
        io,
        watch: watch.clone(),
        unread: Vec::new(),
    };
    if !is_http2 {
        let fast = drive(fast::serve(&*handler, &way, &mut io), &watch, |_| ());
        match fast.await {
            Some(Ok(Left::Unread(unread))) => io.unread = unread,
            Some(Ok(Left::Over)) => {
                // It is over either way.
                let _ = drive(io.shutdown(), &watch, |_| ()).await;
                return;
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection broke");
                return;
            }
            None => return,
        }
    }
    let io = TokioIo::new(io);
    let shared = Rc::new((handler, way));
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = shared.clone();
        async move {
            let (handler, way) = &*shared;
            Ok::<_, std::convert::Infallible>(handler::answer(&**handler, way, request).await)
        }
    });
    let ended = if is_http2 {
        let connection = hyper::server::conn::http2::Builder::new(LocalExecutor)
            .max_concurrent_streams(STREAMS_LIMIT)
            .max_header_list_size(BUFFER_BYTES as u32)
            .serve_connection(io, service);
        drive(connection, &watch, |connection| {
            connection.graceful_shutdown();
        })
        .await
    } else {
        let connection = hyper::server::conn::http1::Builder::new()
            .max_buf_size(BUFFER_BYTES)
            // Answers are small: one buffer is cheaper to write than a list of them.
            .writev(false)
            .serve_connection(io, service);
        drive(connection, &watch, |connection| {
            connection.graceful_shutdown();
        })
        .await
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Polls a connection until it ends; none: its watch has ended it first.
async fn drive<C: Future>(
    connection: C,
    watch: &ConnectionWatch,
    drain: impl Fn(Pin<&mut C>),
) -> Option<C::Output> {
    let mut connection = std::pin::pin!(connection);
    let mut drained = false;
    std::future::poll_fn(|cx| {
        watch.wakes(cx);
        if watch.must_end() {
            return Poll::Ready(None);
        }
        if watch.must_drain() && !drained {
            drained = true;
            drain(connection.as_mut());
        }
        connection.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Runs HTTP/2's own tasks on this core.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move { drop(future.await) });
    }
}

/// A stream that tells the watch when bytes come.
struct Watched<I> {
    io: I,
    watch: Rc<ConnectionWatch>,
    /// Bytes that came and are to be read first.
    unread: Vec<u8>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let bytes = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread[..bytes]);
            self.unread.drain(..bytes);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.watch.bytes_came();
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
