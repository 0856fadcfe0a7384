//! Agents' exchanges: each connection is a computer whose sessions begin and end.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use usher_api::Timestamp;

use super::{LoadOptions, Target};
use crate::engine::{Heard, Protocol};
use crate::http;

/// The protocol of `POST /v1/agents/sync`. An exchange holds as many checkouts as checkins: it
/// ends the sessions of the exchange before and begins as many again.
#[derive(Debug)]
pub(super) struct Agents {
    target: Target,
    products: Vec<String>,
    headers: String,
    ttl_seconds: u32,
    sessions: usize,
    /// Each connection's incarnation is a later one, also when it is made again.
    incarnation: AtomicU64,
}

/// What a connection remembers.
#[derive(Debug)]
pub(super) struct Talk {
    computer: usize,
    incarnation: u64,
    sequence: u64,
    /// Sessions that hold seats: numbers from here on, as many as an exchange begins.
    first_open: Option<u64>,
    next_session: u64,
    product: usize,
    body: Vec<u8>,
}

impl Agents {
    pub(super) fn new(options: &LoadOptions, target: Target, items: usize) -> Self {
        let now_ms = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(1);
        Agents {
            target,
            products: options.products.clone(),
            headers: format!(
                "Host: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
                target.address, options.token
            ),
            ttl_seconds: options.ttl_seconds,
            sessions: items / 2,
            incarnation: AtomicU64::new(now_ms),
        }
    }

    /// Ends what is open; then, unless it is the last, begins as many sessions.
    fn exchange(&self, talk: &mut Talk, begins: bool, output: &mut Vec<u8>) {
        let computer = talk.computer;
        talk.body.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            talk.body,
            r#"{{"computer":{{"id":"bench-{computer}","name":"bench-computer-{computer}"}},"incarnation":{},"policy_version":18446744073709551615,"items":["#,
            talk.incarnation
        );
        if let Some(first) = talk.first_open.take() {
            for session in first..first + self.sessions as u64 {
                item(talk);
                let _ = write!(talk.body, r#""kind":"checkin","session":{session}}},"#);
            }
        }
        if begins {
            talk.first_open = Some(talk.next_session);
            for _ in 0..self.sessions {
                item(talk);
                self.checkout(talk);
            }
        }
        if talk.body.last() == Some(&b',') {
            talk.body.pop();
        }
        talk.body.extend_from_slice(b"]}");
        output.extend_from_slice(b"POST /v1/agents/sync HTTP/1.1\r\n");
        output.extend_from_slice(self.headers.as_bytes());
        let _ = write!(output, "Content-Length: {}\r\n\r\n", talk.body.len());
        output.extend_from_slice(&talk.body);
    }

    fn checkout(&self, talk: &mut Talk) {
        let session = talk.next_session;
        talk.next_session += 1;
        let product = &self.products[talk.product % self.products.len()];
        talk.product = talk.product.wrapping_add(1);
        let (computer, ttl) = (talk.computer, self.ttl_seconds);
        let user = session % self.sessions as u64;
        let _ = write!(
            talk.body,
            r#""kind":"checkout","session":{session},"product":"{product}","subject":{{"authority":"computer:bench-{computer}","id":"{user}","name":"bench-user-{user}"}},"seats":1,"ttl_seconds":{ttl}}},"#
        );
    }
}

