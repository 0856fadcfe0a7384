//! What is asked: refusals of somebody new each time, and requests that each carry a new key.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

use usher_bench::engine::{Heard, Protocol};
use usher_bench::http;

/// The product that has no seat left, and the one that has seats for all.
pub(super) const FULL: &str = "full";
pub(super) const FREE: &str = "free";
/// How often a lease is renewed before it is given back.
const RENEWALS: u32 = 9;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A user and a computer that nobody has heard of ask for a seat, and there is none.
    Refused,
    /// A lease is taken under a key, renewed nine times under a key each, and given back.
    Keyed,
}

/// The protocol of `POST /v1/checkouts`, renewals and checkins.
#[derive(Debug)]
pub(super) struct Requests {
    address: SocketAddr,
    /// Headers that every request carries, from Host to the one before Content-Length.
    headers: String,
    kind: Kind,
    /// Numbers names and keys: each is used once.
    next: AtomicU64,
    /// Answers that were hoped for: refusals, or answers under a key.
    answered: AtomicU64,
}

/// What a connection remembers.
#[derive(Debug)]
pub(super) struct Talk {
    connection: usize,
    waits_for: Waits,
    lease: Option<Box<[u8]>>,
    renewals: u32,
    body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Checkout,
    Renewal,
    Checkin,
}

impl Requests {
    pub(super) fn new(address: SocketAddr, token: &str, kind: Kind) -> Self {
        Requests {
            address,
            headers: format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n"),
            kind,
            next: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        }
    }

    /// How many were answered as hoped.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    fn checkout(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        talk.waits_for = Waits::Checkout;
        talk.body.clear();
        // Writing to a Vec cannot fail.
        let _ = match self.kind {
            Kind::Refused => write!(
                talk.body,
                r#"{{"product":"{FULL}","user":"made-up-{number}","computer":"container-{number}"}}"#
            ),
            Kind::Keyed => write!(
                talk.body,
                r#"{{"product":"{FREE}","user":"user-{0}","computer":"pc-{0}"}}"#,
                talk.connection
            ),
        };
        let key = (self.kind == Kind::Keyed).then_some(number);
        self.post(b"/v1/checkouts", key, &talk.body, output);
    }

    fn renewal(&self, talk: &mut Talk, lease: &[u8], output: &mut Vec<u8>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        talk.waits_for = Waits::Renewal;
        let path = [b"/v1/leases/", lease, b"/renew"].concat();
        self.post(&path, Some(number), b"{}", output);
    }

    fn post(&self, path: &[u8], key: Option<u64>, body: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(b"POST ");
        output.extend_from_slice(path);
        output.extend_from_slice(b" HTTP/1.1\r\n");
        output.extend_from_slice(self.headers.as_bytes());
        if let Some(key) = key {
            // As long as a UUID, which most clients send.
            let _ = write!(
                output,
                "Idempotency-Key: growth-of-the-answers-{key:014}\r\n"
            );
        }
        let length = body.len();
        let _ = write!(
            output,
            "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        output.extend_from_slice(body);
    }

    fn checkin(&self, talk: &mut Talk, lease: &[u8], output: &mut Vec<u8>) {
        talk.waits_for = Waits::Checkin;
        output.extend_from_slice(b"DELETE /v1/leases/");
        output.extend_from_slice(lease);
        output.extend_from_slice(b" HTTP/1.1\r\n");
        output.extend_from_slice(self.headers.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
}

impl Protocol for Requests {
    type Talk = Talk;

    fn connect(&self, index: usize) -> io::Result<(TcpStream, Talk)> {
        let talk = Talk {
            connection: index,
            waits_for: Waits::Checkout,
            lease: None,
            renewals: 0,
            body: Vec::new(),
        };
        Ok((TcpStream::connect(self.address)?, talk))
    }

    fn ask(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        match talk.lease.take() {
            None => self.checkout(talk, output),
            Some(lease) if talk.renewals < RENEWALS => {
                talk.renewals += 1;
                self.renewal(talk, &lease, output);
                talk.lease = Some(lease);
            }
            Some(lease) => self.checkin(talk, &lease, output),
        }
    }

    fn hear(&self, talk: &mut Talk, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(answer) = http::parse(input)? else {
            return Ok(None);
        };
        let ok = match (self.kind, talk.waits_for, answer.status) {
            (Kind::Refused, Waits::Checkout, 403) => true,
            (Kind::Keyed, Waits::Checkout, 201) => {
                let lease = lease_id(answer.body).ok_or("a 201 without a lease's id")?;
                (talk.lease, talk.renewals) = (Some(lease.into()), 0);
                true
            }
            (Kind::Keyed, Waits::Renewal, 200) | (Kind::Keyed, Waits::Checkin, 204) => true,
            _ => {
                let said = String::from_utf8_lossy(answer.body);
                return Err(format!("answered {}: {said}", answer.status));
            }
        };
        if talk.waits_for != Waits::Checkin {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Some(Heard {
            length: answer.length,
            status: answer.status,
            closes: answer.closes,
            decisions: 1,
            ok,
            ..Heard::default()
        }))
    }

    fn settle(&self, talk: &mut Talk, output: &mut Vec<u8>) -> bool {
        let Some(lease) = talk.lease.take() else {
            return false;
        };
        self.checkin(talk, &lease, output);
        true
    }
}

/// The lease's id out of a 201; ids are opaque, but hold no quotes.
fn lease_id(body: &[u8]) -> Option<&[u8]> {
    let after = |text: &[u8], mark: &[u8]| Some(http::find(text, mark)? + mark.len());
    let lease = &body[after(body, b"\"lease\":")?..];
    let id = &lease[after(lease, b"\"id\":\"")?..];
    Some(&id[..http::find(id, b"\"")?])
}
