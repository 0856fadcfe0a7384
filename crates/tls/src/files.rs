//! The PEM files of a server, and those of the authorities that a client trusts.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error_text::day;
use crate::judge::{self, Identity};

/// A chain or a key is a few thousand bytes; a whole bundle of authorities is less than this.
const LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// The protocols that a server speaks over TLS, as it prefers them.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where a server's certificate chain and its key are (PEM).
#[derive(Debug, Clone)]
pub struct ServerFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
}

/// Why files cannot be used, with what cures it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {} as {option}: {why}: {cure}", .path.display())]
pub struct Refused {
    /// The option that named the file.
    pub option: &'static str,
    /// The file that cannot be used.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
    /// What to do.
    pub cure: String,
}

impl ServerFiles {
    /// Reads both; what a server speaks TLS by, and what its clients will see.
    ///
    /// # Errors
    /// A file cannot be read, the two do not belong together, or no client will take them.
    pub fn read(&self) -> Result<(Arc<rustls::ServerConfig>, Identity), Refused> {
        let chain = self.chain()?;
        let identity = judge::identity(&chain).map_err(|flaw| Refused {
            option: "--tls-cert",
            path: self.cert.clone(),
            why: flaw.why,
            cure: flaw.cure,
        })?;
        let key = self.key()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| self.key_refused(&error))?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok((Arc::new(config), identity))
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Refused> {
        let refused = |why: String, cure: &str| Refused {
            option: "--tls-cert",
            path: self.cert.clone(),
            why,
            cure: cure.to_owned(),
        };
        let text = read(&self.cert).map_err(|error| refused(error.to_string(), &access(&error)))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(|error| {
            refused(
                format!("it is not PEM ({error})"),
                "give a PEM file, which begins with -----BEGIN CERTIFICATE-----",
            )
        })?;
        match chain.is_empty() {
            false => Ok(chain),
            true if is_key(&text) => Err(refused(
                "it holds a key and no certificate".to_owned(),
                "--tls-cert is the certificate, --tls-key its key",
            )),
            true => Err(refused(
                "it holds no certificate".to_owned(),
                "give a PEM file, which begins with -----BEGIN CERTIFICATE-----",
            )),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, Refused> {
        let refused = |why: &str, cure: &str| Refused {
            option: "--tls-key",
            path: self.key.clone(),
            why: why.to_owned(),
            cure: cure.to_owned(),
        };
        let text = read(&self.key).map_err(|error| refused(&error.to_string(), &access(&error)))?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
            if holds(&text, "ENCRYPTED") {
                return refused(
                    "the key is encrypted with a passphrase, which nobody is there to type when \
                     the server starts",
                    "write it without one: `openssl pkey -in KEY -out PLAIN.key`, and keep that \
                     file readable to the server alone",
                );
            }
            if holds(&text, "BEGIN CERTIFICATE") {
                return refused(
                    "it holds a certificate and no key",
                    "--tls-cert is the certificate, --tls-key its key",
                );
            }
            refused(
                "it holds no key",
                "give a PEM file, which begins with -----BEGIN PRIVATE KEY-----",
            )
        })
    }

    fn key_refused(&self, error: &rustls::Error) -> Refused {
        let (why, cure) = match error {
            rustls::Error::InconsistentKeys(_) => (
                format!("it is not the key of {}", self.cert.display()),
                "give the key that the certificate was made with; the server's own certificate \
                 comes first in its chain",
            ),
            other => (
                other.to_string(),
                "use a key of ECDSA P-256 or P-384, Ed25519, or RSA from 2048 bits on",
            ),
        };
        Refused {
            option: "--tls-key",
            path: self.key.clone(),
            why,
            cure: cure.to_owned(),
        }
    }
}

/// Checks that a file of authorities holds at least one that can be trusted.
///
/// # Errors
/// It holds none: whoever trusted it would trust nobody, without a word.
pub fn authorities(pem: &[u8]) -> Result<(), String> {
    let cure =
        "give the certificate of the authority (PEM), such as the ca.pem of `usher tls make`";
    let found: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| format!("it is not PEM ({error}): {cure}"))?;
    if found.is_empty() {
        return Err(match is_key(pem) {
            true => format!("it holds a key and no certificate: {cure}"),
            false => format!("it holds no certificate: {cure}"),
        });
    }
    match found.iter().find_map(|der| judge::unusable_authority(der)) {
        Some(why) => Err(format!("{why}: {cure}")),
        None => Ok(()),
    }
}

/// What clients will see of a certificate with its chain (PEM).
///
/// # Errors
/// It is no certificate, or no client will accept it; says why, and what to do.
pub fn identity(pem: &[u8]) -> Result<Identity, String> {
    let chain: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| format!("it is not PEM ({error})"))?;
    judge::identity(&chain).map_err(|flaw| format!("{}: {}", flaw.why, flaw.cure))
}

/// The authority in a file of certificates (PEM).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFile {
    /// Whether the file holds its certificate alone, and none of a server before it.
    pub is_alone: bool,
    /// When it ends, in Unix seconds.
    pub not_after: i64,
}

impl InFile {
    /// When it ends, as a day.
    pub fn last_day(&self) -> String {
        day(self.not_after)
    }
}

