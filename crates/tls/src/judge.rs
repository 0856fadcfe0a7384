//! What a client will say of a server's certificate, found out before any client asks.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use crate::error_text::{FOR_SERVERS, day, names_in_words, plain_name};

/// From so many days before its end on a certificate's end is told.
const SOON: i64 = 30;
const DAY: i64 = 86_400;

/// Why no client will take a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) why: String,
    pub(crate) cure: String,
}

impl Flaw {
    fn new(why: impl Into<String>) -> Flaw {
        Flaw {
            why: why.into(),
            cure: FOR_SERVERS.to_owned(),
        }
    }
}

/// What clients see of a server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// When it begins to be valid, in Unix seconds.
    pub not_before: i64,
    /// When it ends, in Unix seconds.
    pub not_after: i64,
    /// Whether the chain holds more than the server's own certificate, and does not lead from it.
    is_broken_chain: bool,
}

/// What clients may stumble over, though the certificate itself is sound.
pub type Notice = String;

/// The command that makes a certificate again, if nobody knows in which folder it is.
const RENEW: &str = "usher tls make --renew";

/// Whether a name or an address leads to the computer itself from that computer alone.
pub fn leads_here_alone(name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    name == "localhost" || address.is_some_and(|address| address.is_loopback())
}

impl Identity {
    /// What is worth telling at `now_s` of a server that listens at `listen`.
    pub fn notices(&self, now_s: i64, listen: IpAddr) -> Vec<Notice> {
        self.notices_of(now_s, listen, RENEW)
    }

    /// The same if `renew` is the command that makes the certificate again.
    pub fn notices_of(&self, now_s: i64, listen: IpAddr, renew: &str) -> Vec<Notice> {
        let mut notices = Vec::new();
        if now_s < self.not_before {
            notices.push(format!(
                "the certificate is valid from {} on: until then no client accepts it, unless this \
                 computer's clock is wrong",
                day(self.not_before)
            ));
        }
        if now_s > self.not_after {
            notices.push(format!(
                "the certificate expired on {}: no client accepts it, unless this computer's clock \
                 is wrong: `{renew}` makes another",
                day(self.not_after)
            ));
        } else if self.not_after - now_s < SOON * DAY {
            notices.push(format!(
                "the certificate expires on {}, in {} days: replace it and restart the server",
                day(self.not_after),
                (self.not_after - now_s) / DAY
            ));
        }
        let are_here = self.names.iter().all(|name| leads_here_alone(name));
        if !listen.is_loopback() && are_here {
            notices.push(format!(
                "the certificate is only for {}: clients on other computers use another name for \
                 the server and do not accept it: `{renew} --name NAME` adds that name",
                names_in_words(&self.names)
            ));
        }
        if self.is_broken_chain {
            notices.push(
                "the further certificates of the chain do not lead from the server's own to an \
                 authority, so clients may not accept it: put the server's own first, then the one \
                 that signed it, and so on"
                    .to_owned(),
            );
        }
        notices
    }

    /// When it ends, as a day.
    pub fn last_day(&self) -> String {
        day(self.not_after)
    }
}

/// Looks at the chain as a client does; `chain` is not empty.
pub(crate) fn identity(chain: &[CertificateDer<'_>]) -> Result<Identity, Flaw> {
    let Some((own, further)) = chain.split_first() else {
        return Err(Flaw::new("it holds no certificate"));
    };
    let certificate = EndEntityCert::try_from(own).map_err(|error| match error {
        Error::UnsupportedCertVersion => Flaw::new(
            "it is a certificate of X.509 version 1, which cannot have names, and clients do not \
             accept it",
        ),
        Error::UnsupportedCriticalExtension => {
            Flaw::new("it has a critical extension that clients do not know")
        }
        other => Flaw::new(format!("clients cannot read it as a certificate ({other})")),
    })?;
    let (not_before, not_after) = validity(&certificate)?;
    let alone = check(&certificate, &[], &[], not_before);
    if let Err(error) = alone {
        shape(&error)?;
    }
    let names = names(&certificate)?;
    let (anchor, between) = match further.split_last() {
        Some((last, between)) => (last, between),
        None => (own, further),
    };
    let whole = match anchor_from_trusted_cert(anchor) {
        Ok(anchor) => check(&certificate, &[anchor], between, not_before),
        Err(error) => Err(error),
    };
    if let Err(
        error @ (Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)),
    ) = &whole
    {
        return Err(Flaw::new(format!(
            "it is signed by an algorithm that clients do not accept, such as SHA-1 ({})",
            error.to_string().split(' ').next().unwrap_or_default()
        )));
    }
    let is_linked = !matches!(
        whole,
        Err(Error::UnknownIssuer | Error::InvalidSignatureForPublicKey)
    );
    Ok(Identity {
        names,
        not_before,
        not_after,
        is_broken_chain: !further.is_empty() && !is_linked,
    })
}

