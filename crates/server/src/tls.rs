//! TLS from PEM files, with HTTP/2 or HTTP/1.1 as the client prefers.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::{ServerError, TlsFiles};

/// The protocol name of HTTP/2.
pub(crate) const HTTP2: &[u8] = b"h2";

/// Reads the files.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| unusable("--tls-cert", &files.cert, &error))?;
    if chain.is_empty() {
        return Err(unusable(
            "--tls-cert",
            &files.cert,
            &"it has no certificate",
        ));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| unusable("--tls-key", &files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable("--tls-cert and --tls-key", &files.cert, &error))?;
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unusable(option: &str, path: &Path, why: &dyn std::fmt::Display) -> ServerError {
    ServerError::Usage(format!(
        "cannot use {} as {option}: {why}: give PEM files of a certificate chain and its key",
        path.display()
    ))
}
