//! The errors of TLS in words, each with what cures it.

use std::error::Error;
use std::io;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::{AlertDescription, CertificateError, OtherError};

/// What to do for a certificate that clients accept.
pub(crate) const FOR_SERVERS: &str = "`usher tls make --name NAME` makes one that clients accept (docs/tls.md tells how to do it with openssl)";

/// The error if a client does not know the authority that signed a certificate.
const UNTRUSTED: &str = "its certificate is of an authority that is not trusted here";

/// An error of TLS in words, and its cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub cure: String,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.cure)
    }
}

/// What a client's error means, if it is one of TLS; none if it is not.
pub fn told(error: &(dyn Error + 'static)) -> Option<Told> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = of_tls(error) {
            return Some(explain(found));
        }
        cause = error.source();
    }
    None
}

/// The same for a client that trusts a named authority: the server's is another one.
pub fn told_to_who_names_an_authority(error: &(dyn Error + 'static)) -> Option<Told> {
    let told = told(error)?;
    if told.what != UNTRUSTED {
        return Some(told);
    }
    Some(Told {
        cure: "the file of --ca-file (ca-file in usher.toml) holds another authority: give this \
               server's with --ca-file FILE, the ca.pem that `usher tls make` wrote for it"
            .to_owned(),
        ..told
    })
}

/// Whether an error shows that the other side speaks TLS, although the connection failed.
pub fn is_spoken(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = of_tls(error) {
            return !matches!(found, rustls::Error::InvalidMessage(_));
        }
        cause = error.source();
    }
    false
}

/// An error of the system may carry one of TLS, which is not among its sources then.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let carried = || {
        let carried = error.downcast_ref::<io::Error>()?.get_ref()?;
        // What carries may itself be carried.
        let carried: &(dyn Error + 'static) = carried;
        carried
            .downcast_ref::<rustls::Error>()
            .or_else(|| of_tls(carried))
    };
    error.downcast_ref::<rustls::Error>().or_else(carried)
}

fn explain(error: &rustls::Error) -> Told {
    let (what, cure) = match error {
        rustls::Error::InvalidCertificate(why) => of_certificate(why),
        rustls::Error::InvalidMessage(_) => (
            "what answers there does not speak TLS".to_owned(),
            "write http:// if it is plain HTTP on this computer; if not, start the server with \
             --tls-cert and --tls-key"
                .to_owned(),
        ),
        rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        ) => (
            format!("the server and this client have no TLS version or cipher in common ({error})"),
            "it has to speak TLS 1.2 or 1.3".to_owned(),
        ),
        rustls::Error::AlertReceived(alert) => (
            format!("the server ended the TLS connection ({alert:?})"),
            "look at the server's log".to_owned(),
        ),
        other => (
            format!("TLS failed ({other})"),
            "`usher doctor` looks at what may be wrong".to_owned(),
        ),
    };
    Told { what, cure }
}

fn of_certificate(error: &CertificateError) -> (String, String) {
    const ANOTHER: &str = "make another there: `usher tls make --name NAME --renew`";
    match error {
        CertificateError::UnknownIssuer => (
            UNTRUSTED.to_owned(),
            "name the authority's certificate with --ca-file FILE or as ca-file in usher.toml: the \
             ca.pem that `usher tls make` wrote, or your organisation's"
                .to_owned(),
        ),
        CertificateError::BadSignature => (
            "its certificate was signed by another authority, of the same name as the one that is \
             trusted here"
                .to_owned(),
            "fetch the server's ca.pem again and name it with --ca-file".to_owned(),
        ),
        CertificateError::NotValidForName => (
            "its certificate does not have the name in the URL".to_owned(),
            format!("use a name of its certificate in the URL, or {ANOTHER}"),
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<String> = presented.iter().map(|name| plain_name(name)).collect();
            let asked = expected.to_str();
            (
                format!(
                    "its certificate is for {}, and not for {asked}",
                    names_in_words(&names)
                ),
                format!("use a name of its certificate in the URL, or {ANOTHER}"),
            )
        }
        CertificateError::Expired => (
            "its certificate has expired, by this computer's clock".to_owned(),
            format!("{ANOTHER}; or set this computer's clock"),
        ),
        CertificateError::ExpiredContext { not_after, .. } => (
            format!(
                "its certificate expired on {}, by this computer's clock",
                day(i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX))
            ),
            format!("{ANOTHER}; or set this computer's clock"),
        ),
        CertificateError::NotValidYet => (
            "its certificate is not valid yet, by this computer's clock".to_owned(),
            "set this computer's clock, or the server's and make another certificate there"
                .to_owned(),
        ),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!(
                "its certificate is valid from {} on, by this computer's clock",
                day(i64::try_from(not_before.as_secs()).unwrap_or(i64::MAX))
            ),
            "set this computer's clock, or the server's and make another certificate there"
                .to_owned(),
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            "its certificate is not for servers (its extended key usage does not name serverAuth)"
                .to_owned(),
            on_the_server(),
        ),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            "its certificate is signed by an algorithm that is not accepted, such as SHA-1".to_owned(),
            on_the_server(),
        ),
        CertificateError::Other(other) => of_other(other),
        other => (
            format!("its certificate is not accepted ({other})"),
            on_the_server(),
        ),
    }
}

