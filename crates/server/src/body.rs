//! Bodies: what comes in is read whole and bounded, what goes out is whole or a stream.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{HeaderMap, Request};
use usher_api::{BODY_LIMIT_BYTES, Code};

use crate::auth::Principal;
use crate::connection::Busy;
use crate::problem::Refusal;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it, as a rule.
    Whole(Option<Bytes>),
    /// Piece by piece: events, backups.
    Stream(Box<Stream>),
}

/// What is sent piece by piece, for as long as it takes and its token is valid.
pub(crate) struct Stream {
    body: axum::body::Body,
    /// Its connection is busy until it ends, however long that takes: it ends itself.
    busy: Option<Busy>,
    /// Ends when the token of who asked does; none where none was needed.
    token: Option<TokenEnd>,
}

type TokenEnd = Pin<Box<dyn Future<Output = Refusal> + Send>>;

impl Stream {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(token) = &mut self.token else {
            return Pin::new(&mut self.body).poll_frame(cx);
        };
        let Poll::Ready(refusal) = token.as_mut().poll(cx) else {
            return Pin::new(&mut self.body).poll_frame(cx);
        };
        self.token = None;
        let is_of_known_length = self.body.size_hint().exact().is_some();
        self.body = axum::body::Body::empty();
        match is_of_known_length {
            // Broken off, so that nobody takes a part for the whole.
            true => Poll::Ready(Some(Err(axum::Error::new(
                refusal.problem().detail.clone(),
            )))),
            false => Poll::Ready(None),
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stream { body, busy, token } = self;
        f.debug_struct("Stream")
            .field("body", body)
            .field("busy", busy)
            .field("has_token", &token.is_some())
            .finish()
    }
}

impl Body {
    /// Sent piece by piece, until who asked may ask no more.
    pub(crate) fn stream(body: axum::body::Body, who: Option<Arc<Principal>>) -> Body {
        Body::Stream(Box::new(Stream {
            body,
            busy: None,
            token: who.map(|who| Box::pin(who.ended()) as TokenEnd),
        }))
    }

    /// The same, with its connection busy until a stream ends.
    pub(crate) fn busy(mut self, busy: Busy) -> Body {
        if let Body::Stream(stream) = &mut self {
            stream.busy = Some(busy);
        }
        self
    }

    /// No bytes at all.
    pub(crate) fn empty() -> Body {
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

/// Bytes of bodies that a core holds at once, of requests that are not answered yet: what waits in
/// queues is bounded by it, however many requests that is.
const HELD_LIMIT_BYTES: usize = 64 * BODY_LIMIT_BYTES;

/// The bodies of one core's requests that are not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Bodies(Cell<usize>);

impl Bodies {
    /// Room for one body, which is given back with it.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held {
            bodies: self,
            bytes: 0,
        }
    }
}

/// See [`Bodies::hold`].
#[derive(Debug)]
pub(crate) struct Held<'a> {
    bodies: &'a Bodies,
    bytes: usize,
}

impl Held<'_> {
    fn add(&mut self, bytes: usize) -> Result<(), Refusal> {
        let all = self.bodies.0.get().saturating_add(bytes);
        if all > HELD_LIMIT_BYTES {
            return Err(Refusal::new(
                Code::Busy,
                "the requests that wait for an answer hold as much as may be held: try again in a \
                 moment",
            ));
        }
        self.bodies.0.set(all);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let all = self.bodies.0.get();
        self.bodies.0.set(all.saturating_sub(self.bytes));
    }
}

