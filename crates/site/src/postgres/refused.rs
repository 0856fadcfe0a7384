//! Why a connection to PostgreSQL was not made, with what to do, if TLS is the reason.

use std::io;

use rustls::{AlertDescription, CertificateError};

use super::failure;

/// What the server says, with what to do if it has no TLS or wants a certificate.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    let said = failure::words(error);
    if said.contains("server does not support TLS") {
        return "it has no TLS (its setting ssl is off): switch it on there, or write \
                sslmode=disable in the URL if the way to it is safe"
            .to_owned();
    }
    if said.contains("requires a valid client certificate") {
        return format!("{said}: name one by sslcert=FILE and sslkey=FILE in the URL");
    }
    // What a server has against a client's certificate comes behind the handshake, from TLS 1.3 on.
    let mut under = std::error::Error::source(error);
    while let Some(cause) = under {
        if let Some(told) = cause.downcast_ref::<io::Error>().and_then(of_tls) {
            return told;
        }
        under = cause.source();
    }
    said
}

/// A failed handshake in words; what is not known stays as it is.
pub(super) fn explained(error: io::Error) -> io::Error {
    of_tls(&error).map_or(error, io::Error::other)
}

fn of_tls(error: &io::Error) -> Option<String> {
    told(error.get_ref()?.downcast_ref::<rustls::Error>()?)
}

fn told(error: &rustls::Error) -> Option<String> {
    let text = match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => {
                "its certificate is of an authority that is not trusted here: name its authority by \
                 sslrootcert=FILE in the URL"
                    .to_owned()
            }
            CertificateError::NotValidForName => {
                "its certificate is for another name than the URL's host: write a name in the URL \
                 that is in the certificate"
                    .to_owned()
            }
            CertificateError::NotValidForNameContext {
                expected,
                presented,
            } => format!(
                "its certificate is for {}, and not for {}: write a name in the URL that is in the \
                 certificate",
                presented.join(", "),
                expected.to_str(),
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired: renew it there".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet: compare the clocks of both computers".to_owned()
            }
            other => format!("its certificate is not accepted ({other}): renew it there"),
        },
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => {
                "it wants a certificate: name one by sslcert=FILE and sslkey=FILE in the URL"
                    .to_owned()
            }
            AlertDescription::UnknownCA => {
                "it does not trust the authority of the sslcert: its setting ssl_ca_file has to name \
                 that authority"
                    .to_owned()
            }
            other => format!("it refused TLS ({other:?}): its log says why"),
        },
        _ => return None,
    };
    Some(text)
}
