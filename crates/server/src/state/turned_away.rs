//! Agents and clients that were turned away, by address: their token is not accepted, or they do
//! not trust the certificate. Without this record, only they would know.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;
use tokio_rustls::rustls::{self, AlertDescription};
use usher_api::{TurnedAway, TurnedAwayReason};

use crate::base::time::timestamp;

/// How many addresses are remembered; beyond that, the one that was turned away longest ago is
/// forgotten.
const ADDRESSES_LIMIT: usize = 256;
/// An address that was not turned away for so long is forgotten.
const KEPT_MS: i64 = 3_600_000;
/// How many reasons are remembered for an address, as several computers may share one. Beyond that,
/// the one that was given longest ago is forgotten.
const REASONS_LIMIT: usize = 32;
/// How many computers are remembered for a reason. Beyond that, the one that was turned away
/// longest ago is forgotten.
const COMPUTERS_LIMIT: usize = 32;
/// A computer that was not turned away for so long was let in or is gone: its agent tries again
/// within this time.
const COMPUTER_KEPT_MS: i64 = 900_000;
/// The longest reason, in characters.
const WHY_LIMIT: usize = 300;

/// Who was turned away within the last hour. Kept in memory only.
#[derive(Debug, Default)]
pub(crate) struct DoorBook(Mutex<FxHashMap<IpAddr, TurnedAwayCount>>);

#[derive(Debug, Default)]
struct TurnedAwayCount {
    all: Span,
    /// The reasons, the latest last.
    reasons: Vec<(String, Reason)>,
}

#[derive(Debug, Default)]
struct Reason {
    span: Span,
    /// The computers, each with its last time, in the order in which they first came.
    computers: Vec<(String, i64)>,
}

impl Reason {
    fn note(&mut self, computer: Option<&str>, now_ms: i64) {
        self.span.note(now_ms);
        let Some(computer) = computer else { return };
        let known = self.computers.iter_mut().find(|(it, _)| it == computer);
        if let Some((_, last_ms)) = known {
            *last_ms = now_ms;
            return;
        }
        if self.computers.len() >= COMPUTERS_LIMIT {
            let places = self.computers.iter().enumerate();
            if let Some((oldest, _)) = places.min_by_key(|(_, (_, last_ms))| *last_ms) {
                self.computers.remove(oldest);
            }
        }
        self.computers.push((computer.to_owned(), now_ms));
    }

    fn computers(&self, now_ms: i64) -> Vec<String> {
        let recent = |last_ms: i64| now_ms - last_ms < COMPUTER_KEPT_MS;
        let recent = self.computers.iter().filter(|(_, at)| recent(*at));
        recent.map(|(computer, _)| computer.clone()).collect()
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Span {
    since_ms: i64,
    last_ms: i64,
    times: u64,
}

impl Span {
    fn note(&mut self, now_ms: i64) {
        if self.times == 0 || self.is_over(now_ms) {
            (self.since_ms, self.times) = (now_ms, 0);
        }
        self.last_ms = now_ms;
        self.times += 1;
    }

    fn is_over(&self, now_ms: i64) -> bool {
        now_ms - self.last_ms > KEPT_MS
    }
}

impl TurnedAwayCount {
    fn note(&mut self, why: &str, computer: Option<&str>, now_ms: i64) {
        self.all.note(now_ms);
        let why: String = why.chars().take(WHY_LIMIT).collect();
        let known = self.reasons.iter().position(|(known, _)| *known == why);
        let (why, mut reason) = match known {
            Some(at) => self.reasons.remove(at),
            None => (why, Reason::default()),
        };
        reason.note(computer, now_ms);
        if self.reasons.len() >= REASONS_LIMIT {
            self.reasons.remove(0);
        }
        self.reasons.push((why, reason));
    }

    fn told(&self, address: &IpAddr, now_ms: i64) -> TurnedAway {
        let kept = self.reasons.iter().rev();
        let kept = kept.filter(|(_, reason)| !reason.span.is_over(now_ms));
        let reasons: Vec<TurnedAwayReason> = kept
            .map(|(why, reason)| TurnedAwayReason {
                why: why.clone(),
                since: timestamp(reason.span.since_ms),
                last_at: timestamp(reason.span.last_ms),
                times: reason.span.times,
                computers: reason.computers(now_ms),
            })
            .collect();
        TurnedAway {
            address: address.to_string(),
            why: reasons
                .first()
                .map_or_else(String::new, |it| it.why.clone()),
            since: timestamp(self.all.since_ms),
            last_at: timestamp(self.all.last_ms),
            times: self.all.times,
            reasons,
        }
    }
}

impl DoorBook {
    /// Records that somebody at `address` was turned away: the agent of `computer`, if that is
    /// known.
    pub(crate) fn note(&self, address: IpAddr, why: &str, computer: Option<&str>, now_ms: i64) {
        // An address of version 4 is one address, however the listener names it.
        let address = address.to_canonical();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ADDRESSES_LIMIT && !seen.contains_key(&address) {
            let oldest = seen.iter().min_by_key(|(_, it)| it.all.last_ms);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                seen.remove(&oldest);
            }
        }
        let seen = seen.entry(address).or_default();
        seen.note(why, computer, now_ms);
    }

    /// The records of the last hour, the latest first.
    pub(crate) fn told(&self, now_ms: i64) -> Vec<TurnedAway> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, it| !it.all.is_over(now_ms));
        let mut told: Vec<TurnedAway> = seen
            .iter()
            .map(|(address, it)| it.told(address, now_ms))
            .collect();
        told.sort_by(|a, b| (b.last_at, &a.address).cmp(&(a.last_at, &b.address)));
        told
    }
}

