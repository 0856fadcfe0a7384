//! What tells a repeat of a request that begins an import: its Idempotency-Key, and whose it is.

use hyper::HeaderMap;

use crate::asker::Asker;
use crate::problem::Refusal;

const HEADER: &str = "idempotency-key";
const KEY_LIMIT_BYTES: usize = 255;

/// The key of a request, within those of who asks; none: it has none.
pub(super) fn of(headers: &HeaderMap, asker: &Asker) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    match key(value.as_bytes()) {
        // Ids of tokens have no blanks.
        Some(key) => Ok(Some(format!("{} {key}", asker.id))),
        None => Err(Refusal::invalid(format!(
            "Idempotency-Key is not 1 to {KEY_LIMIT_BYTES} printable ASCII characters: send \
             something like a UUID"
        ))),
    }
}

fn key(bytes: &[u8]) -> Option<&str> {
    let is_printable = bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    let is_key = (1..=KEY_LIMIT_BYTES).contains(&bytes.len()) && is_printable;
    std::str::from_utf8(bytes).ok().filter(|_| is_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_printable() {
        assert_eq!(key(b"3f2a job 7"), Some("3f2a job 7"));
        for wrong in [&b""[..], b"a\tb", "\u{fc}".as_bytes(), &[b'x'; 256]] {
            assert_eq!(key(wrong), None, "{wrong:?}");
        }
    }
}
