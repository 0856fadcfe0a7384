//! Why a call has no answer, in words, with what cures it.

use std::error::Error;

/// The innermost cause: "Connection refused" says more than "error sending request". What TLS has
/// to say is said in words, with what cures it.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    if let Some(told) = usher_tls::told(error) {
        return told.to_string();
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
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

    use crate::Health;
    use crate::client::{Client, ClientError, Endpoint};

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
