//! The fast path of HTTP/1.1: requests that a role knows to be plain are read and answered here,
//! without the general server's header maps, channels and bodies.
//!
//! It reads before that server does, and gives nothing up: at the first request that is not for it,
//! the connection goes on there with all bytes that were read and not used. So whatever is unusual
//! or wrong is handled in one place, and this path has no refusals of its own.

mod date;
mod write;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::answer::Whole;
use crate::handler::{self, Handler, Way};
use crate::head::{self, Begun, FastRequest};
use crate::request_id::id_of;
use crate::watch::{Busy, ConnectionWatch};
use write::Beside;

/// What a connection's buffers begin with, in bytes.
const FIRST_BYTES: usize = 4 * 1024;
/// Bytes of a request at the most; also of a buffer that is kept for the next one.
const REQUEST_BYTES: usize = 64 * 1024;
/// How many bytes are read ahead of an answer at once.
const AHEAD_BYTES: usize = 512;

/// What becomes of a connection.
pub(crate) enum Left {
    /// It is over.
    Over,
    /// It goes on elsewhere with these bytes, which were read and not used.
    Unread(Vec<u8>),
}

/// Serves the requests of a connection for as long as they are for the fast path.
///
/// # Errors
/// The connection broke.
pub(crate) async fn serve<H, I>(
    handler: &H,
    way: &Way<H::Remembered>,
    io: &mut I,
) -> io::Result<Left>
where
    H: Handler,
    I: AsyncRead + AsyncWrite + Unpin,
{
    let mut input = Vec::with_capacity(FIRST_BYTES);
    let mut output = Vec::new();
    let mut ahead = Vec::new();
    let mut begun = None;
    let mut has_served = false;
    loop {
        let asking = Asking {
            input: &input,
            ahead: &mut ahead,
            output: &mut output,
            begun: &mut begun,
        };
        match asking.one(handler, way, io).await {
            Step::Head if input.len() < REQUEST_BYTES => {
                let may_end = has_served && input.is_empty();
                if !more(io, &mut input, &way.watch, may_end).await? {
                    return Ok(Left::Over);
                }
            }
            Step::Head | Step::Other => return Ok(Left::Unread(input)),
            Step::Body { until } => {
                let _reading = way.watch.reading();
                input.reserve(until - input.len());
                while input.len() < until {
                    if io.read_buf(&mut input).await? == 0 {
                        return Ok(Left::Over);
                    }
                }
            }
            Step::Gone => return Ok(Left::Over),
            Step::Answered { until, body } => {
                begun = None;
                send(io, &output, &body).await?;
                if way.watch.must_drain() {
                    return Ok(Left::Over);
                }
                output.clear();
                output.shrink_to(REQUEST_BYTES);
                input.drain(..until);
                input.append(&mut ahead);
                has_served = true;
            }
        }
    }
}

/// A look at what was read of a request.
struct Asking<'a> {
    input: &'a [u8],
    /// What was read while the request is answered.
    ahead: &'a mut Vec<u8>,
    /// Where the answer goes.
    output: &'a mut Vec<u8>,
    /// Set once the head has come.
    begun: &'a mut Option<(Instant, Busy)>,
}

/// What a look has come to.
enum Step {
    /// The head is not complete.
    Head,
    /// The body is not complete: the request ends at that byte.
    Body { until: usize },
    /// It is not for the fast path.
    Other,
    /// The answer is written, but for its `body` if that is long. The request ended at that byte.
    Answered { until: usize, body: Vec<u8> },
    /// The other side has gone.
    Gone,
}

impl Asking<'_> {
    /// Answers the first request, if it is complete.
    async fn one<H, I>(self, handler: &H, way: &Way<H::Remembered>, io: &mut I) -> Step
    where
        H: Handler,
        I: AsyncRead + Unpin,
    {
        let mut room = head::room();
        let (head, bytes, body_bytes) = match head::read(self.input, &mut room) {
            Begun::Part => return Step::Head,
            Begun::Other => return Step::Other,
            Begun::Head {
                head,
                bytes,
                body_bytes,
            } => (head, bytes, body_bytes),
        };
        let until = bytes + body_bytes;
        if until > REQUEST_BYTES {
            return Step::Other;
        }
        let Some(fast) = handler.fast(way, &head) else {
            return Step::Other;
        };
        let (began, _) = self
            .begun
            .get_or_insert_with(|| (Instant::now(), way.watch.busy()));
        let Some(body) = self.input.get(bytes..until) else {
            return Step::Body { until };
        };
        let id = &id_of(|name| head.get(name));
        let request = FastRequest { head, body };
        let answering = pin!(handler.answer_fast(way, id, fast, &request));
        let work = pin!(handler::work(handler, &request, id, *began, answering));
        let is_last = self.input.len() == until;
        let answered = tokio::select! {
            biased;
            answered = work => answered,
            () = gone(io, self.ahead), if is_last => return Step::Gone,
        };
        let answer = answered.unwrap_or_else(|refusal| {
            let refused = refusal.into_whole_to(Some(id));
            Whole::Other(Box::new(refused))
        });
        let beside = Beside {
            id,
            closes: way.watch.must_drain(),
            second: way.watch.second(),
        };
        let body = write::put(self.output, answer, &beside);
        Step::Answered { until, body }
    }
}

/// Sends an answer, in one system call if the other side keeps up.
async fn send<I: AsyncWrite + Unpin>(io: &mut I, head: &[u8], body: &[u8]) -> io::Result<()> {
    if body.is_empty() {
        io.write_all(head).await?;
        return io.flush().await;
    }
    let mut sent = 0;
    while sent < head.len() {
        let pieces = [IoSlice::new(&head[sent..]), IoSlice::new(body)];
        match io.write_vectored(&pieces).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            bytes => sent += bytes,
        }
    }
    io.write_all(&body[sent - head.len()..]).await?;
    io.flush().await
}

/// Reads more; false: there is no more, or the connection `may_end` without it and is to.
async fn more<I: AsyncRead + Unpin>(
    io: &mut I,
    input: &mut Vec<u8>,
    watch: &ConnectionWatch,
    may_end: bool,
) -> io::Result<bool> {
    if input.len() == input.capacity() {
        input.reserve(input.len());
    }
    let mut read = pin!(io.read_buf(input));
    poll_fn(|cx| match may_end && watch.must_drain() {
        true => Poll::Ready(Ok(false)),
        false => read.as_mut().poll(cx).map_ok(|bytes| bytes > 0),
    })
    .await
}

/// Completes when the other side has gone. What it sends meanwhile goes into `ahead`, up to the
/// first piece.
async fn gone<I: AsyncRead + Unpin>(io: &mut I, ahead: &mut Vec<u8>) {
    poll_fn(|cx| poll_gone(io, ahead, cx)).await;
}

fn poll_gone<I: AsyncRead + Unpin>(
    io: &mut I,
    ahead: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if !ahead.is_empty() {
        return Poll::Pending;
    }
    let mut room = [const { MaybeUninit::uninit() }; AHEAD_BYTES];
    let mut buffer = ReadBuf::uninit(&mut room);
    match ready!(Pin::new(io).poll_read(cx, &mut buffer)) {
        Ok(()) if !buffer.filled().is_empty() => {
            ahead.extend_from_slice(buffer.filled());
            Poll::Pending
        }
        Ok(()) | Err(_) => Poll::Ready(()),
    }
}
