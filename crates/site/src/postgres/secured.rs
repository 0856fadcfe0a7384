//! TLS to PostgreSQL, by the workspace's rustls: the certificate is checked, and has the host's name.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

use super::address::ClientPair;
use super::refused;

/// The protocol by which PostgreSQL from version 17 on knows a connection that begins with TLS.
const PROTOCOL: &[u8] = b"postgresql";

/// Makes connections with TLS.
#[derive(Clone)]
pub(super) struct Secured(Arc<rustls::ClientConfig>);

impl Secured {
    /// Trusts the system's authorities, or only those of a file (PEM); shows the server a certificate, if
    /// there is one to show.
    pub(super) fn new(
        authority: Option<&Path>,
        client: Option<&ClientPair>,
    ) -> Result<Secured, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let failed = |error: rustls::Error| format!("cannot set up TLS: {error}");
        let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let builder = match authority {
            Some(file) => builder.with_root_certificates(roots(file)?),
            None => {
                let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(failed)?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let (chain, key) = shown(pair)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    let ClientPair { certificate, key } = pair;
                    let (certificate, key) = (certificate.display(), key.display());
                    format!("the sslcert {certificate} and the sslkey {key} are no pair: {error}")
                })?
            }
        };
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Secured(Arc::new(config)))
    }
}

fn roots(file: &Path) -> Result<rustls::RootCertStore, String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates("sslrootcert", file)? {
        roots
            .add(certificate)
            .map_err(|error| unreadable("sslrootcert", file, &error))?;
    }
    Ok(roots)
}

/// The certificates of a client, its own first, and its private key.
fn shown(
    pair: &ClientPair,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = certificates("sslcert", &pair.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&pair.key)
        .map_err(|error| unreadable("sslkey", &pair.key, &error))?;
    Ok((chain, key))
}

/// All certificates of a file, which has at least one.
fn certificates(parameter: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error| unreadable(parameter, file, &error);
    let all = CertificateDer::pem_file_iter(file).map_err(failed)?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(failed)?;
    match all.is_empty() {
        true => Err(unreadable(parameter, file, &"no certificate is in it")),
        false => Ok(all),
    }
}

fn unreadable(parameter: &str, file: &Path, why: &dyn std::fmt::Display) -> String {
    format!("cannot read the {parameter} {}: {why}", file.display())
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Secured {
    type Stream = Stream<S>;
    type TlsConnect = Handshake;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, Self::Error> {
        Ok(Handshake {
            connector: TlsConnector::from(self.0.clone()),
            name: ServerName::try_from(domain)?.to_owned(),
        })
    }
}

/// A connection that is about to be secured.
pub(super) struct Handshake {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let secured = self.connector.connect(self.name, stream);
        Box::pin(async move {
            let secured = secured.await.map_err(refused::explained)?;
            Ok(Stream(Box::new(secured)))
        })
    }
}

/// A secured connection.
pub(super) struct Stream<S>(Box<client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    /// None: the certificate was checked already.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}
