//! Listening: addresses, who may be spoken to in the clear, and how many connections there may be.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use usher_api::Code;
use usher_platform::process::{self, OpenFiles};

use crate::answer::Body;
use crate::core_loop::Accepted;
use crate::problem::Refusal;
use crate::request_id::{NamedRequest, REQUEST_ID};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Open files of a process that are not connections: its data, its loops, what is read and written.
const OTHER_FILES: u64 = 256;

/// Refuses to listen beyond this computer without TLS unless an option allows it. `where_else` is
/// a further place in which the files of TLS may be named, with a blank before it, or empty.
///
/// # Errors
/// Tokens would travel in the clear: what to do instead.
pub fn must_be_private(
    listen: SocketAddr,
    is_tls: bool,
    is_said: bool,
    where_else: &str,
) -> Result<(), String> {
    if listen.ip().is_loopback() || is_tls || is_said {
        return Ok(());
    }
    Err(format!(
        "other computers can reach {listen}, and tokens would travel unencrypted: give --tls-cert \
         FILE and --tls-key FILE{where_else}, or say --plain-http"
    ))
}

/// One listener, not shared: a second one on the same port must fail.
///
/// # Errors
/// What the system says; [`cannot`] puts it into words.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    usher_platform::net::listen(address, BACKLOG)
}

/// Why an address cannot be listened on, and what to do; `option` is the one that names it.
pub fn cannot(address: SocketAddr, error: &io::Error, option: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "cannot listen on {address}: another program does, maybe another usher: stop it, or \
             choose another port with {option}"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("cannot listen on {address}: {error}: choose a port above 1023 with {option}")
        }
        _ => format!("cannot listen on {address}: {error}: choose another with {option}"),
    }
}

/// Each connection is an open file; the usual limit is for programs that have few. Raises it as far
/// as it goes, and answers how many connections there may be, `at_most` so many.
pub fn raise_open_files(at_most: usize) -> usize {
    let (files, trouble) = process::raise_open_files();
    if let Some(error) = trouble {
        tracing::warn!(%error, "the number of open files cannot be raised");
    }
    match files {
        OpenFiles::Unlimited => at_most,
        OpenFiles::AtMost(files) => usize::try_from(files.saturating_sub(OTHER_FILES))
            .unwrap_or(usize::MAX)
            .clamp(1, at_most),
    }
}

/// Room for a limited number of connections.
#[derive(Debug, Clone)]
pub struct Room {
    places: Arc<Semaphore>,
    limit: usize,
    when_full: WhenFull,
}

/// What happens to a connection if there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is answered with 503 and closed.
    Refused,
    /// It waits to be accepted.
    Waits,
}

impl Room {
    /// Room for `limit` connections, at least one.
    pub fn new(limit: usize, when_full: WhenFull) -> Room {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Room {
            places: Arc::new(Semaphore::new(limit)),
            limit,
            when_full,
        }
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.limit.saturating_sub(self.places.available_permits())
    }
}

/// Accepts for ever, and hands connections to the loops behind `doors` in turn.
pub async fn accept(
    listener: &tokio::net::TcpListener,
    room: &Room,
    doors: &[mpsc::UnboundedSender<Accepted>],
) {
    let mut next = 0;
    loop {
        let kept = match room.when_full {
            WhenFull::Refused => None,
            // Nobody closes the room.
            WhenFull::Waits => room.places.clone().acquire_owned().await.ok(),
        };
        // This loop only accepts: the loop that gets the connection watches it.
        let accepted = listener.accept().await;
        let stream = match accepted.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; trying again");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = kept.or_else(|| room.places.clone().try_acquire_owned().ok()) else {
            turn_away(stream, room.limit);
            continue;
        };
        next = (next + 1) % doors.len();
        // A loop that has ended closes it.
        let _ = doors[next].send(Accepted { stream, place });
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Answers a connection for which there is no room with 503, as far as its buffer takes it.
fn turn_away(mut stream: TcpStream, limit: usize) {
    let named = NamedRequest::made();
    let refusal = Refusal::new(
        Code::Busy,
        format!("{limit} connections are open, which is the limit: try again in a moment"),
    );
    let response = refusal.into_response_to(Some(named.id()));
    let Body::Whole(Some(body)) = response.body() else {
        return;
    };
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nretry-after: 1\r\n{REQUEST_ID}: {}\r\nconnection: close\r\n\r\n",
        body.len(),
        named.id()
    );
    // It is closed either way.
    let _ = stream.write_all(&[head.as_bytes(), &body[..]].concat());
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn one_connection_too_many_is_told_so_and_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        turn_away(listener.accept().unwrap().0, 7);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert!(head.contains("retry-after: 1"), "{head}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{head}");
        let problem: usher_api::Problem = serde_json::from_str(body).unwrap();
        assert!(problem.is(Code::Busy) && problem.detail.contains("7 connections"));
        let id = problem.request_id.unwrap();
        assert!(head.contains(&format!("x-request-id: {id}\r\n")), "{head}");
    }

    #[test]
    fn who_is_elsewhere_is_spoken_to_in_the_clear_only_if_that_was_said() {
        let (here, elsewhere) = (
            "127.0.0.1:1".parse().unwrap(),
            "192.0.2.1:1".parse().unwrap(),
        );
        assert!(must_be_private(here, false, false, "").is_ok());
        assert!(must_be_private(elsewhere, true, false, "").is_ok());
        assert!(must_be_private(elsewhere, false, true, "").is_ok());
        let why = must_be_private(elsewhere, false, false, " (there)").unwrap_err();
        assert!(
            why.contains("--tls-key FILE (there), or say --plain-http"),
            "{why}"
        );
    }

    #[test]
    fn a_taken_port_is_said_to_be_taken() {
        let taken = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = taken.local_addr().unwrap();
        let why = cannot(address, &bind(address).unwrap_err(), "--listen");
        assert!(
            why.contains("another program does") && why.contains("--listen"),
            "{why}"
        );
    }
}
