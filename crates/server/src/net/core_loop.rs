//! The loop of one core: its share of the connections, one thread, no locks among its own.

use std::cell::Cell;
use std::net::TcpStream as StdStream;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use usher_vital::{caught, task};

use crate::base::clock::wall_ms;
use crate::engine::metrics::CoreCounts;
use crate::net::connection;
use crate::net::service::Service;
use crate::net::tls::HTTP2;
use crate::net::watch::Connections;
use crate::state::app::App;
use crate::state::turned_away::distrust;

/// A connection must have said its first word, or shaken hands, within so long.
const HELLO: Duration = Duration::from_secs(30);
/// Requests in flight are given so long when the server stops; then their connections are cut off,
/// before the service's own deadline ends the process by force.
const DRAIN: Duration = Duration::from_secs(8);
/// HTTP/2 says goodbye and waits for the other side's, and who has just come for its request; so
/// long.
const GOODBYE: Duration = Duration::from_secs(1);
/// Threads of one core for what blocks.
const BLOCKING_THREADS: usize = 16;

/// Serves the connections that come through `incoming` until the server stops and they are done.
pub(crate) fn run(
    app: Arc<App>,
    counts: Arc<CoreCounts>,
    incoming: mpsc::UnboundedReceiver<StdStream>,
    tls: Option<TlsAcceptor>,
) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build_local(LocalOptions::default())?;
    usher_vital::tasks(|| runtime.block_on(serve(app, counts, incoming, tls)));
    // What blocks on a disk that hangs must not keep the server from stopping.
    runtime.shutdown_background();
    Ok(())
}

async fn serve(
    app: Arc<App>,
    counts: Arc<CoreCounts>,
    mut incoming: mpsc::UnboundedReceiver<StdStream>,
    tls: Option<TlsAcceptor>,
) {
    let service = Rc::new(Service::new(app.clone(), counts));
    let connections = Rc::new(Connections::default());
    tokio::task::spawn_local(task("hopper", service.core.hopper.clone().run()));
    tokio::task::spawn_local(task("sweep", sweep(service.clone(), connections.clone())));
    let greeted = Rc::new(Cell::new(0));
    while let Some(stream) = incoming.recv().await {
        usher_vital::plant::thread();
        let greeting = Greeting::new(&greeted);
        let served = one(
            service.clone(),
            connections.clone(),
            greeting,
            stream,
            tls.clone(),
        );
        let app = app.clone();
        tokio::task::spawn_local(async move {
            let _open = Open(app);
            // Its log line says what happened; whoever was connected sees the end.
            let _ = caught("a connection", pin!(served)).await;
        });
    }
    // The acceptor has gone: the server stops.
    let counts = &service.core.counts;
    connections.drain();
    let began = Instant::now();
    while connections.len() + greeted.get() > 0 && began.elapsed() < DRAIN {
        counts
            .in_flight
            .store(connections.active(), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(10)).await;
        // One may have been shaking hands when the others were told.
        connections.drain();
        if began.elapsed() > GOODBYE {
            connections.end_idle();
        }
    }
    counts.in_flight.store(0, Ordering::Relaxed);
}

/// Looks after slow connections and late answers once a second.
async fn sweep(service: Rc<Service>, connections: Rc<Connections>) {
    let began = Instant::now();
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let second = u32::try_from(began.elapsed().as_secs()).unwrap_or(u32::MAX);
        service.core.hopper.tick(second);
        connections.sweep(second);
    }
}

/// A connection, counted until it is gone.
struct Open(Arc<App>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that has not said its first word.
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

async fn one(
    service: Rc<Service>,
    connections: Rc<Connections>,
    greeting: Greeting,
    stream: StdStream,
    tls: Option<TlsAcceptor>,
) {
    let app = service.core.app.clone();
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
        () = async { app.stopping().await; tokio::time::sleep(GOODBYE).await } => return,
    };
    drop(greeting);
    match said {
        Ok(Ok(Spoken::Plain(is_http2, stream))) => {
            connection::serve(service, connections, stream, peer, is_http2).await;
        }
        Ok(Ok(Spoken::Tls(stream))) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
            connection::serve(service, connections, *stream, peer, is_http2).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection broke before its first request");
            if let (Some(peer), Some(why)) = (peer, distrust(&error)) {
                app.door.note(peer, why, None, wall_ms());
            }
        }
        Err(_) => tracing::debug!("a connection said nothing in time"),
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
