//! Parsers of options that several roles have: addresses, TLS files, URLs.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::failure::Failure;

/// Reads an address to listen on.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| {
        format!(
            "{text:?} is no address to listen on; write an IP address and a port, such as \
             127.0.0.1:8470, 0.0.0.0:8470 or [::1]:8470"
        )
    })
}

/// Reads the URL of something that is fetched or opened in a browser.
pub(crate) fn web_address(text: &str) -> Result<String, String> {
    let is_url = |scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    };
    match is_url("https://") || is_url("http://") {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} is no URL; write it like https://ops.example.org/beat"
        )),
    }
}

/// The certificate and key files, if both are given. One alone is refused: the traffic would go
/// unencrypted although it was meant to be protected.
pub(crate) fn tls_files(
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    let alone = |given: &str, file: PathBuf, missing: &str| {
        Failure::usage(format!(
            "{given} {} is given without {missing}",
            file.display()
        ))
        .next("Give the certificate and its key, or neither.")
    };
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some((cert, key))),
        (Some(cert), None) => Err(alone("--tls-cert", cert, "--tls-key")),
        (None, Some(key)) => Err(alone("--tls-key", key, "--tls-cert")),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_is_an_ip_address_with_a_port() {
        assert_eq!(address("127.0.0.1:0"), Ok(([127, 0, 0, 1], 0).into()));
        for text in ["localhost:8470", "8470", "127.0.0.1", "", "[::1]"] {
            let why = address(text).unwrap_err();
            assert!(why.starts_with(&format!("{text:?} is no address")), "{why}");
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_refused_and_not_left_out() {
        let file = || Some(PathBuf::from("/etc/usher/tls/server.pem"));
        assert_eq!(tls_files(None, None).unwrap(), None);
        assert!(tls_files(file(), file()).unwrap().is_some());
        insta::assert_snapshot!(tls_files(file(), None).unwrap_err(), @r"
        usher: --tls-cert /etc/usher/tls/server.pem is given without --tls-key
          Give the certificate and its key, or neither.
        ");
        assert_eq!(tls_files(None, file()).unwrap_err().code(), 2);
    }
}
