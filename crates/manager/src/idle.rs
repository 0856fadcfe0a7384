//! A connection that ends where nothing moves on it for too long, so that nobody keeps places with
//! connections that say nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A connection without a request ends after so long.
pub(crate) const IDLE: Duration = Duration::from_secs(75);
/// One with a request on which no byte moves: longer than any answer is waited for.
const STALLED: Duration = Duration::from_secs(330);

/// See the module.
pub(crate) struct Idle<I> {
    io: I,
    quiet: Pin<Box<Sleep>>,
}

impl<I> Idle<I> {
    /// Of a connection that has just come.
    pub(crate) fn watch(io: I) -> Idle<I> {
        Idle {
            io,
            quiet: Box::pin(tokio::time::sleep(IDLE)),
        }
    }

    fn moved(&mut self, quiet_for: Duration) {
        self.quiet.as_mut().reset(Instant::now() + quiet_for);
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Idle<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        match &read {
            Poll::Ready(_) if buffer.filled().len() > before => self.moved(STALLED),
            Poll::Ready(_) => {}
            Poll::Pending => {
                if self.quiet.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Idle<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(1..)) = written {
            // What was asked is answered: now the next request is waited for.
            self.moved(IDLE);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_connection_without_a_request_ends_and_one_that_waits_for_an_answer_does_not() {
        let (stream, mut other) = tokio::io::duplex(64);
        let mut idle = Idle::watch(stream);
        // Nearly over, and then a request comes.
        idle.moved(Duration::from_millis(20));
        other.write_all(b"GET").await.unwrap();
        idle.read_exact(&mut [0; 3]).await.unwrap();
        let left = |idle: &Idle<_>| idle.quiet.deadline() - Instant::now();
        assert!(left(&idle) > IDLE);
        idle.write_all(b"200").await.unwrap();
        assert!(left(&idle) <= IDLE);
        idle.moved(Duration::from_millis(20));
        let ended = idle.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }
}
