//! The id of a request: its client's, or made here. It stands in the answer's header, in a problem
//! document and in the lines that are logged while the request is worked on.
//!
//! Ids that are made count up from a random start on each thread; their texts are written a block
//! at a time, so that a request allocates nothing for its own.

use std::cell::RefCell;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

use data_encoding::HEXLOWER;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};

pub use usher_vital::RequestId;

/// The header with a request's id: of requests whose clients name them, and of every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header by which a client repeats a request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest id that is accepted from a client, in characters.
const GIVEN_LIMIT: usize = 64;
/// How many ids are written at once.
const BLOCK: usize = 64;
/// The length of a generated id, in characters.
const DIGITS: usize = 16;
/// Tables hold numbers below 2^63.
const LARGEST: u64 = i64::MAX as u64;

/// The id of a request, and its header.
#[derive(Debug)]
pub struct NamedRequest {
    id: RequestId,
    value: HeaderValue,
}

impl NamedRequest {
    /// The id of a request, as [`id_of`] finds it.
    pub fn of<'a>(header: impl Fn(&HeaderName) -> Option<&'a [u8]>) -> NamedRequest {
        if let Some(text) = given(&header)
            && let Ok(value) = HeaderValue::from_str(text)
        {
            let id = RequestId::Given(text.into());
            return NamedRequest { id, value };
        }
        match keyed(&header) {
            Some(number) => {
                NamedRequest::of_number(number, HEXLOWER.encode(&number.to_be_bytes()).into())
            }
            None => NamedRequest::made(),
        }
    }

    /// A generated id.
    pub fn made() -> NamedRequest {
        let (number, text) = NEXT.with_borrow_mut(Ids::next);
        NamedRequest::of_number(number, text)
    }

    fn of_number(number: u64, text: Bytes) -> NamedRequest {
        let value = HeaderValue::from_maybe_shared(text);
        NamedRequest {
            id: RequestId::Made(number),
            // Hexadecimal digits are a header's value.
            value: value.unwrap_or_else(|_| HeaderValue::from_static("")),
        }
    }

    /// The id that answers and log lines carry.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// Its id as a header's value.
    pub fn into_value(self) -> HeaderValue {
        self.value
    }
}

/// The id in a request's headers if it is 1 to 64 of `A-Z a-z 0-9 . _ -`, else a generated one.
/// `header` finds the first header of a name.
pub(crate) fn id_of<'a>(header: impl Fn(&HeaderName) -> Option<&'a [u8]>) -> RequestId {
    match given(&header) {
        Some(text) => RequestId::Given(text.into()),
        None => RequestId::Made(match keyed(&header) {
            Some(number) => number,
            None => NEXT.with_borrow_mut(Ids::number),
        }),
    }
}

/// The id that a client gave.
fn given<'a>(header: &impl Fn(&HeaderName) -> Option<&'a [u8]>) -> Option<&'a str> {
    let value = header(&REQUEST_ID).filter(|value| is_id(value))?;
    str::from_utf8(value).ok()
}

/// A number that is the same whenever a client repeats a request by its key: what it then gets is
/// the first answer again, word for word.
fn keyed<'a>(header: &impl Fn(&HeaderName) -> Option<&'a [u8]>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    hasher.write(header(&KEY)?);
    hasher.write(header(&AUTHORIZATION).unwrap_or_default());
    Some(hasher.finish() & LARGEST)
}

fn is_id(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=GIVEN_LIMIT).contains(&value.len()) && value.iter().all(plain)
}

thread_local! {
    static NEXT: RefCell<Ids> = RefCell::new(Ids::from(random()));
}

/// A random number: the hasher of the standard library is seeded from the system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The ids of one thread.
struct Ids {
    next: u64,
    /// The texts of the next ids.
    texts: Bytes,
}

impl Ids {
    fn from(start: u64) -> Ids {
        Ids {
            next: start & LARGEST,
            texts: Bytes::new(),
        }
    }

    fn next(&mut self) -> (u64, Bytes) {
        if self.texts.is_empty() {
            let mut texts = String::with_capacity(BLOCK * DIGITS);
            let mut number = self.next;
            for _ in 0..BLOCK {
                HEXLOWER.encode_append(&number.to_be_bytes(), &mut texts);
                number = after(number);
            }
            self.texts = texts.into();
        }
        let number = self.next;
        self.next = after(number);
        (number, self.texts.split_to(DIGITS))
    }

    /// The next number, whose text is not needed.
    fn number(&mut self) -> u64 {
        if !self.texts.is_empty() {
            drop(self.texts.split_to(DIGITS));
        }
        let number = self.next;
        self.next = after(number);
        number
    }
}

fn after(number: u64) -> u64 {
    (number + 1) & LARGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(HeaderName, &str)]) -> NamedRequest {
        NamedRequest::of(|name| {
            let found = headers.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| value.as_bytes())
        })
    }

    #[test]
    fn a_clients_id_is_taken_if_a_log_can_bear_it() {
        let longest = "x".repeat(64);
        for id in ["a", "Job-7_2.b", &longest] {
            let request = of(&[(REQUEST_ID, id)]);
            assert_eq!(request.id().to_string(), id);
            assert_eq!(request.into_value(), id);
        }
        for wrong in ["", "a b", "a\"b", "a=b", "ü", &"x".repeat(65)] {
            let made = of(&[(REQUEST_ID, wrong)]);
            assert!(matches!(made.id(), RequestId::Made(_)), "{wrong:?}");
        }
    }

    #[test]
    fn ids_that_are_made_differ_and_are_shown_as_they_are_logged() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            let request = NamedRequest::made();
            let id = request.id().to_string();
            assert_eq!(id.len(), 16);
            assert_eq!(request.into_value(), id.as_str());
            assert!(seen.insert(id));
        }
    }

    #[test]
    fn a_request_that_is_repeated_by_its_key_has_its_id_again() {
        let id = |key, token| {
            let request = of(&[(KEY, key), (AUTHORIZATION, token)]);
            request.id().to_string()
        };
        assert_eq!(id("k1", "Bearer a"), id("k1", "Bearer a"));
        assert_ne!(id("k1", "Bearer a"), id("k2", "Bearer a"));
        assert_ne!(id("k1", "Bearer a"), id("k1", "Bearer b"));
    }

    #[test]
    fn a_number_without_a_text_is_one_of_the_same_row() {
        let mut ids = Ids::from(6);
        assert_eq!(ids.number(), 6);
        assert_eq!(ids.next(), (7, "0000000000000007".into()));
        assert_eq!(ids.number(), 8);
        assert_eq!(ids.next(), (9, "0000000000000009".into()));
    }

    #[test]
    fn the_number_after_the_largest_that_a_table_holds_is_the_first() {
        let mut ids = Ids::from(u64::MAX);
        assert_eq!(ids.next(), (LARGEST, "7fffffffffffffff".into()));
        assert_eq!(ids.next(), (0, "0000000000000000".into()));
    }
}
