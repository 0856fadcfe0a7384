//! A request of the fast path: its head and body, read where they lie in the connection's buffer.

use std::fmt;
use std::mem::MaybeUninit;

use httparse::{Header, Request, Status};
use hyper::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, TRANSFER_ENCODING, UPGRADE};

/// A request with more headers than this takes the long way.
const HEADERS_LIMIT: usize = 24;

/// Room for the headers of one request.
pub(crate) type Room<'a> = [MaybeUninit<Header<'a>>; HEADERS_LIMIT];

/// Room that nothing was written to.
pub(crate) const fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; HEADERS_LIMIT]
}

/// The head of a request that is served on the fast path.
#[derive(Debug)]
pub struct FastHead<'a> {
    /// The method, such as `POST`.
    pub method: &'a str,
    /// The target as it was sent, a query included.
    pub target: &'a str,
    headers: &'a [Header<'a>],
}

impl<'a> FastHead<'a> {
    /// The first header of that name, as bytes.
    pub fn get(&self, name: &HeaderName) -> Option<&'a [u8]> {
        let name = name.as_str();
        let mut found = self.headers.iter();
        let found = found.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(found.value)
    }
}

/// A request of the fast path, complete.
#[derive(Debug)]
pub struct FastRequest<'a> {
    /// Its head.
    pub head: FastHead<'a>,
    /// Its body; empty if there is none.
    pub body: &'a [u8],
}

impl fmt::Display for FastRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.head.method, self.head.target)
    }
}

/// What stands at the beginning of the bytes that were read.
#[derive(Debug)]
pub(crate) enum Begun<'a> {
    /// A part of a head.
    Part,
    /// A request that the fast path does not know how to read, or none.
    Other,
    /// A head.
    Head {
        head: FastHead<'a>,
        /// Its length in bytes.
        bytes: usize,
        /// The length of the body behind it, in bytes.
        body_bytes: usize,
    },
}

/// Reads what stands at the beginning of `read`. Whatever is not plain is for the long way, which
/// also refuses what is wrong.
pub(crate) fn read<'a>(read: &'a [u8], room: &'a mut Room<'a>) -> Begun<'a> {
    let mut request = Request::new(&mut []);
    let bytes = match request.parse_with_uninit_headers(read, room) {
        Ok(Status::Complete(bytes)) => bytes,
        Ok(Status::Partial) => return Begun::Part,
        Err(_) => return Begun::Other,
    };
    let (Some(method), Some(target), Some(1)) = (request.method, request.path, request.version)
    else {
        return Begun::Other;
    };
    let headers: &'a [Header<'a>] = request.headers;
    match body_bytes(headers) {
        None => Begun::Other,
        Some(body_bytes) => Begun::Head {
            head: FastHead {
                method,
                target,
                headers,
            },
            bytes,
            body_bytes,
        },
    }
}

/// The length of the body; none: a header asks for more than an answer on a connection that stays.
fn body_bytes(headers: &[Header<'_>]) -> Option<usize> {
    let mut said = None;
    for header in headers {
        let is = |name: &HeaderName| header.name.eq_ignore_ascii_case(name.as_str());
        if is(&CONTENT_LENGTH) {
            if said.is_some() {
                return None;
            }
            said = Some(length(header.value)?);
        } else if is(&CONNECTION) {
            if !header.value.eq_ignore_ascii_case(b"keep-alive") {
                return None;
            }
        } else if is(&TRANSFER_ENCODING) || is(&EXPECT) || is(&UPGRADE) {
            return None;
        }
    }
    Some(said.unwrap_or(0))
}

/// A length of few digits and nothing else: longer bodies take the long way.
fn length(said: &[u8]) -> Option<usize> {
    let is_length = (1..=7).contains(&said.len()) && said.iter().all(u8::is_ascii_digit);
    let add = |sum: usize, digit: &u8| sum * 10 + usize::from(digit - b'0');
    is_length.then(|| said.iter().fold(0, add))
}

#[cfg(test)]
mod tests {
    use hyper::header::ACCEPT;

    use super::*;

    #[derive(Debug, PartialEq)]
    enum Seen {
        Part,
        Other,
        Head(String, usize, usize),
    }

    fn seen(text: &str) -> Seen {
        let mut room = room();
        match read(text.as_bytes(), &mut room) {
            Begun::Part => Seen::Part,
            Begun::Other => Seen::Other,
            Begun::Head {
                head,
                bytes,
                body_bytes,
            } => Seen::Head(
                format!("{} {}", head.method, head.target),
                bytes,
                body_bytes,
            ),
        }
    }

    #[test]
    fn a_plain_head_is_read_once_it_is_whole() {
        let text = "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n";
        for cut in 1..text.len() {
            assert_eq!(seen(&text[..cut]), Seen::Part, "{cut}");
        }
        let whole = Seen::Head("POST /v1/x".to_owned(), text.len(), 12);
        assert_eq!(seen(text), whole);
        assert_eq!(seen(&format!("{text}{{}}")), whole);
        let kept = text.replace("Host: a", "connection: Keep-Alive");
        let read = Seen::Head("POST /v1/x".to_owned(), kept.len(), 12);
        assert_eq!(seen(&kept), read);
    }

    #[test]
    fn what_is_not_plain_is_for_the_long_way() {
        let with = |header: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n");
        let many = (0..HEADERS_LIMIT).map(|at| format!("x-{at}: 1\r\n"));
        for text in [
            with("Connection: close"),
            with("Transfer-Encoding: chunked"),
            with("Expect: 100-continue"),
            with("Upgrade: h2c"),
            with("Content-Length: 1\r\nContent-Length: 1"),
            with("Content-Length: +1"),
            with("Content-Length: "),
            with("Content-Length: 99999999"),
            with("no colon"),
            with(&many.collect::<String>()),
            "GET / HTTP/1.0\r\n\r\n".to_owned(),
            "\u{16}\u{3}\u{1} no HTTP\r\n\r\n".to_owned(),
        ] {
            assert_eq!(seen(&text), Seen::Other, "{text}");
        }
    }

    #[test]
    fn a_header_is_found_by_its_name_in_any_case_and_the_first_counts() {
        let text = b"GET / HTTP/1.1\r\nACCEPT: one\r\naccept: two\r\n\r\n";
        let mut room = room();
        let Begun::Head { head, .. } = read(text, &mut room) else {
            panic!("it is a head");
        };
        assert_eq!(head.get(&ACCEPT), Some(&b"one"[..]));
        assert_eq!(head.get(&CONTENT_LENGTH), None);
    }
}
