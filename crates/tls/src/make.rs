//! An authority of a site's own, and certificates of its servers.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error_text::day;
use crate::judge::{self, now_s};

/// An authority outlives many certificates; what clients trust is changed rarely.
const AUTHORITY_DAYS: i64 = 3_650;

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A name that is none.
    #[error("`{0}` is not the name of a computer or an IP address")]
    Name(String),
    /// An address that leads to no computer.
    #[error("`{0}` is the address of no computer: it stands for all of them")]
    Unspecified(IpAddr),
    /// The authority's key or certificate cannot be used.
    #[error("the authority cannot be used: {0}")]
    Authority(String),
    /// What makes certificates failed.
    #[error("cannot make a certificate: {0}")]
    Failed(String),
}

impl From<rcgen::Error> for MakeError {
    fn from(error: rcgen::Error) -> Self {
        MakeError::Failed(error.to_string())
    }
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// Its last day.
    pub last_day: String,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A private key has no place in logs.
        f.debug_struct("Pair")
            .field("certificate", &self.certificate)
            .field("last_day", &self.last_day)
            .finish_non_exhaustive()
    }
}

/// The names and addresses by which clients reach a server.
#[derive(Debug, Clone)]
pub struct Names(Vec<SanType>);

impl Names {
    /// From what people write.
    ///
    /// # Errors
    /// One is neither a host name nor an address.
    pub fn new(names: &[String]) -> Result<Names, MakeError> {
        let read = names.iter().map(|name| {
            if let Ok(address) = name.parse::<IpAddr>() {
                return match address.is_unspecified() {
                    true => Err(MakeError::Unspecified(address)),
                    false => Ok(SanType::IpAddress(address)),
                };
            }
            let plain = name.strip_prefix("*.").unwrap_or(name);
            let is_host = rustls::pki_types::DnsName::try_from(plain).is_ok();
            match (is_host, name.clone().try_into()) {
                (true, Ok(written)) => Ok(SanType::DnsName(written)),
                _ => Err(MakeError::Name(name.clone())),
            }
        });
        Ok(Names(read.collect::<Result<_, _>>()?))
    }
}

impl From<Names> for Vec<SanType> {
    fn from(names: Names) -> Self {
        names.0
    }
}

/// An authority of a site's own.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    key: KeyPair,
}

impl Authority {
    /// Makes one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn new() -> Result<Authority, MakeError> {
        Authority::of_days(AUTHORITY_DAYS)
    }

    fn of_days(days: i64) -> Result<Authority, MakeError> {
        let key = KeyPair::generate()?;
        let mut params = authority_params(&key);
        set_validity(&mut params, days, i64::MAX)?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Authority { certificate, key })
    }

    /// One that was made before.
    ///
    /// # Errors
    /// The key cannot be read. Whether they belong together, [`server_pair`] sees.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Authority, MakeError> {
        let key = KeyPair::from_pem(key)
            .map_err(|error| MakeError::Authority(format!("its key is none ({error})")))?;
        Ok(Authority {
            certificate: certificate.to_owned(),
            key,
        })
    }

    /// Its certificate, which clients trust (PEM).
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its key (PEM).
    pub fn key(&self) -> String {
        self.key.serialize_pem()
    }
}

