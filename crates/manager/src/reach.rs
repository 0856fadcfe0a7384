//! Why a request got no answer: nobody listens, there is no way there, or somebody took the
//! connection and said nothing.
//!
//! Whether a connection was taken is seen by TCP alone. With TLS the handshake comes next, which is
//! an answer of the server's process: one that is frozen takes connections, for the kernel does, and
//! shakes no hands.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use usher_core::health::ApiAnswer;

/// How long establishing a connection may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take, that of TLS included.
pub(crate) const ANSWER: Duration = Duration::from_secs(5);

/// The ways in which there was no answer.
pub(crate) enum NoAnswer {
    None(ApiAnswer),
    /// Something accepted the connection and closed it, or did not speak HTTP.
    Odd(ApiAnswer),
}

/// What an error means. `names_authority`: the client trusts a named authority besides the system's
/// own.
pub(crate) async fn no_answer(error: &reqwest::Error, names_authority: bool) -> NoAnswer {
    if error.is_timeout() {
        return NoAnswer::None(too_late(error).await);
    }
    let kind = io_kind(error);
    if error.is_connect() {
        return NoAnswer::None(match kind {
            Some(io::ErrorKind::ConnectionRefused) => ApiAnswer::Refused,
            _ => ApiAnswer::NoConnection(innermost_to(error, names_authority)),
        });
    }
    if speaks_no_http(error) {
        return NoAnswer::Odd(ApiAnswer::Strange("it speaks no HTTP".to_owned()));
    }
    NoAnswer::Odd(match kind {
        // It went away in the middle of the answer: nobody is there any more.
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => ApiAnswer::Refused,
        _ if error.is_request() => ApiAnswer::Refused,
        _ => ApiAnswer::Strange(innermost(error)),
    })
}

/// What a timeout means: of the connection, or of the answer on one.
async fn too_late(error: &reqwest::Error) -> ApiAnswer {
    let Some(url) = error.url() else {
        return ApiAnswer::Silent(ANSWER);
    };
    let is_taken = match url.scheme() {
        // Its time is over in the handshake or before it; another connection tells which.
        "https" => usher_api::takes_connections(url, CONNECT).await,
        _ => !error.is_connect(),
    };
    match is_taken {
        true => ApiAnswer::Silent(ANSWER),
        false if is_here(url).await => ApiAnswer::TakesNone(CONNECT),
        false => ApiAnswer::NoConnection(format!("none came about in {} s", CONNECT.as_secs())),
    }
}

/// Whether an address belongs to this computer, so that no network lies between. A name is not
/// resolved, because that may take long.
async fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip: Option<IpAddr> = match host {
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        host => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok(),
    };
    match ip {
        Some(ip) => tokio::net::UdpSocket::bind((ip, 0)).await.is_ok(),
        None => false,
    }
}

/// Whether the answer is not HTTP, such as the alert with which a TLS server refuses plain HTTP.
fn speaks_no_http(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        let of_http = error.downcast_ref::<hyper::Error>();
        if of_http.is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

/// Why an answer's body is not complete.
pub(crate) enum NotWhole {
    /// It is longer than the limit.
    Endless,
    /// The connection ended before the body.
    Cut(reqwest::Error),
}

impl fmt::Display for NotWhole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotWhole::Endless => f.write_str("an answer without an end"),
            NotWhole::Cut(error) => f.write_str(&innermost(error)),
        }
    }
}

/// Reads an answer's body, up to a limit.
pub(crate) async fn whole(
    response: &mut reqwest::Response,
    limit_bytes: usize,
) -> Result<Vec<u8>, NotWhole> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(NotWhole::Cut)? {
        if body.len() + piece.len() > limit_bytes {
            return Err(NotWhole::Endless);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The innermost cause of an error; errors of TLS in words, with what helps.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    innermost_to(error, false)
}

fn innermost_to(error: &reqwest::Error, names_authority: bool) -> String {
    let told = match names_authority {
        true => usher_tls::told_to_who_names_an_authority(error),
        false => usher_tls::told(error),
    };
    if let Some(told) = told {
        return told.to_string();
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::health::WorkSeen;

    use crate::probe::Prober;

    async fn looked_at(url: &str) -> ApiAnswer {
        let look = Prober::new(None).unwrap().look("alpha", url, "token").await;
        assert_eq!(look.work, WorkSeen::NotTried);
        look.api
    }

    /// As the kernel does for a server that is frozen: connections are taken, and nobody reads.
    #[tokio::test]
    async fn who_takes_a_connection_and_answers_nothing_is_silent_with_tls_and_without() {
        let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = frozen.local_addr().unwrap();
        let (plain, secure) = (format!("http://{address}"), format!("https://{address}"));
        let (plain, secure) = tokio::join!(looked_at(&plain), looked_at(&secure));
        assert_eq!(plain, ApiAnswer::Silent(ANSWER));
        assert_eq!(secure, ApiAnswer::Silent(ANSWER));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_of_this_computer_whose_queue_is_full_is_not_said_to_be_out_of_reach() {
        use tokio::net::{TcpSocket, TcpStream};
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let frozen = socket.listen(1).unwrap();
        let address = frozen.local_addr().unwrap();
        // What nobody accepts fills the queue; then no connection comes about.
        let mut taken = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
        {
            taken.push(stream);
            assert!(taken.len() < 64, "the queue has no end");
        }
        let (plain, secure) = (format!("http://{address}"), format!("https://{address}"));
        let (plain, secure) = tokio::join!(looked_at(&plain), looked_at(&secure));
        assert_eq!(plain, ApiAnswer::TakesNone(CONNECT));
        assert_eq!(secure, ApiAnswer::TakesNone(CONNECT));
    }

    #[tokio::test]
    async fn where_nobody_listens_that_is_said_with_tls_and_without() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        for scheme in ["http", "https"] {
            assert_eq!(
                looked_at(&format!("{scheme}://{address}")).await,
                ApiAnswer::Refused
            );
        }
    }
}
