//! Newcomers, each of a person and a computer that the server has never heard of.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

use usher_bench::engine::{Heard, Protocol};
use usher_bench::http;

/// The product with seats for all.
const PRODUCT: &str = "leases";
/// More than may be asked for.
const SEATS: u64 = 20_000_000;
/// Longer than a run.
const TTL_SECONDS: u64 = 86_400;

/// The protocol of `POST /v1/checkouts` alone: what is granted stays out, and nobody asks twice.
#[derive(Debug)]
pub(crate) struct Newcomers {
    address: SocketAddr,
    /// A request up to its Content-Length.
    head: String,
    /// Numbers people: each asks once.
    next: AtomicU64,
    granted: AtomicU64,
}

impl Newcomers {
    /// Makes the product, and seats for it.
    pub(crate) fn prepare(address: SocketAddr, token: &str) -> Result<Self, String> {
        let post = |path: &str, body: serde_json::Value| {
            let (status, answer) = http::call(address, "POST", path, token, &body.to_string())?;
            if (200..300).contains(&status) {
                return Ok(());
            }
            let answer = String::from_utf8_lossy(&answer);
            Err(format!("POST {path} was answered with {status}: {answer}"))
        };
        post(
            "/v1/products",
            serde_json::json!({ "id": PRODUCT, "max_ttl_seconds": TTL_SECONDS }),
        )?;
        post(
            "/v1/entitlements",
            serde_json::json!({ "product": PRODUCT, "seats": SEATS }),
        )?;
        Ok(Newcomers {
            address,
            head: format!(
                "POST /v1/checkouts HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\
                 \r\nContent-Type: application/json\r\nContent-Length: "
            ),
            next: AtomicU64::new(0),
            granted: AtomicU64::new(0),
        })
    }

    /// How many are out.
    pub(crate) fn granted(&self) -> u64 {
        self.granted.load(Ordering::Relaxed)
    }
}

impl Protocol for Newcomers {
    type Talk = Vec<u8>;

    fn connect(&self, _: usize) -> io::Result<(TcpStream, Vec<u8>)> {
        Ok((TcpStream::connect(self.address)?, Vec::new()))
    }

    fn ask(&self, body: &mut Vec<u8>, output: &mut Vec<u8>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        body.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            body,
            r#"{{"product":"{PRODUCT}","user":"person-{number}","computer":"pc-{number}","ttl_seconds":{TTL_SECONDS}}}"#
        );
        output.extend_from_slice(self.head.as_bytes());
        let _ = write!(output, "{}\r\n\r\n", body.len());
        output.extend_from_slice(body);
    }

    fn hear(&self, _: &mut Vec<u8>, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(answer) = http::parse(input)? else {
            return Ok(None);
        };
        let ok = answer.status == 201;
        self.granted.fetch_add(u64::from(ok), Ordering::Relaxed);
        Ok(Some(Heard {
            length: answer.length,
            status: answer.status,
            closes: answer.closes,
            checkouts: u32::from(ok),
            decisions: 1,
            ok,
        }))
    }

    fn settle(&self, _: &mut Vec<u8>, _: &mut Vec<u8>) -> bool {
        false
    }
}