/// Errors of the certificate reader for which TLS has no word of its own.
fn of_other(other: &OtherError) -> (String, String) {
    let what = match other.0.downcast_ref::<webpki::Error>() {
        Some(webpki::Error::CaUsedAsEndEntity) => {
            "its certificate is an authority's (CA:TRUE, as `openssl req -x509` makes them), which \
             is not accepted as a server's"
        }
        Some(webpki::Error::UnsupportedCertVersion) => {
            "its certificate is of X.509 version 1, which cannot have names"
        }
        Some(webpki::Error::EndEntityUsedAsCa) => {
            "its certificate was signed with one that is not an authority's"
        }
        _ => {
            return (
                format!("its certificate is not accepted ({other})"),
                on_the_server(),
            );
        }
    };
    (what.to_owned(), on_the_server())
}

fn on_the_server() -> String {
    format!("on the server, {FOR_SERVERS}")
}

/// `DnsName("a.example")` and `IpAddress(10.0.0.7)`, as certificates are read, as people write them.
pub(crate) fn plain_name(presented: &str) -> String {
    let inner = presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    let name = inner.unwrap_or(presented).trim_matches('"');
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => name.to_owned(),
    }
}

/// `a`, `a and b`, `a, b and c`; of many the first few.
pub(crate) fn names_in_words(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names {
        [] => "no name at all".to_owned(),
        [one] => one.clone(),
        [most @ .., last] if names.len() <= SHOWN => format!("{} and {last}", most.join(", ")),
        many => format!(
            "{} and {} others",
            many[..SHOWN].join(", "),
            many.len() - SHOWN
        ),
    }
}

/// A day of the calendar, in UTC as certificates have it.
pub(crate) fn day(unix_s: i64) -> String {
    match Timestamp::from_second(unix_s) {
        Ok(at) => at.to_zoned_datetime(TimeZone::UTC).date().to_string(),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_people_do() {
        for (presented, plain) in [
            ("DnsName(\"a.example\")", "a.example"),
            ("IpAddress(10.0.0.7)", "10.0.0.7"),
            ("IpAddress(0::1)", "::1"),
            ("a.example", "a.example"),
        ] {
            assert_eq!(plain_name(presented), plain);
        }
        let names: Vec<String> = (1..=9).map(|n| format!("n{n}")).collect();
        assert_eq!(names_in_words(&[]), "no name at all");
        assert_eq!(names_in_words(&names[..1]), "n1");
        assert_eq!(names_in_words(&names[..3]), "n1, n2 and n3");
        assert_eq!(
            names_in_words(&names),
            "n1, n2, n3, n4, n5, n6 and 3 others"
        );
    }

    #[test]
    fn an_error_that_the_system_carries_is_found() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let carried = io::Error::other(io::Error::other(tls));
        let told = told(&carried).unwrap();
        assert!(told.what.contains("not trusted here"), "{told}");
        assert_eq!(super::told(&io::Error::other("else")), None);
    }
}
