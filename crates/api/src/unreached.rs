//! Why a call got no answer, in words, and what to do.

use std::error::Error;
use std::time::Duration;

use reqwest::Url;
use tokio::net::TcpStream;

/// How long establishing a connection may take, TLS included.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long to test whether the server accepts connections at all.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// The reason if a server accepts connections and does not answer, with or without TLS.
pub(crate) const TAKEN: &str = "it took the connection and has not answered in time";

/// Why there was no answer. It distinguishes a connection that nobody accepts from one that is
/// accepted and not answered. With TLS only a second, plain connection can tell these apart,
/// because the handshake itself needs an answer of the server.
pub(crate) async fn why_no_answer(error: &reqwest::Error, names_authority: bool) -> String {
    if usher_tls::told(error).is_some() || !error.is_timeout() {
        return describe(error, names_authority);
    }
    let is_taken = match error.url() {
        Some(url) if url.scheme() == "https" => takes_connections(url, LOOK_WITHIN).await,
        _ => !error.is_connect(),
    };
    match is_taken {
        true => TAKEN.to_owned(),
        false => format!("no connection came about in {} s", CONNECT_WITHIN.as_secs()),
    }
}

/// Whether a TCP connection to the host of a URL is established within that time.
pub async fn takes_connections(url: &Url, within: Duration) -> bool {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connected = tokio::time::timeout(within, TcpStream::connect((host, port))).await;
    matches!(connected, Ok(Ok(_)))
}

/// The innermost cause: "Connection refused" says more than "error sending request". What TLS has
/// to say is said in words, with what cures it: also to who names an authority to trust.
pub(crate) fn describe(error: &reqwest::Error, names_authority: bool) -> String {
    let told = match names_authority {
        true => usher_tls::told_to_who_names_an_authority(error),
        false => usher_tls::told(error),
    };
    if let Some(told) = told {
        return told.to_string();
    }
    let mut cause: &dyn Error = error;
    let mut is_no_http = false;
    loop {
        // Such as the alert with which a server of TLS refuses plain HTTP.
        is_no_http |= cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_parse);
        match cause.source() {
            Some(source) => cause = source,
            None => break,
        }
    }
    match is_no_http {
        true => format!(
            "what answers there speaks no plain HTTP ({cause}): write https:// if it has a \
             certificate"
        ),
        false => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Duration;

    use reqwest::Url;

    use super::{TAKEN, why_no_answer};
    use crate::Health;
    use crate::client::{Client, ClientError, Endpoint};

    /// Why a request fails that may take a moment only.
    async fn asked_in_a_hurry(url: &str) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_millis(300))
            .timeout(Duration::from_millis(300))
            .tls_certs_only(std::iter::empty());
        let asked = http.build().unwrap().get(url).send().await;
        why_no_answer(&asked.unwrap_err(), false).await
    }

    #[tokio::test]
    async fn a_server_that_takes_connections_and_answers_none_is_told_alike_with_tls_and_without() {
        let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = silent.local_addr().unwrap();
        for scheme in ["http", "https"] {
            assert_eq!(
                asked_in_a_hurry(&format!("{scheme}://{address}/")).await,
                TAKEN
            );
        }
    }

    #[tokio::test]
    async fn a_url_takes_connections_where_somebody_listens() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url: Url = format!("https://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let within = Duration::from_secs(10);
        assert!(super::takes_connections(&url, within).await);
        drop(listener);
        assert!(!super::takes_connections(&url, within).await);
    }

    /// What a client says of a server that answers with these bytes.
    fn told(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1_024]).unwrap();
            stream.write_all(answer).unwrap();
        });
        let client = Client::new(Endpoint::Url(url), None, None).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let asked = runtime.block_on(client.get::<Health>("/v1/health"));
        server.join().unwrap();
        match asked {
            Err(ClientError::Unreachable { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_speaks_no_http_is_said_to_speak_none_whatever_it_sends() {
        let alert = b"\x15\x03\x03\x00\x02\x02\x46";
        for answer in [
            &alert[..],
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"HTTP/1.1 no\r\n\r\n",
        ] {
            let why = told(answer);
            assert!(why.contains("speaks no plain HTTP"), "{answer:?}: {why}");
            assert!(why.contains("https://"), "{why}");
        }
        let cut_off = told(b"");
        assert!(!cut_off.contains("plain HTTP"), "{cut_off}");
    }
}
