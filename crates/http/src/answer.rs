//! Answers: their bodies, complete or streamed.

use std::fmt::{self, Debug};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// The header that marks a repeated answer.
pub const REPLAYED: &str = "idempotency-replayed";

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// The complete body; the usual case.
    Whole(Option<Bytes>),
    /// A stream, sent piece by piece: events, backups.
    Stream(Box<Stream>),
}

/// A body that is sent piece by piece, for as long as it takes and the requester may have it.
pub struct Stream {
    body: axum::body::Body,
    /// A value that is dropped when the stream ends, however long that takes.
    guard: Option<Box<dyn Debug>>,
    /// Completes, with the reason, if the stream must end early.
    end: Option<End>,
}

type End = Pin<Box<dyn Future<Output = String> + Send>>;

impl Stream {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(end) = &mut self.end else {
            return Pin::new(&mut self.body).poll_frame(cx);
        };
        let Poll::Ready(why) = end.as_mut().poll(cx) else {
            return Pin::new(&mut self.body).poll_frame(cx);
        };
        self.end = None;
        let is_of_known_length = self.body.size_hint().exact().is_some();
        self.body = axum::body::Body::empty();
        match is_of_known_length {
            // Broken off, so that nobody takes a part for the whole.
            true => Poll::Ready(Some(Err(axum::Error::new(why)))),
            false => Poll::Ready(None),
        }
    }
}

impl Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stream { body, guard, end } = self;
        f.debug_struct("Stream")
            .field("body", body)
            .field("guard", guard)
            .field("has_end", &end.is_some())
            .finish()
    }
}

impl Body {
    /// A streamed body, which ends early if `end` completes; that says why.
    pub fn stream<E>(body: axum::body::Body, end: Option<E>) -> Body
    where
        E: Future<Output = String> + Send + 'static,
    {
        Body::Stream(Box::new(Stream {
            body,
            guard: None,
            end: end.map(|end| Box::pin(end) as End),
        }))
    }

    /// The same body, which keeps `guard` until the stream ends; a complete body drops it at once.
    pub fn guarded(mut self, guard: impl Debug + 'static) -> Body {
        if let Body::Stream(stream) = &mut self {
            stream.guard = Some(Box::new(guard));
        }
        self
    }

    /// An empty body.
    pub fn empty() -> Body {
        Body::Whole(None)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::Whole(Some(bytes.into()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut *self {
            Body::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Body::Stream(stream) => stream.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(bytes) => bytes.is_none(),
            Body::Stream(stream) => stream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Body::Stream(stream) => stream.body.size_hint(),
        }
    }
}

/// A complete answer, before it has headers: the fast path writes it as it is.
#[derive(Debug)]
pub enum Whole {
    /// A JSON text.
    Json {
        /// The status.
        status: StatusCode,
        /// The text.
        text: Vec<u8>,
        /// Whether it repeats an answer that was given to the same Idempotency-Key.
        is_replayed: bool,
    },
    /// 204.
    NoContent,
    /// Any other, with its headers.
    Other(Box<Response<Vec<u8>>>),
}

impl Whole {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        match self {
            Whole::Json { status, .. } => *status,
            Whole::NoContent => StatusCode::NO_CONTENT,
            Whole::Other(response) => response.status(),
        }
    }
}

impl From<Whole> for Response<Body> {
    fn from(whole: Whole) -> Response<Body> {
        let (status, text, is_replayed) = match whole {
            Whole::Json {
                status,
                text,
                is_replayed,
            } => (status, text, is_replayed),
            Whole::NoContent => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                return response;
            }
            Whole::Other(response) => return response.map(Body::from),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        if is_replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// The type of a JSON text.
pub(crate) const JSON: &str = "application/json";

/// A JSON answer.
pub fn json(status: StatusCode, text: Vec<u8>, is_replayed: bool) -> Whole {
    Whole::Json {
        status,
        text,
        is_replayed,
    }
}

/// An answer without a body.
pub fn no_content() -> Whole {
    Whole::NoContent
}

/// Router answers up to this size are sent as a complete body.
const WHOLE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// A router's answer as this crate's: what is whole already need not be treated as a stream, which
/// ends when `end` is done.
pub async fn whole_where_it_is<E>(
    response: axum::response::Response,
    end: impl FnOnce() -> Option<E>,
) -> Response<Body>
where
    E: Future<Output = String> + Send + 'static,
{
    let (head, body) = response.into_parts();
    let body = match body.size_hint().exact() {
        Some(0) => Body::empty(),
        None => Body::stream(body, end()),
        Some(size) if size > WHOLE_LIMIT_BYTES => Body::stream(body, end()),
        Some(size) => match axum::body::to_bytes(body, size as usize).await {
            Ok(bytes) => Body::Whole(Some(bytes)),
            Err(error) => {
                tracing::error!(%error, "a complete answer could not be read");
                let mut failed = Response::new(Body::empty());
                *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                return failed;
            }
        },
    };
    Response::from_parts(head, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        frame.map(|frame| frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test]
    async fn what_is_of_known_length_breaks_off_when_it_must_end() {
        let mut kept = Body::stream("a backup".into(), Some(std::future::pending()));
        assert_eq!(next(&mut kept).await.unwrap().unwrap(), "a backup");
        let ends = std::future::ready("the token was revoked".to_owned());
        let mut lost = Body::stream("a backup".into(), Some(ends));
        let error = next(&mut lost).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("revoked"), "{error}");
        assert!(next(&mut lost).await.is_none());
    }
}
