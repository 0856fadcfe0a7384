//! `GET /v1/events`: what happens, as it happens (server-sent events).

use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::Uri;
use hyper::body::{Body as HttpBody, Bytes, Frame};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;
use tokio::sync::mpsc;
use usher_api::Problem;

use super::Caller;
use crate::access::auth::Principal;
use crate::engine::feed::{Item, Listener};
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;

/// After this time without an event a comment is sent, so that a broken connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many pieces may wait for a listener's connection.
const AHEAD: usize = 16;

#[derive(Deserialize)]
struct Query {
    only: Option<Only>,
}

/// What a stream is restricted to.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Only {
    /// Comments alone: for who wants to know whether the server still answers. Events would cost both
    /// of them much of a busy server's time.
    Heartbeat,
}

/// A stream of what happens, as it becomes durable: `grant`, `checkin`, `expire`, `denial`,
/// `queue`, `state`, `pack`. Each has the event's number as `id` and a JSON object as data.
///
/// A client that reads too slowly gets a `lagged` event with the number that it `missed`, and the
/// stream goes on. Earlier events are not repeated: the server ignores `Last-Event-ID`. A comment
/// comes every 15 s. The stream ends when its token is revoked or expires. For viewers, operators
/// and admins.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "operation",
    params(
        ("only" = Option<String>, Query, description = "`heartbeat`: no events, only the comments"),
    ),
    responses(
        (status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn follow(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query: Query = input::query(&uri)?;
    let listener = match query.only {
        Some(Only::Heartbeat) => None,
        None => Some(app.live.feed.listen()),
    };
    let (to, pieces) = mpsc::channel(AHEAD);
    let forwards = forward(app, caller.who(), listener, to);
    // A panic ends that stream alone.
    tokio::spawn(async { usher_vital::caught("a stream of events", pin!(forwards)).await });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, axum::body::Body::new(Events { pieces })).into_response())
}

async fn forward(
    app: Arc<App>,
    who: Arc<Principal>,
    mut listener: Option<Listener>,
    to: mpsc::Sender<Bytes>,
) {
    // The answer itself ends with its token; one that its reader leaves lying is not written on.
    let mut ended = std::pin::pin!(who.ended());
    let hello = Bytes::from_static(b": listening\n\n");
    if to.send(hello).await.is_err() {
        return;
    }
    loop {
        let piece = tokio::select! {
            item = next(&mut listener) => match item {
                None => return,
                Some(Item::Event(text)) => Bytes::from_owner(Text(text)),
                Some(Item::Missed(missed)) => {
                    format!("event: lagged\ndata: {{\"missed\":{missed}}}\n\n").into()
                }
            },
            () = tokio::time::sleep(HEARTBEAT) => Bytes::from_static(b":\n\n"),
            () = app.stopping() => return,
            () = to.closed() => return,
            _ = &mut ended => return,
        };
        // A listener that does not read is left behind by the feed, not waited for: but it must
        // not keep the server from stopping.
        tokio::select! {
            sent = to.send(piece) => if sent.is_err() {
                return;
            },
            () = app.stopping() => return,
            _ = &mut ended => return,
        }
    }
}

/// What happens next; of who does not listen to that, never anything.
async fn next(listener: &mut Option<Listener>) -> Option<Item> {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}

/// A text that many listeners send.
struct Text(Arc<str>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

struct Events {
    pieces: mpsc::Receiver<Bytes>,
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.pieces
            .poll_recv(cx)
            .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
