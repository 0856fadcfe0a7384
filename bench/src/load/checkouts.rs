//! Checkouts and checkins, as a script or a person's `usher run` would ask.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::UNIX_EPOCH;

use super::{LoadOptions, Target};
use crate::engine::{Heard, Protocol};
use crate::http;

/// The protocol of `POST /v1/checkouts` and `DELETE /v1/leases/{id}`.
#[derive(Debug)]
pub(super) struct Checkouts {
    target: Target,
    products: Vec<String>,
    /// Headers that every request carries, from Host to the one before Content-Length.
    headers: String,
    ttl_seconds: u32,
    keyed: bool,
    /// Stands in the keys: those of a run before were answered.
    run: u128,
    /// Whether leases are kept until the end.
    keeps: bool,
}

/// What a connection remembers.
#[derive(Debug)]
pub(super) struct Talk {
    user: usize,
    product: usize,
    asked: u64,
    waits_for: Request,
    held: Vec<Box<[u8]>>,
    body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Checkout,
    Checkin,
}

impl Checkouts {
    pub(super) fn new(options: &LoadOptions, target: Target, keeps: bool) -> Self {
        Checkouts {
            target,
            products: options.products.clone(),
            headers: format!(
                "Host: {}\r\nAuthorization: Bearer {}\r\n",
                target.address, options.token
            ),
            ttl_seconds: options.ttl_seconds,
            keyed: options.keyed,
            run: UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos()),
            keeps,
        }
    }

    fn checkout(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        let product = &self.products[talk.product % self.products.len()];
        talk.product = talk.product.wrapping_add(1);
        talk.asked += 1;
        talk.waits_for = Request::Checkout;
        let (user, ttl) = (talk.user, self.ttl_seconds);
        talk.body.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            talk.body,
            r#"{{"product":"{product}","user":"bench-user-{user}","computer":"bench-computer-{user}","ttl_seconds":{ttl}}}"#
        );
        output.extend_from_slice(b"POST /v1/checkouts HTTP/1.1\r\n");
        output.extend_from_slice(self.headers.as_bytes());
        if self.keyed {
            let (run, asked) = (self.run, talk.asked);
            let _ = write!(output, "Idempotency-Key: bench-{run:x}-{user}-{asked}\r\n");
        }
        let length = talk.body.len();
        let _ = write!(
            output,
            "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        output.extend_from_slice(&talk.body);
    }

    fn checkin(&self, talk: &mut Talk, lease: &[u8], output: &mut Vec<u8>) {
        talk.waits_for = Request::Checkin;
        output.extend_from_slice(b"DELETE /v1/leases/");
        output.extend_from_slice(lease);
        output.extend_from_slice(b" HTTP/1.1\r\n");
        output.extend_from_slice(self.headers.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
}

impl Protocol for Checkouts {
    type Talk = Talk;

    fn connect(&self, index: usize) -> io::Result<(TcpStream, Talk)> {
        let talk = Talk {
            user: index,
            product: index,
            asked: 0,
            waits_for: Request::Checkout,
            held: Vec::new(),
            body: Vec::new(),
        };
        Ok((TcpStream::connect(self.target.address)?, talk))
    }

    fn ask(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        if !self.keeps
            && let Some(lease) = talk.held.pop()
        {
            return self.checkin(talk, &lease, output);
        }
        self.checkout(talk, output);
    }

    fn hear(&self, talk: &mut Talk, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(answer) = http::parse(input)? else {
            return Ok(None);
        };
        let mut heard = Heard {
            length: answer.length,
            status: answer.status,
            closes: answer.closes,
            decisions: 1,
            ..Heard::default()
        };
        match (talk.waits_for, answer.status) {
            (Request::Checkout, 201) => {
                let lease = lease_id(answer.body).ok_or("a 201 without a lease's id")?;
                talk.held.push(lease.into());
                heard.ok = true;
                heard.checkouts = 1;
            }
            (Request::Checkin, 204) => heard.ok = true,
            _ => {}
        }
        Ok(Some(heard))
    }

    fn settle(&self, talk: &mut Talk, output: &mut Vec<u8>) -> bool {
        let Some(lease) = talk.held.pop() else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::CheckoutRequest;

    fn checkouts(keeps: bool) -> (Checkouts, Talk) {
        let options = LoadOptions {
            token: "secret".to_owned(),
            products: vec!["a".to_owned(), "b".to_owned()],
            keyed: true,
            ..LoadOptions::default()
        };
        let target = Target::new("http://127.0.0.1:1", false).unwrap();
        let talk = Talk {
            user: 1,
            product: 1,
            asked: 0,
            waits_for: Request::Checkout,
            held: Vec::new(),
            body: Vec::new(),
        };
        (Checkouts::new(&options, target, keeps), talk)
    }

    fn ask(protocol: &Checkouts, talk: &mut Talk) -> String {
        let mut output = Vec::new();
        protocol.ask(talk, &mut output);
        String::from_utf8(output).unwrap()
    }

    const CREATED: &str =
        r#"{"decision":"granted","decision_id":"d-1","lease":{"id":"l-7","product":"b"}}"#;

    fn hear(protocol: &Checkouts, talk: &mut Talk, status: &str, body: &str) -> Heard {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        protocol.hear(talk, answer.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_request_is_one_that_the_api_takes() {
        let (protocol, mut talk) = checkouts(false);
        let request = ask(&protocol, &mut talk);
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let parsed: CheckoutRequest<'_> = serde_json::from_str(body).unwrap();
        assert_eq!((&*parsed.product, &*parsed.user), ("b", "bench-user-1"));
        assert!(
            head.starts_with("POST /v1/checkouts HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(
            head.contains("\r\nAuthorization: Bearer secret\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nIdempotency-Key: bench-"), "{head}");
        assert!(head.contains("-1-1\r\n"), "{head}");
        assert!(
            head.ends_with(&format!("Content-Length: {}", body.len())),
            "{head}"
        );
    }

    #[test]
    fn a_pair_is_a_checkout_and_the_checkin_of_its_lease() {
        let (protocol, mut talk) = checkouts(false);
        ask(&protocol, &mut talk);
        let heard = hear(&protocol, &mut talk, "201 Created", CREATED);
        assert_eq!((heard.ok, heard.checkouts), (true, 1));
        let request = ask(&protocol, &mut talk);
        assert!(
            request.starts_with("DELETE /v1/leases/l-7 HTTP/1.1\r\n"),
            "{request}"
        );
        let heard = hear(&protocol, &mut talk, "204 No Content", "");
        assert_eq!((heard.ok, heard.checkouts), (true, 0));
        assert!(ask(&protocol, &mut talk).contains(r#""product":"a""#));
    }

    #[test]
    fn leases_that_are_kept_are_given_back_at_the_end() {
        let (protocol, mut talk) = checkouts(true);
        for _ in 0..2 {
            assert!(ask(&protocol, &mut talk).starts_with("POST"));
            hear(&protocol, &mut talk, "201 Created", CREATED);
        }
        let mut output = Vec::new();
        assert!(protocol.settle(&mut talk, &mut output));
        assert!(output.starts_with(b"DELETE /v1/leases/l-7 "));
        assert!(protocol.settle(&mut talk, &mut output));
        assert!(!protocol.settle(&mut talk, &mut output));
    }

    #[test]
    fn a_refusal_is_an_error_and_is_asked_again() {
        let (protocol, mut talk) = checkouts(false);
        ask(&protocol, &mut talk);
        let heard = hear(
            &protocol,
            &mut talk,
            "403 Forbidden",
            r#"{"reason":"no_seat"}"#,
        );
        assert_eq!((heard.ok, heard.status, heard.checkouts), (false, 403, 0));
        assert!(ask(&protocol, &mut talk).starts_with("POST"));
    }
}
