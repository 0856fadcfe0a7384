//! What a server has recorded while its site was away: sessions that ended over some days, as agents
//! report them.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use usher_bench::engine::{Heard, Protocol};
use usher_bench::http;

/// Sessions of an exchange: the most that a server takes.
pub(super) const ITEMS: u64 = usher_api::SYNC_ITEMS_LIMIT as u64;
/// Products, each used as much as any other.
pub(super) const PRODUCTS: u64 = 200;
const PEOPLE: u64 = 10_000;
/// Computers whose agents report on one connection, in turn.
const COMPUTERS: u64 = 125;
/// How long each session lasted.
const LASTED_MS: i64 = 20 * 60 * 1_000;

/// The protocol of `POST /v1/agents/sync` for agents that only report what has ended.
#[derive(Debug)]
pub(super) struct Backlog {
    address: SocketAddr,
    headers: String,
    incarnation: i64,
    /// When the first session ended, in Unix milliseconds.
    first_ms: i64,
    /// Between two ends, in microseconds.
    between_us: i64,
    /// Counts the exchanges that were made.
    next: AtomicU64,
    /// Counts the sessions that the server has taken.
    taken: AtomicU64,
}

/// One connection.
pub(super) struct Talk {
    connection: usize,
    /// Exchanges so far.
    exchanges: u64,
    body: Vec<u8>,
}

impl Backlog {
    /// Of a server, of sessions that ended since an instant, so many a second.
    pub(super) fn new(address: SocketAddr, token: &str, since: Timestamp, rate: f64) -> Backlog {
        Backlog {
            address,
            headers: format!(
                "POST /v1/agents/sync HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\
                 \r\nContent-Type: application/json\r\n"
            ),
            incarnation: Timestamp::now().as_millisecond(),
            first_ms: since.as_millisecond(),
            between_us: (1e6 / rate) as i64,
            next: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// How many sessions the server has taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// When the first session began at the earliest, in Unix milliseconds.
    pub(super) fn first_ms(&self) -> i64 {
        self.first_ms - LASTED_MS
    }

    /// When a session ended, in Unix milliseconds.
    fn ended_ms(&self, number: u64) -> i64 {
        let after_ms = (number as i64).saturating_mul(self.between_us) / 1_000;
        self.first_ms.saturating_add(after_ms)
    }

    /// What tells whether so many sessions are as they were told: see `SUM` of the comparison.
    pub(super) fn sum(&self, sessions: u64) -> i64 {
        (0..sessions)
            .map(|number| {
                let (product, person) = of(number);
                let ended_ms = self.ended_ms(number);
                let started_ms = ended_ms - LASTED_MS;
                (started_ms % 1_009 + ended_ms % 1_013) * (1 + product as i64)
                    + started_ms % 1_019 * person as i64
            })
            .sum()
    }

    /// How many of so many sessions a product has, and how long they lasted together, in seconds.
    pub(super) fn usage(&self, product: u64, sessions: u64) -> (u64, f64) {
        let used = sessions / PRODUCTS + u64::from(product < sessions % PRODUCTS);
        (used, used as f64 * LASTED_MS as f64 / 1_000.0)
    }

    fn item(&self, body: &mut Vec<u8>, session: u64, number: u64) {
        let ended_ms = self.ended_ms(number);
        let at = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let (started, ended) = (at(ended_ms - LASTED_MS), at(ended_ms));
        let (product, person) = of(number);
        // Writing to a Vec cannot fail.
        let _ = write!(
            body,
            r#"{{"sequence":{session},"kind":"finished","session":{session},"product":"{}","program":"p{product}","subject":{{"authority":"example.org","id":"{person}","name":"person{person}"}},"started_at":"{started}","ended_at":"{ended}","duration_seconds":{},"lease":null}},"#,
            name_of(product),
            LASTED_MS / 1_000
        );
    }
}

/// The product and the person of a session.
fn of(number: u64) -> (u64, u64) {
    (number % PRODUCTS, number.wrapping_mul(7_919) % PEOPLE)
}

/// The id of a product.
pub(super) fn name_of(product: u64) -> String {
    format!("product-{product:03}")
}

impl Protocol for Backlog {
    type Talk = Talk;

    fn connect(&self, index: usize) -> io::Result<(TcpStream, Talk)> {
        let talk = Talk {
            connection: index,
            exchanges: 0,
            body: Vec::new(),
        };
        Ok((TcpStream::connect(self.address)?, talk))
    }

    fn ask(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        let first = self.next.fetch_add(1, Ordering::Relaxed) * ITEMS;
        let computer = talk.connection as u64 * COMPUTERS + talk.exchanges % COMPUTERS;
        let session = talk.exchanges / COMPUTERS * ITEMS + 1;
        talk.exchanges += 1;
        talk.body.clear();
        let _ = write!(
            talk.body,
            r#"{{"computer":{{"id":"pc-{computer}","name":"pc-{computer}"}},"incarnation":{},"policy_version":18446744073709551615,"items":["#,
            self.incarnation
        );
        for place in 0..ITEMS {
            self.item(&mut talk.body, session + place, first + place);
        }
        talk.body.pop();
        talk.body.extend_from_slice(b"]}");
        output.extend_from_slice(self.headers.as_bytes());
        let _ = write!(output, "Content-Length: {}\r\n\r\n", talk.body.len());
        output.extend_from_slice(&talk.body);
    }

    fn hear(&self, _: &mut Talk, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(answer) = http::parse(input)? else {
            return Ok(None);
        };
        const DONE: &[u8] = b"\"outcome\":\"done\"";
        let mut done = 0;
        let mut rest = answer.body;
        while let Some(at) = http::find(rest, DONE) {
            done += 1;
            rest = &rest[at + DONE.len()..];
        }
        if answer.status != 200 || done != ITEMS {
            let said = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
            return Err(format!(
                "of {ITEMS} sessions the server took {done} ({}): {said}",
                answer.status
            ));
        }
        self.taken.fetch_add(ITEMS, Ordering::Relaxed);
        Ok(Some(Heard {
            length: answer.length,
            status: answer.status,
            closes: answer.closes,
            checkouts: 0,
            decisions: done as u32,
            ok: true,
        }))
    }

    fn settle(&self, _: &mut Talk, _: &mut Vec<u8>) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::{SyncAction, SyncRequest};

    #[test]
    fn an_exchange_is_one_that_the_api_takes_and_numbers_what_each_computer_saw() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let backlog = Backlog::new(address, "t", Timestamp::UNIX_EPOCH, 23.0);
        let mut talk = Talk {
            connection: 1,
            exchanges: COMPUTERS,
            body: Vec::new(),
        };
        let mut output = Vec::new();
        backlog.ask(&mut talk, &mut output);
        let text = String::from_utf8(output).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let request: SyncRequest<'_> = serde_json::from_str(body).unwrap();
        assert_eq!(&*request.computer.id, "pc-125");
        assert_eq!(request.items.len() as u64, ITEMS);
        // The second exchange of that computer.
        assert_eq!(request.items[0].sequence, ITEMS + 1);
        let SyncAction::Finished(session) = &request.items[999].action else {
            panic!("{:?}", request.items[999]);
        };
        assert_eq!(session.session, ITEMS + 1_000);
        assert_eq!(session.ended_at.as_millisecond(), 999 * 43_478 / 1_000);
    }
}