/// Why a certificate cannot be trusted as an authority's; none if it can.
pub(crate) fn unusable_authority(der: &CertificateDer<'_>) -> Option<String> {
    match anchor_from_trusted_cert(der) {
        Ok(_) => None,
        Err(error) => Some(format!("a certificate in it cannot be read ({error})")),
    }
}

/// When the certificate of an authority ends, in Unix seconds; none if it is not an authority's.
pub(crate) fn authority_end(der: &CertificateDer<'_>) -> Option<i64> {
    let certificate = EndEntityCert::try_from(der).ok()?;
    let (begins, ends) = validity(&certificate).ok()?;
    match check(&certificate, &[], &[], begins) {
        Err(Error::CaUsedAsEndEntity) => Some(ends),
        _ => None,
    }
}

/// When an authority's certificate ends, in Unix seconds. Who trusts one looks at its name and key
/// alone, so a check against it does not say.
pub(crate) fn end(authority: &CertificateDer<'_>) -> Result<i64, String> {
    let certificate = EndEntityCert::try_from(authority).map_err(|error| error.to_string())?;
    validity(&certificate)
        .map(|(_, ends)| ends)
        .map_err(|flaw| flaw.why)
}

/// Whether whoever trusts `authority` takes `own` at that time.
pub(crate) fn is_taken(
    own: &CertificateDer<'_>,
    authority: &CertificateDer<'_>,
    now_s: i64,
) -> Result<(), String> {
    let anchor = anchor_from_trusted_cert(authority).map_err(|error| error.to_string())?;
    let certificate = EndEntityCert::try_from(own).map_err(|error| error.to_string())?;
    check(&certificate, &[anchor], &[], now_s).map_err(|error| match error {
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
            "its key is not the key of its certificate, or another tool made it".to_owned()
        }
        other => other.to_string(),
    })
}

/// What makes a certificate none of a server, whoever issued it and whenever it is looked at.
fn shape(error: &Error) -> Result<(), Flaw> {
    Err(match error {
        // Nobody was named who could have issued it: that is what clients know.
        Error::UnknownIssuer => return Ok(()),
        Error::CaUsedAsEndEntity => Flaw::new(
            "it is an authority's certificate (CA:TRUE, as `openssl req -x509` makes them), which \
             clients do not accept as a server's",
        ),
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            Flaw::new("it is not for servers (its extended key usage does not name serverAuth)")
        }
        other => Flaw::new(format!("clients do not accept it ({other})")),
    })
}

/// From when to when it is valid, in Unix seconds: what a check at other times answers.
fn validity(certificate: &EndEntityCert<'_>) -> Result<(i64, i64), Flaw> {
    let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let ends = match check(certificate, &[], &[], i64::MAX) {
        Err(Error::CertExpired { not_after, .. }) => seconds(not_after),
        Err(Error::InvalidCertValidity) => {
            return Err(Flaw::new("it ends before it begins to be valid"));
        }
        _ => i64::MAX,
    };
    let begins = match check(certificate, &[], &[], 0) {
        Err(Error::CertNotValidYet { not_before, .. }) => seconds(not_before),
        _ => 0,
    };
    Ok((begins, ends))
}

/// The names that it is for.
fn names(certificate: &EndEntityCert<'_>) -> Result<Vec<String>, Flaw> {
    // A name that nobody has: the answer says which names there are.
    let nobody = ServerName::try_from("nobody.invalid")
        .map_err(|_| Flaw::new("its names cannot be read"))?;
    let presented = match certificate.verify_is_valid_for_subject_name(&nobody) {
        Ok(()) => vec!["*.invalid".to_owned()],
        Err(Error::CertNotValidForName(context)) => {
            context.presented.iter().map(|it| plain_name(it)).collect()
        }
        Err(_) => Vec::new(),
    };
    match presented.is_empty() {
        false => Ok(presented),
        true => Err(Flaw::new(
            "it names no computer (it has no subjectAltName, and clients do not look at the \
             common name)",
        )),
    }
}