/// Makes a certificate of a server for so many days, or until the authority ends if that is
/// before: from then on nobody takes what it has signed.
///
/// # Errors
/// The authority is not one that this made, or it has ended.
pub fn server_pair(authority: &Authority, names: Names, days: u32) -> Result<Pair, MakeError> {
    let trusted = CertificateDer::from_pem_slice(authority.certificate.as_bytes())
        .map_err(|error| MakeError::Authority(format!("its certificate is none ({error})")))?;
    let ends = judge::end(&trusted).map_err(MakeError::Authority)?;
    if ends <= now_s() {
        return Err(MakeError::Authority(format!(
            "it ended on {}, and clients take nothing that it signs",
            day(ends)
        )));
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    let last = set_validity(&mut params, i64::from(days), ends)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Usher server");
    params.subject_alt_names = names.0;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let of_authority = authority_params(&authority.key);
    let issuer = Issuer::from_params(&of_authority, &authority.key);
    let made = params.signed_by(&key, &issuer)?;
    // Another tool's authority has another name, and a key of another one signs nothing for it.
    judge::is_taken(made.der(), &trusted, now_s()).map_err(MakeError::Authority)?;
    Ok(Pair {
        certificate: made.pem(),
        key: key.serialize_pem(),
        last_day: last,
    })
}

/// An authority's certificate but for its time; its name follows from its key, so that it can be
/// written again from the key alone.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    let digest = short_digest(key);
    name.push(DnType::CommonName, format!("Usher authority {digest}"));
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// From yesterday, for clocks that are behind, to so many days from today, though not beyond the
/// Unix second `end_s`; the last day.
fn set_validity(
    params: &mut CertificateParams,
    days: i64,
    end_s: i64,
) -> Result<String, MakeError> {
    let today = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date();
    let failed = |error: jiff::Error| MakeError::Failed(error.to_string());
    let first = today.checked_sub(1.day()).map_err(failed)?;
    let last = today.checked_add(days.days()).map_err(failed)?;
    let midnight = |date: Date| {
        // A month and a day of the calendar are from 1 to 31.
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(i32::from(date.year()), month, day)
    };
    params.not_before = midnight(first);
    params.not_after = midnight(last);
    if params.not_after.unix_timestamp() > end_s {
        let since_epoch = Duration::from_secs(u64::try_from(end_s).unwrap_or(0));
        params.not_after = date_time_ymd(1970, 1, 1) + since_epoch;
    }
    Ok(day(params.not_after.unix_timestamp()))
}

/// Eight digits that tell one key from another.
fn short_digest(key: &KeyPair) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
    data_encoding::HEXLOWER.encode(&digest.as_ref()[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Result<Names, MakeError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Names::new(&names)
    }

    #[test]
    fn what_an_authority_signs_is_taken_by_those_who_trust_it_also_from_its_files() {
        let authority = Authority::new().unwrap();
        let names = names(&[
            "licences.example.org",
            "10.0.0.7",
            "::1",
            "*.lab.example.org",
        ]);
        let again = Authority::from_pem(authority.certificate(), &authority.key()).unwrap();
        let pair = server_pair(&again, names.unwrap(), 730).unwrap();
        let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        let identity = judge::identity(&[der]).unwrap();
        assert_eq!(
            identity.names,
            [
                "licences.example.org",
                "10.0.0.7",
                "::1",
                "*.lab.example.org"
            ]
        );
        assert_eq!(identity.last_day(), pair.last_day);
        assert_eq!(identity.notices(now_s(), [0, 0, 0, 0].into()), [""; 0]);
    }

    #[test]
    fn an_authority_whose_key_is_another_ones_makes_nothing() {
        let (one, other) = (Authority::new().unwrap(), Authority::new().unwrap());
        let mixed = Authority::from_pem(one.certificate(), &other.key()).unwrap();
        let failed = server_pair(&mixed, names(&["a.example"]).unwrap(), 730).unwrap_err();
        let text = failed.to_string();
        assert!(text.contains("is not the key of its certificate"), "{text}");
    }

    #[test]
    fn a_certificate_ends_with_its_authority_at_the_latest() {
        let short = Authority::of_days(1).unwrap();
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let ends = judge::end(&der(short.certificate())).unwrap();
        assert!((1..=86_400).contains(&(ends - now_s())), "{ends}");
        let pair = server_pair(&short, names(&["a.example"]).unwrap(), 730).unwrap();
        let identity = judge::identity(&[der(&pair.certificate)]).unwrap();
        assert_eq!(identity.not_after, ends);
        assert_eq!(pair.last_day, day(ends));
    }

    #[test]
    fn an_authority_that_has_ended_makes_nothing() {
        let ended = Authority::of_days(0).unwrap();
        let failed = server_pair(&ended, names(&["a.example"]).unwrap(), 730).unwrap_err();
        let text = failed.to_string();
        assert!(text.contains("it ended on "), "{text}");
    }

    #[test]
    fn a_pair_that_is_printed_keeps_its_key_to_itself() {
        let authority = Authority::new().unwrap();
        let pair = server_pair(&authority, names(&["a.example"]).unwrap(), 730).unwrap();
        let printed = format!("{pair:?}{authority:?}");
        assert!(printed.contains("BEGIN CERTIFICATE"), "{printed}");
        assert!(!printed.contains("PRIVATE KEY"), "{printed}");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in [
            "",
            "a b",
            "https://a.example",
            "a.example:8470",
            "10.0.0.0/8",
            "*",
            "0.0.0.0",
            "::",
        ] {
            assert!(names(&[name]).is_err(), "{name}");
        }
    }
}