fn item(talk: &mut Talk) {
    talk.sequence += 1;
    let _ = write!(talk.body, r#"{{"sequence":{},"#, talk.sequence);
}

impl Protocol for Agents {
    type Talk = Talk;

    fn connect(&self, index: usize) -> io::Result<(TcpStream, Talk)> {
        let talk = Talk {
            computer: index,
            incarnation: self.incarnation.fetch_add(1, Ordering::Relaxed),
            sequence: 0,
            first_open: None,
            next_session: 1,
            product: index,
            body: Vec::new(),
        };
        Ok((TcpStream::connect(self.target.address)?, talk))
    }

    fn ask(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        self.exchange(talk, true, output);
    }

    fn hear(&self, _: &mut Talk, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(answer) = http::parse(input)? else {
            return Ok(None);
        };
        let counts = count(answer.body);
        Ok(Some(Heard {
            length: answer.length,
            status: answer.status,
            ok: answer.status == 200 && counts.others == 0,
            checkouts: counts.granted,
            decisions: counts.granted + counts.done,
            closes: answer.closes,
        }))
    }

    fn settle(&self, talk: &mut Talk, output: &mut Vec<u8>) -> bool {
        if talk.first_open.is_none() {
            return false;
        }
        self.exchange(talk, false, output);
        true
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    granted: u32,
    done: u32,
    others: u32,
}

/// Outcomes in an answer, without taking it apart.
fn count(body: &[u8]) -> Counts {
    const MARK: &[u8] = b"\"outcome\":\"";
    let mut counts = Counts::default();
    let mut rest = body;
    while let Some(at) = http::find(rest, MARK) {
        rest = &rest[at + MARK.len()..];
        if rest.starts_with(b"granted") {
            counts.granted += 1;
        } else if rest.starts_with(b"done") {
            counts.done += 1;
        } else {
            counts.others += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::{SyncAction, SyncAnswer, SyncOutcome, SyncRequest, SyncResult};

    fn agents() -> (Agents, Talk) {
        let options = LoadOptions {
            products: vec!["a".to_owned()],
            ..LoadOptions::default()
        };
        let target = Target::new("http://127.0.0.1:1", false).unwrap();
        let talk = Talk {
            computer: 3,
            incarnation: 9,
            sequence: 0,
            first_open: None,
            next_session: 1,
            product: 0,
            body: Vec::new(),
        };
        (Agents::new(&options, target, 4), talk)
    }

    /// Kinds, sessions and sequences of the next request, as the API reads it.
    fn items(output: &[u8]) -> Vec<(u64, &'static str, u64)> {
        let text = std::str::from_utf8(output).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let request: SyncRequest<'_> = serde_json::from_str(body).unwrap();
        assert_eq!(&*request.computer.id, "bench-3");
        let named = request.items.iter().map(|item| match &item.action {
            SyncAction::Checkout(checkout) => (item.sequence, "checkout", checkout.session),
            SyncAction::Checkin { session } => (item.sequence, "checkin", *session),
            other => panic!("{other:?}"),
        });
        named.collect()
    }

    #[test]
    fn an_exchange_ends_the_sessions_of_the_one_before() {
        let (protocol, mut talk) = agents();
        let mut output = Vec::new();
        protocol.ask(&mut talk, &mut output);
        assert_eq!(items(&output), [(1, "checkout", 1), (2, "checkout", 2)]);
        output.clear();
        protocol.ask(&mut talk, &mut output);
        let expected = [
            (3, "checkin", 1),
            (4, "checkin", 2),
            (5, "checkout", 3),
            (6, "checkout", 4),
        ];
        assert_eq!(items(&output), expected);
        output.clear();
        assert!(protocol.settle(&mut talk, &mut output));
        assert_eq!(items(&output), [(7, "checkin", 3), (8, "checkin", 4)]);
        assert!(!protocol.settle(&mut talk, &mut output));
    }

    #[test]
    fn outcomes_are_counted_as_the_api_writes_them() {
        let result = |sequence, outcome| SyncResult { sequence, outcome };
        let lease = "l-1".to_owned();
        let answer = SyncAnswer {
            server: "s".to_owned(),
            incarnation: None,
            before: None,
            acknowledged: 3,
            results: vec![
                result(
                    1,
                    SyncOutcome::Granted {
                        lease,
                        ttl_seconds: 60,
                    },
                ),
                result(2, SyncOutcome::Done),
                result(3, SyncOutcome::UnknownSession),
            ],
            policy: None,
            policy_key: None,
            policy_signature: None,
        };
        let body = serde_json::to_vec(&answer).unwrap();
        let expected = Counts {
            granted: 1,
            done: 1,
            others: 1,
        };
        assert_eq!(count(&body), expected);
    }
}
