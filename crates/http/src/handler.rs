//! The part of a role in handling requests: it answers them.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Response, StatusCode, Uri};

use crate::answer::{Body, Whole};
use crate::head::{FastHead, FastRequest};
use crate::problem::Refusal;
use crate::request_id::{NamedRequest, REQUEST_ID, RequestId};
use crate::watch::ConnectionWatch;

/// Answers the requests of one thread's connections. Its methods are called by their types: a
/// request passes no pointer to a function and takes no lock here.
pub trait Handler: 'static {
    /// What the handler remembers about a connection between its requests.
    type Remembered: Default + 'static;
    /// What the handler notes about a request besides its answer, such as the route.
    type Note;
    /// What the handler finds out about a request of the fast path from its head.
    type Fast;

    /// Answers one request. A panic in it ends this request alone.
    fn answer(
        &self,
        way: &Way<Self::Remembered>,
        id: &RequestId,
        request: hyper::Request<Incoming>,
    ) -> impl Future<Output = (Self::Note, Result<Response<Body>, Refusal>)>;

    /// Whether a request is for the fast path, as far as its head tells: its sender is known and may
    /// send its body, which is small, and its answer is complete. None: [`Handler::answer`] answers
    /// or refuses it, and all that follow on its connection.
    fn fast(&self, way: &Way<Self::Remembered>, head: &FastHead<'_>) -> Option<Self::Fast>;

    /// Answers a request of the fast path. A panic in it ends this request alone.
    fn answer_fast(
        &self,
        way: &Way<Self::Remembered>,
        id: &RequestId,
        fast: Self::Fast,
        request: &FastRequest<'_>,
    ) -> impl Future<Output = (Self::Note, Result<Whole, Refusal>)>;

    /// The answer to a request in which the handler panicked.
    fn panicked(&self) -> (Self::Note, Refusal);

    /// Told when a request is answered.
    fn answered(&self, _answered: Answered<Self::Note>) {}

    /// Told when a connection has come to this thread.
    fn accepted(&self) {}

    /// A connection has broken before its first request.
    fn broke(&self, _peer: IpAddr, _error: &io::Error) {}

    /// Told once a second; how many seconds have passed since this thread began.
    fn second(&self, _second: u32) {}

    /// Told how many requests are still being answered while the loop drains.
    fn left(&self, _requests: u64) {}

    /// Completes when no more connections are to be accepted.
    fn stopping(&self) -> impl Future<Output = ()>;
}

/// The connection by which a request came.
#[derive(Debug)]
pub struct Way<M> {
    /// The watch over the connection.
    pub watch: Rc<ConnectionWatch>,
    /// What the handler remembers about the connection.
    pub remembered: RefCell<M>,
    /// The address of the client.
    pub peer: Option<IpAddr>,
}

/// The outcome of a request.
#[derive(Debug)]
pub struct Answered<N> {
    /// What the handler noted about it.
    pub note: N,
    /// The status of the answer.
    pub status: StatusCode,
    /// The time from its head to its answer.
    pub took: Duration,
}

/// Answers one request of a connection.
pub(crate) async fn answer<H: Handler>(
    handler: &H,
    way: &Way<H::Remembered>,
    request: hyper::Request<Incoming>,
) -> Response<Body> {
    let began = Instant::now();
    let busy = way.watch.busy();
    let headers = request.headers();
    let named = NamedRequest::of(|name| headers.get(name).map(HeaderValue::as_bytes));
    let asked = LoggedRequest(request.method().clone(), request.uri().clone());
    let id = named.id();
    let answered = {
        let answering = pin!(handler.answer(way, id, request));
        work(handler, &asked, id, began, answering).await
    };
    let mut response = answered.unwrap_or_else(|refusal| refusal.into_response_to(Some(id)));
    response
        .headers_mut()
        .insert(REQUEST_ID, named.into_value());
    response.map(|body| body.guarded(busy))
}

/// An answer that is no refusal.
pub(crate) trait Answer {
    /// Its status.
    fn status(&self) -> StatusCode;
}

impl Answer for Response<Body> {
    fn status(&self) -> StatusCode {
        self.status()
    }
}

impl Answer for Whole {
    fn status(&self) -> StatusCode {
        self.status()
    }
}

/// Does the work for one request: names it in the log meanwhile, ends a panic there, and tells the
/// handler when it is done. The work is pinned by the caller: this would hold it twice.
pub(crate) async fn work<H: Handler, A: Answer>(
    handler: &H,
    asked: &impl fmt::Display,
    id: &RequestId,
    began: Instant,
    work: Pin<&mut impl Future<Output = (H::Note, Result<A, Refusal>)>>,
) -> Result<A, Refusal> {
    let answering = pin!(async {
        let work = pin!(async {
            usher_vital::plant::here("request");
            work.await
        });
        // What threads share is locked for single steps, each of which leaves it whole.
        let answered = usher_vital::caught(asked, work).await;
        let (note, answered) = answered.unwrap_or_else(|_| {
            let (note, refusal) = handler.panicked();
            (note, Err(refusal))
        });
        let status = match &answered {
            Ok(answer) => answer.status(),
            Err(refusal) => refusal.status(),
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!("{asked} was answered with an internal error");
        }
        handler.answered(Answered {
            note,
            status,
            took: began.elapsed(),
        });
        answered
    });
    id.through(answering).await
}

/// A request, as the log calls it.
struct LoggedRequest(Method, Uri);

impl fmt::Display for LoggedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1.path())
    }
}
