//! The loop of one thread: its share of the connections, no locks among its own.

use std::cell::Cell;
use std::net::TcpStream as StdStream;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_rustls::TlsAcceptor;
use usher_vital::caught;

use crate::connection;
use crate::handler::Handler;
use crate::tls::HTTP2;
use crate::watch::Connections;

/// How long a connection may take to send its first bytes, or for the TLS handshake.
const HELLO: Duration = Duration::from_secs(30);
/// HTTP/2 says goodbye and waits for the other side's, and who has just come for its request; so
/// long.
const GOODBYE: Duration = Duration::from_secs(1);
/// An accepted connection with its place, which is given back when the connection ends.
#[derive(Debug)]
pub struct Accepted {
    pub(crate) stream: StdStream,
    pub(crate) place: OwnedSemaphorePermit,
}

/// The loop of one thread, where tasks can be spawned that stay on it (`spawn_local`).
pub struct CoreLoop<H> {
    handler: Rc<H>,
    connections: Rc<Connections>,
}

impl<H: Handler> CoreLoop<H> {
    /// A loop without connections.
    pub fn new(handler: H) -> Rc<CoreLoop<H>> {
        Rc::new(CoreLoop {
            handler: Rc::new(handler),
            connections: Rc::default(),
        })
    }

    /// The handler that answers requests.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// Looks after slow connections once a second, for as long as this is awaited.
    pub async fn sweep(self: Rc<Self>) {
        let began = Instant::now();
        let mut every = tokio::time::interval(Duration::from_secs(1));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let second = u32::try_from(began.elapsed().as_secs()).unwrap_or(u32::MAX);
            self.handler.second(second);
            self.connections.sweep(second);
        }
    }

    /// Serves the connections that come through `incoming` until its other end has gone and they
    /// are done, for `drain` at most: then they are cut off.
    pub async fn serve(
        self: Rc<Self>,
        mut incoming: mpsc::UnboundedReceiver<Accepted>,
        tls: Option<TlsAcceptor>,
        drain: Duration,
    ) {
        let (handler, connections) = (&self.handler, &self.connections);
        let greeted = Rc::new(Cell::new(0));
        while let Some(Accepted { stream, place }) = incoming.recv().await {
            handler.accepted();
            let greeting = Greeting::new(&greeted);
            let served = one(
                handler.clone(),
                connections.clone(),
                greeting,
                stream,
                tls.clone(),
            );
            tokio::task::spawn_local(async move {
                let _place = place;
                // Its log line says what happened; whoever was connected sees the end.
                let _ = caught("a connection", pin!(served)).await;
            });
        }
        // The acceptor has gone: the role stops.
        connections.drain();
        let began = Instant::now();
        while connections.len() + greeted.get() > 0 && began.elapsed() < drain {
            handler.left(connections.active());
            tokio::time::sleep(Duration::from_millis(10)).await;
            // One may have been shaking hands when the others were told.
            connections.drain();
            if began.elapsed() > GOODBYE {
                connections.end_idle();
            }
        }
        handler.left(0);
    }
}

/// A connection that has not sent anything yet.
struct Greeting(Rc<Cell<usize>>);

impl Greeting {
    fn new(greeted: &Rc<Cell<usize>>) -> Greeting {
        greeted.set(greeted.get() + 1);
        Greeting(greeted.clone())
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn one<H: Handler>(
    handler: Rc<H>,
    connections: Rc<Connections>,
    greeting: Greeting,
    stream: StdStream,
    tls: Option<TlsAcceptor>,
) {
    let peer = stream.peer_addr().ok().map(|peer| peer.ip());
    let hello = async {
        let stream = TcpStream::from_std(stream)?;
        stream.set_nodelay(true)?;
        Ok::<_, std::io::Error>(match tls {
            None => Spoken::Plain(speaks_http2(&stream).await?, stream),
            Some(tls) => Spoken::Tls(Box::new(tls.accept(stream).await?)),
        })
    };
    let said = tokio::select! {
        said = tokio::time::timeout(HELLO, hello) => said,
        // Its request may be on its way: it was accepted, so it is answered.
        () = async { handler.stopping().await; tokio::time::sleep(GOODBYE).await } => return,
    };
    drop(greeting);
    match said {
        Ok(Ok(Spoken::Plain(is_http2, stream))) => {
            connection::serve(handler, connections, stream, peer, is_http2).await;
        }
        Ok(Ok(Spoken::Tls(stream))) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
            connection::serve(handler, connections, *stream, peer, is_http2).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection broke before its first request");
            if let Some(peer) = peer {
                handler.broke(peer, &error);
            }
        }
        Err(_) => tracing::debug!("a connection sent nothing in time"),
    }
}

enum Spoken {
    Plain(bool, TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Whether a connection begins as HTTP/2 does. Looks without taking: HTTP/1.1 stays the short way.
async fn speaks_http2(stream: &TcpStream) -> std::io::Result<bool> {
    /// The beginning of HTTP/2's preface (RFC 9113, 3.4), which no method of HTTP/1.1 has.
    const PREFACE: &[u8] = b"PRI * HTTP/2.0";
    let mut seen = [0u8; PREFACE.len()];
    loop {
        let count = stream.peek(&mut seen).await?;
        let is_begun = count > 0 && PREFACE.starts_with(&seen[..count]);
        if count == PREFACE.len() || !is_begun {
            return Ok(is_begun);
        }
        // The rest is on its way; peeking again at once would find the same.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
