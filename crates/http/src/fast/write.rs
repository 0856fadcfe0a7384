//! Answers as HTTP/1.1 sends them, written into the connection's buffer with head and body.

use data_encoding::HEXLOWER;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName};

use super::date;
use crate::answer::{JSON, REPLAYED, Whole};
use crate::request_id::RequestId;

/// What an answer's head says besides the answer.
pub(super) struct Beside<'a> {
    /// The id of the request.
    pub(super) id: &'a RequestId,
    /// Whether the connection ends with this answer.
    pub(super) closes: bool,
    /// The coarse clock of this thread.
    pub(super) second: u32,
}

/// A body up to this many bytes is copied behind its head.
const COPIED_BYTES: usize = 8 * 1024;

/// Appends an answer. Answers its body if that is long, to be sent behind it.
pub(super) fn put(to: &mut Vec<u8>, answer: Whole, beside: &Beside<'_>) -> Vec<u8> {
    status(to, answer.status());
    let body = match answer {
        Whole::Json {
            text, is_replayed, ..
        } => {
            header(to, &CONTENT_TYPE, JSON.as_bytes());
            if is_replayed {
                header(to, &HeaderName::from_static(REPLAYED), b"true");
            }
            Some(text)
        }
        Whole::NoContent => None,
        Whole::Other(response) => {
            for (name, value) in response.headers() {
                header(to, name, value.as_bytes());
            }
            Some(response.into_body())
        }
    };
    to.extend_from_slice(b"x-request-id: ");
    match beside.id {
        RequestId::Made(number) => to.extend_from_slice(&digits(*number)),
        RequestId::Given(text) => to.extend_from_slice(text.as_bytes()),
    }
    to.extend_from_slice(b"\r\n");
    if beside.closes {
        to.extend_from_slice(b"connection: close\r\n");
    }
    if let Some(body) = &body {
        to.extend_from_slice(b"content-length: ");
        to.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
        to.extend_from_slice(b"\r\n");
    }
    to.extend_from_slice(b"date: ");
    date::put(to, beside.second);
    to.extend_from_slice(b"\r\n\r\n");
    match body.unwrap_or_default() {
        long if long.len() > COPIED_BYTES => long,
        body => {
            to.extend_from_slice(&body);
            Vec::new()
        }
    }
}

fn status(to: &mut Vec<u8>, status: StatusCode) {
    to.extend_from_slice(b"HTTP/1.1 ");
    to.extend_from_slice(status.as_str().as_bytes());
    to.push(b' ');
    // A reason must be there, for many parsers expect it.
    let reason = status.canonical_reason().unwrap_or("<none>");
    to.extend_from_slice(reason.as_bytes());
    to.extend_from_slice(b"\r\n");
}

fn header(to: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    to.extend_from_slice(name.as_str().as_bytes());
    to.extend_from_slice(b": ");
    to.extend_from_slice(value);
    to.extend_from_slice(b"\r\n");
}

/// A generated id's hexadecimal digits.
fn digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    HEXLOWER.encode_mut(&number.to_be_bytes(), &mut digits);
    digits
}

#[cfg(test)]
mod tests {
    use usher_api::Code;

    use super::*;
    use crate::Refusal;
    use crate::answer::{json, no_content};

    /// The answer without its date.
    fn written(answer: Whole, closes: bool) -> String {
        let mut bytes = Vec::new();
        let id = &RequestId::Given("0a".into());
        let second = 1;
        let long = put(&mut bytes, answer, &Beside { id, closes, second });
        bytes.extend_from_slice(&long);
        let text = String::from_utf8(bytes).unwrap();
        let (before, after) = text.split_once("date: ").unwrap();
        let (date, after) = after.split_once("\r\n").unwrap();
        assert!(date.ends_with(" GMT"), "{date}");
        format!("{before}{after}")
    }

    #[test]
    fn an_answer_has_the_headers_that_its_kind_needs() {
        let granted = json(StatusCode::CREATED, b"{\"a\":1}".to_vec(), false);
        assert_eq!(
            written(granted, false),
            "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nx-request-id: 0a\r\n\
             content-length: 7\r\n\r\n{\"a\":1}"
        );
        let again = json(StatusCode::OK, Vec::new(), true);
        assert_eq!(
            written(again, true),
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nidempotency-replayed: true\r\n\
             x-request-id: 0a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
        assert_eq!(
            written(no_content(), false),
            "HTTP/1.1 204 No Content\r\nx-request-id: 0a\r\n\r\n"
        );
    }

    #[test]
    fn a_long_body_is_not_copied() {
        let long = vec![b'1'; COPIED_BYTES + 1];
        let mut head = Vec::new();
        let (id, closes) = (&RequestId::Made(10), false);
        let answer = json(StatusCode::OK, long.clone(), false);
        let place = match &answer {
            Whole::Json { text, .. } => text.as_ptr(),
            other => panic!("{other:?}"),
        };
        let second = 1;
        let body = put(&mut head, answer, &Beside { id, closes, second });
        let head = String::from_utf8(head).unwrap();
        assert!(
            head.contains("\r\nx-request-id: 000000000000000a\r\n"),
            "{head}"
        );
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        assert_eq!((body.as_ptr(), &body), (place, &long));
    }

    #[test]
    fn a_refusal_keeps_its_headers() {
        let busy = Refusal::new(Code::Busy, "later").into_whole();
        let bytes = busy.body().len();
        let text = written(Whole::Other(Box::new(busy)), false);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            head,
            format!(
                "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
                 retry-after: 1\r\nx-request-id: 0a\r\ncontent-length: {bytes}"
            )
        );
        assert!(body.contains("later"), "{body}");
    }
}