/// The certificate of an authority in a file: the one at the end of a chain or, in a file that has
/// only certificates of authorities, the one that expires first. `None` if there is none.
pub fn authority(pem: &[u8]) -> Option<InFile> {
    let chain: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.ok()?;
    let ends: Vec<Option<i64>> = chain.iter().map(judge::authority_end).collect();
    let all: Option<Vec<i64>> = ends.iter().copied().collect();
    match all.and_then(|all| all.into_iter().min()) {
        Some(not_after) => Some(InFile {
            is_alone: true,
            not_after,
        }),
        None => ends.last().copied().flatten().map(|not_after| InFile {
            is_alone: false,
            not_after,
        }),
    }
}

fn access(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "let the server's account read it, or, as a service, \
             have systemd hand it over: `usher service install server --tls-cert FILE --tls-key \
             FILE`"
            .to_owned(),
        io::ErrorKind::NotFound => {
            "give a file that is there; `usher tls make` makes one".to_owned()
        }
        _ => "give PEM files of a certificate chain and its key".to_owned(),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(LIMIT_BYTES + 1)
        .read_to_end(&mut text)?;
    match text.len() as u64 > LIMIT_BYTES {
        true => Err(io::Error::other("it is larger than 4 MiB")),
        false => Ok(text),
    }
}

fn is_key(text: &[u8]) -> bool {
    holds(text, "PRIVATE KEY-----")
}

fn holds(text: &[u8], what: &str) -> bool {
    text.windows(what.len())
        .any(|window| window == what.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, Names, server_pair};

    #[test]
    fn files_that_cannot_be_used_are_told_of_with_the_option_the_reason_and_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new().unwrap();
        let pair = || {
            let names = Names::new(&["a.example".to_owned()]).unwrap();
            server_pair(&authority, names, 90).unwrap()
        };
        let (one, other) = (pair(), pair());
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let cert = file("cert.pem", &one.certificate);
        let key = file("cert.key", &one.key);
        let locked = one.key.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let told = |cert: &Path, key: &Path| {
            let (cert, key) = (cert.to_owned(), key.to_owned());
            let refused = ServerFiles { cert, key }.read().map(drop).unwrap_err();
            let folder = folder.path().display().to_string();
            refused.to_string().replace(&folder, "FOLDER")
        };
        let all = [
            told(&key, &cert),
            told(&cert, &cert),
            told(&cert, &file("other.key", &other.key)),
            told(&cert, &file("locked.key", &locked)),
            told(&cert, &file("empty", "")),
            told(&file("text", "hello"), &key),
            told(&file("ca.pem", authority.certificate()), &key),
            told(&folder.path().join("nowhere"), &key),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        cannot use FOLDER/cert.key as --tls-cert: it holds a key and no certificate: --tls-cert is the certificate, --tls-key its key
        cannot use FOLDER/cert.pem as --tls-key: it holds a certificate and no key: --tls-cert is the certificate, --tls-key its key
        cannot use FOLDER/other.key as --tls-key: it is not the key of FOLDER/cert.pem: give the key that the certificate was made with; the server's own certificate comes first in its chain
        cannot use FOLDER/locked.key as --tls-key: the key is encrypted with a passphrase, which nobody is there to type when the server starts: write it without one: `openssl pkey -in KEY -out PLAIN.key`, and keep that file readable to the server alone
        cannot use FOLDER/empty as --tls-key: it holds no key: give a PEM file, which begins with -----BEGIN PRIVATE KEY-----
        cannot use FOLDER/text as --tls-cert: it holds no certificate: give a PEM file, which begins with -----BEGIN CERTIFICATE-----
        cannot use FOLDER/ca.pem as --tls-cert: it is an authority's certificate (CA:TRUE, as `openssl req -x509` makes them), which clients do not accept as a server's: `usher tls make --name NAME` makes one that clients accept (docs/tls.md tells how to do it with openssl)
        cannot use FOLDER/nowhere as --tls-cert: No such file or directory (os error 2): give a file that is there; `usher tls make` makes one
        ");
        let good = ServerFiles { cert, key };
        assert_eq!(good.read().unwrap().1.names, ["a.example"]);
    }

    #[test]
    fn the_authority_of_a_file_is_found_alone_and_at_the_end_of_a_chain() {
        let trusted = Authority::new().unwrap();
        let names = Names::new(&["a.example".to_owned()]).unwrap();
        let pair = server_pair(&trusted, names, 90).unwrap();
        let own = trusted.certificate();
        let alone = authority(own.as_bytes()).unwrap();
        assert!(alone.is_alone);
        let chain = format!("{}{own}", pair.certificate);
        let of_chain = authority(chain.as_bytes()).unwrap();
        assert_eq!(
            (of_chain.is_alone, &of_chain.not_after),
            (false, &alone.not_after)
        );
        assert!(of_chain.last_day() > pair.last_day);
        for text in [pair.certificate.as_str(), "", "hello", &pair.key] {
            assert_eq!(authority(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_file_of_no_authority_is_refused() {
        let authority = Authority::new().unwrap();
        assert_eq!(authorities(authority.certificate().as_bytes()), Ok(()));
        for text in [String::new(), "hello".to_owned(), authority.key()] {
            assert!(authorities(text.as_bytes()).is_err(), "{text}");
        }
    }
}