/// Why a client ended the handshake, if that was because of the certificate.
pub(crate) fn distrust(error: &std::io::Error) -> Option<&'static str> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::AlertReceived(alert) = inner else {
        return None;
    };
    Some(match alert {
        // DecryptError comes if the client trusts an authority of the same name with another key.
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "the client does not trust the authority of the server's certificate: give it the \
             authority with --ca-file"
        }
        AlertDescription::CertificateExpired => {
            "the server's certificate has expired, by the client's clock"
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => {
            "the client does not accept the server's certificate, for example because it lacks the \
             name in the URL: `usher tls show` shows its names"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + last))
    }

    #[test]
    fn each_address_is_counted_until_an_hour_is_over() {
        let book = DoorBook::default();
        book.note(address(1), "no such token", None, 1_000);
        book.note("::ffff:10.0.0.1".parse().unwrap(), "expired", None, 2_000);
        book.note(address(2), "no such token", None, 3_000);
        let told = book.told(4_000);
        let seen: Vec<_> = told
            .iter()
            .map(|it| (it.address.as_str(), it.times, it.why.as_str()))
            .collect();
        assert_eq!(
            seen,
            [("10.0.0.2", 1, "no such token"), ("10.0.0.1", 2, "expired")]
        );
        assert_eq!(told[1].since.as_millisecond(), 1_000);
        let reasons: Vec<_> = told[1]
            .reasons
            .iter()
            .map(|it| (&*it.why, it.times))
            .collect();
        assert_eq!(reasons, [("expired", 1), ("no such token", 1)]);
        assert_eq!(book.told(3_000 + KEPT_MS).len(), 1);
        assert_eq!(book.told(3_001 + KEPT_MS).len(), 0);
    }

    #[test]
    fn two_behind_one_address_are_told_with_the_fault_of_each() {
        let book = DoorBook::default();
        for time in 0..10 {
            book.note(address(1), "no such token", None, time * 1_000);
            book.note(address(1), "another's computer", None, time * 1_000 + 500);
        }
        let told = book.told(10_000).remove(0);
        assert_eq!((told.times, told.why.as_str()), (20, "another's computer"));
        let reasons: Vec<_> = told
            .reasons
            .iter()
            .map(|it| {
                (
                    &*it.why,
                    it.times,
                    it.since.as_millisecond(),
                    it.last_at.as_millisecond(),
                )
            })
            .collect();
        assert_eq!(
            reasons,
            [
                ("another's computer", 10, 500, 9_500),
                ("no such token", 10, 0, 9_000)
            ]
        );
        // The one is mended; the other goes on.
        book.note(address(1), "another's computer", None, 9_001 + KEPT_MS);
        let told = book.told(9_001 + KEPT_MS).remove(0);
        assert_eq!(told.reasons.len(), 1);
    }

    #[test]
    fn strangers_from_everywhere_fill_no_memory() {
        let book = DoorBook::default();
        for number in 0..10_000 {
            book.note(
                address(number),
                &"x".repeat(10_000),
                None,
                i64::from(number),
            );
        }
        let told = book.told(10_000);
        assert_eq!(told.len(), ADDRESSES_LIMIT);
        assert_eq!(told[0].address, address(9_999).to_string());
        assert!(told.iter().all(|it| it.why.len() == WHY_LIMIT));
        for number in 0..100 {
            book.note(address(9_999), &number.to_string(), None, 10_000);
        }
        assert_eq!(book.told(10_000)[0].reasons.len(), REASONS_LIMIT);
    }

    #[test]
    fn the_computers_of_a_reason_are_named_once_each_until_they_are_let_in() {
        let book = DoorBook::default();
        let revoked = "the token was revoked";
        for (computer, time) in [
            (Some("pc-1"), 1),
            (Some("pc-2"), 2),
            (None, 3),
            (Some("pc-1"), 4),
        ] {
            book.note(address(1), revoked, computer, time);
        }
        let computers = |now_ms| book.told(now_ms)[0].reasons[0].computers.clone();
        assert_eq!(computers(5), ["pc-1", "pc-2"]);
        // The one is mended; the other goes on.
        book.note(address(1), revoked, Some("pc-2"), COMPUTER_KEPT_MS);
        assert_eq!(computers(4 + COMPUTER_KEPT_MS), ["pc-2"]);
        for number in 0..100 {
            let computer = format!("pc-{number}");
            book.note(address(1), revoked, Some(&computer), COMPUTER_KEPT_MS);
        }
        let named = computers(COMPUTER_KEPT_MS + 1);
        assert_eq!(named.len(), COMPUTERS_LIMIT);
        assert!(named.contains(&"pc-99".to_owned()), "{named:?}");
    }
}