/// Reads a request's body: at most 1 MiB, JSON where there is any.
/// What it takes is held until `held` goes, which is when it is answered.
pub(crate) async fn read(
    request: &mut Request<Incoming>,
    held: &mut Held<'_>,
) -> Result<Bytes, Refusal> {
    if request.body().is_end_stream() {
        return Ok(Bytes::new());
    }
    let said = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let is_json = is_json(request.headers());
    let body = request.body_mut();
    if said.is_some_and(|length| length > BODY_LIMIT_BYTES as u64) {
        return Err(refuse_large(body).await);
    }
    let Some(first) = next(body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > BODY_LIMIT_BYTES {
        return Err(refuse_large(body).await);
    }
    held.add(first.len())?;
    let whole = match body.is_end_stream() {
        true => first,
        false => {
            let mut whole = Vec::with_capacity(said.map_or(8 * 1024, |n| n as usize));
            whole.extend_from_slice(&first);
            while let Some(more) = next(body).await? {
                if whole.len() + more.len() > BODY_LIMIT_BYTES {
                    return Err(refuse_large(body).await);
                }
                held.add(more.len())?;
                whole.extend_from_slice(&more);
            }
            whole.into()
        }
    };
    match is_json || whole.is_empty() {
        true => Ok(whole),
        false => Err(Refusal::new(
            Code::UnsupportedMediaType,
            "the body is not said to be JSON: send it with Content-Type: application/json",
        )),
    }
}

/// What is read of a body beyond the limit, and thrown away, before it is refused.
const SWALLOWED_LIMIT_BYTES: usize = 8 * BODY_LIMIT_BYTES;
/// And for how long.
const SWALLOW_PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// Reads on a while before it refuses: a connection that is closed on one who still sends is
/// reset, and the refusal is lost with it.
async fn refuse_large(body: &mut Incoming) -> Refusal {
    let swallow = async {
        let mut swallowed = 0;
        while swallowed < SWALLOWED_LIMIT_BYTES {
            match next(body).await {
                Ok(Some(more)) => swallowed += more.len(),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // Who pauses longer than this is told now.
    let _ = tokio::time::timeout(SWALLOW_PATIENCE, swallow).await;
    too_large()
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_trailers) => continue,
            },
            Some(Err(error)) => {
                return Err(Refusal::invalid(format!(
                    "the body broke off or is not framed as HTTP says ({error}): send it again"
                )));
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn too_large() -> Refusal {
    Refusal::new(
        Code::BodyTooLarge,
        "the body is over 1 MiB, which is more than any request needs: send less at a time",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_cache::TokenRow;
    use usher_core::people::LocalAccounts;

    use crate::auth::TokenBook;

    fn row() -> TokenRow {
        TokenRow {
            id: "t1".into(),
            hash: [7; 32],
            role: "admin".into(),
            name: String::new(),
            user: None,
            account: None,
            realm: None,
            computer: None,
            created_at: 0,
            expires_at: None,
            revoked_at: None,
        }
    }

    async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        frame.map(|frame| frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test]
    async fn what_is_of_known_length_breaks_off_when_its_token_is_revoked() {
        let book = TokenBook::of(&[row()], LocalAccounts::ByComputer);
        let whole = axum::body::Body::from("a backup");
        let mut kept = Body::stream(whole, book.find(&[7; 32]));
        assert_eq!(next(&mut kept).await.unwrap().unwrap(), "a backup");
        let whole = axum::body::Body::from("a backup");
        let mut lost = Body::stream(whole, book.find(&[7; 32]));
        book.revoke("t1");
        let error = next(&mut lost).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("revoked"), "{error}");
        assert!(next(&mut lost).await.is_none());
    }

    #[test]
    fn bodies_that_wait_for_an_answer_hold_only_so_much_and_give_it_back() {
        let bodies = Bodies::default();
        let mut held: Vec<Held<'_>> = Vec::new();
        for _ in 0..64 {
            let mut one = bodies.hold();
            one.add(BODY_LIMIT_BYTES).unwrap();
            held.push(one);
        }
        let mut more = bodies.hold();
        assert!(more.add(1).is_err());
        held.pop();
        more.add(1).unwrap();
        drop((held, more));
        assert_eq!(bodies.0.get(), 0);
    }
}
