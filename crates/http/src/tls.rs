//! TLS from PEM files, with HTTP/2 or HTTP/1.1 as the client prefers.

use std::net::IpAddr;

use tokio_rustls::TlsAcceptor;
use usher_tls::ServerFiles;

/// The protocol name of HTTP/2.
pub(crate) const HTTP2: &[u8] = b"h2";

/// The certificate of a server, ready for handshakes.
pub struct Shown {
    /// Accepts TLS connections.
    pub acceptor: TlsAcceptor,
    /// When the certificate expires, in Unix seconds.
    pub ends_s: i64,
}

/// Reads the files, and tells the log what clients may stumble over.
///
/// # Errors
/// The files cannot be used: why, and what cures it.
pub fn read(files: &ServerFiles, listen: IpAddr) -> Result<Shown, String> {
    let (config, identity) = files.read().map_err(|refused| refused.to_string())?;
    tracing::info!(
        names = identity.names.join(" "),
        until = identity.last_day(),
        "the certificate"
    );
    let now_s = jiff::Timestamp::now().as_second();
    for notice in identity.notices(now_s, listen) {
        tracing::warn!("{notice}");
    }
    Ok(Shown {
        acceptor: TlsAcceptor::from(config),
        ends_s: identity.not_after,
    })
}