fn check(
    certificate: &EndEntityCert<'_>,
    anchors: &[rustls::pki_types::TrustAnchor<'_>],
    between: &[CertificateDer<'_>],
    at_s: i64,
) -> Result<(), Error> {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at_s.unsigned_abs()));
    let algorithms: &[&dyn SignatureVerificationAlgorithm] = webpki::ALL_VERIFICATION_ALGS;
    let usage = KeyUsage::server_auth();
    certificate
        .verify_for_usage(algorithms, anchors, between, at, usage, None, None)
        .map(drop)
}

/// Now, in Unix seconds.
pub(crate) fn now_s() -> i64 {
    Timestamp::now().as_second()
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
    };

    use super::*;

    /// What is said of a self-signed certificate of these parameters.
    fn said(change: impl FnOnce(&mut CertificateParams)) -> Result<Identity, Flaw> {
        let mut params = CertificateParams::new(["a.example".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        identity(&[made.der().clone()])
    }

    #[test]
    fn what_no_client_takes_is_told_with_its_reason() {
        let why = |change: fn(&mut CertificateParams)| said(change).unwrap_err().why;
        let reasons = [
            why(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            why(|params| params.subject_alt_names.clear()),
            why(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
        ];
        insta::assert_snapshot!(reasons.join("\n"), @r"
        it is an authority's certificate (CA:TRUE, as `openssl req -x509` makes them), which clients do not accept as a server's
        it names no computer (it has no subjectAltName, and clients do not look at the common name)
        it is not for servers (its extended key usage does not name serverAuth)
        ");
    }

    #[test]
    fn what_time_mends_is_told_and_refuses_nothing() {
        let ended = said(|params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        });
        let ended = ended.unwrap();
        assert_eq!(
            (ended.not_before, ended.not_after),
            (1_577_836_800, 1_609_459_200)
        );
        let all = [0, 0, 0, 0].into();
        let at = |now_s| ended.notices(now_s, all).join("\n");
        insta::assert_snapshot!(at(1_577_836_799), @"the certificate is valid from 2020-01-01 on: until then no client accepts it, unless this computer's clock is wrong");
        insta::assert_snapshot!(at(1_577_836_801), @"");
        insta::assert_snapshot!(at(1_609_459_200 - 9 * DAY), @"the certificate expires on 2021-01-01, in 9 days: replace it and restart the server");
        insta::assert_snapshot!(at(1_609_459_201), @"the certificate expired on 2021-01-01: no client accepts it, unless this computer's clock is wrong: `usher tls make --renew` makes another");
    }

    #[test]
    fn a_certificate_for_this_computer_alone_is_told_of_where_others_are_to_come() {
        let here = said(|params| {
            params.subject_alt_names = crate::Names::new(&["localhost".into(), "::1".into()])
                .unwrap()
                .into();
        });
        let here = here.unwrap();
        assert_eq!(here.notices(now_s(), [127, 0, 0, 1].into()), [""; 0]);
        insta::assert_snapshot!(here.notices(now_s(), [0, 0, 0, 0].into()).join("\n"), @"the certificate is only for localhost and ::1: clients on other computers use another name for the server and do not accept it: `usher tls make --renew --name NAME` adds that name");
    }

    #[test]
    fn a_chain_in_the_wrong_order_is_told_of() {
        let authority = crate::Authority::new().unwrap();
        let names = crate::Names::new(&["a.example".to_owned()]).unwrap();
        let pair = crate::server_pair(&authority, names, 90).unwrap();
        let stranger = crate::Authority::new().unwrap();
        let der = |pem: &str| {
            use rustls::pki_types::pem::PemObject;
            CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
        };
        let own = der(&pair.certificate);
        let notices = |further: &crate::Authority| {
            let chain = [own.clone(), der(further.certificate())];
            identity(&chain)
                .unwrap()
                .notices(now_s(), [0, 0, 0, 0].into())
        };
        assert_eq!(notices(&authority), [""; 0]);
        let told = notices(&stranger);
        assert!(told[0].contains("do not lead from"), "{told:?}");
    }
}
