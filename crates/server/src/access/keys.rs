//! Idempotency keys: the same key with the same body gets the first answer again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use usher_core::ledger::Command;

use crate::access::auth::Principal;
use crate::wire::problem::Refusal;

/// The header with the idempotency key.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

const KEY_LIMIT_BYTES: usize = 255;

/// An idempotency key, scoped to its sender and route, and the body that it was sent with, as
/// hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnceKey {
    /// Hash of the sender, the route and the key.
    pub(crate) key: u128,
    /// Hash of the request's body.
    pub(crate) body: u64,
}

impl OnceKey {
    /// The idempotency key of a request with these headers, if it has one.
    pub(crate) fn of(
        headers: &HeaderMap,
        principal: &Principal,
        route: &str,
        body: &[u8],
    ) -> Result<Option<OnceKey>, Refusal> {
        let key = headers.get(HEADER).map(HeaderValue::as_bytes);
        OnceKey::of_value(key, principal, route, body)
    }

    /// The same, if the value of [`HEADER`] is known.
    pub(crate) fn of_value(
        key: Option<&[u8]>,
        principal: &Principal,
        route: &str,
        body: &[u8],
    ) -> Result<Option<OnceKey>, Refusal> {
        let Some(key) = key else {
            return Ok(None);
        };
        let printable = key.iter().all(|byte| (0x20..0x7f).contains(byte));
        if key.is_empty() || key.len() > KEY_LIMIT_BYTES || !printable {
            return Err(Refusal::invalid(format!(
                "Idempotency-Key is not 1 to {KEY_LIMIT_BYTES} printable ASCII characters: send \
                 something like a UUID"
            )));
        }
        let mut scope = Sha256::new();
        for part in [principal.token_id.as_bytes(), route.as_bytes(), key] {
            scope.update((part.len() as u64).to_le_bytes());
            scope.update(part);
        }
        Ok(Some(OnceKey {
            key: first_bytes(&scope.finalize()),
            body: first_bytes(&Sha256::digest(body)) as u64,
        }))
    }

    /// The command, which is applied once under the key.
    pub(crate) fn wrap(once: Option<OnceKey>, command: Command) -> Command {
        match once {
            None => command,
            Some(OnceKey { key, body }) => Command::Once {
                key,
                body,
                command: Box::new(command),
            },
        }
    }
}

fn first_bytes(digest: &[u8]) -> u128 {
    digest
        .iter()
        .take(16)
        .fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

const KEPT: Duration = Duration::from_secs(86_400);
const KEPT_LIMIT: usize = 1_000;

/// Answers with a secret, which must not be written to disk. They are kept in memory only: the
/// newest thousand, for a day. A repeat of an older one, or one from before a restart, is done
/// again.
#[derive(Default)]
pub(crate) struct SecretAnswers {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: FxHashMap<u128, (u64, Arc<Bytes>)>,
    order: VecDeque<(Instant, u128)>,
}

impl SecretAnswers {
    /// The answer that was given under the key, if there was one.
    pub(crate) fn get(&self, once: OnceKey) -> Result<Option<Arc<Bytes>>, Refusal> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.prune(Instant::now());
        match kept.answers.get(&once.key) {
            None => Ok(None),
            Some((body, answer)) if *body == once.body => Ok(Some(answer.clone())),
            Some(_) => Err(Refusal::key_conflict()),
        }
    }

    /// Stores an answer.
    pub(crate) fn put(&self, once: OnceKey, answer: Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.insert(once.key, (once.body, Arc::new(answer)));
        kept.order.push_back((Instant::now(), once.key));
        kept.prune(Instant::now());
    }
}

impl Kept {
    fn prune(&mut self, now: Instant) {
        while let Some((at, key)) = self.order.front().copied() {
            if now.duration_since(at) < KEPT && self.order.len() <= KEPT_LIMIT {
                return;
            }
            self.order.pop_front();
            self.answers.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_answers_are_forgotten_beyond_the_bound() {
        let answers = SecretAnswers::default();
        for key in 0..KEPT_LIMIT as u128 + 1 {
            answers.put(OnceKey { key, body: 1 }, Bytes::new());
        }
        assert!(answers.get(OnceKey { key: 0, body: 1 }).unwrap().is_none());
        assert!(answers.get(OnceKey { key: 1, body: 1 }).unwrap().is_some());
        assert!(answers.get(OnceKey { key: 1, body: 2 }).is_err());
    }
}
