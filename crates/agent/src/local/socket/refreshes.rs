//! How often accounts may have the agent ask its server at once: each exchange, and each look at what
//! the server knows, is a request that the server answers, whoever asked for it here.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use usher_core::sessions::AccountKey;

use crate::base::lock;
use crate::system::account_key;

/// An account may ask for this many at once.
const BURST: u32 = 20;
/// It may ask for one more after each such time.
const ONE_MORE_AFTER: Duration = Duration::from_millis(500);
/// Accounts that are remembered; beyond, those go that may ask as often as any.
const ACCOUNTS_LIMIT: usize = 1_024;

/// What each account has left, and as of when.
#[derive(Debug, Default)]
pub(crate) struct Refreshes(Mutex<FxHashMap<AccountKey, (u32, Instant)>>);

impl Refreshes {
    /// Whether `account` may have one more at `now`, and has it then; root always.
    pub(super) fn may(&self, account: AccountKey, now: Instant) -> bool {
        self.take(account, now, 1)
    }

    /// Whether `account` may have one more at `now`, which is not taken yet.
    pub(super) fn might(&self, account: AccountKey, now: Instant) -> bool {
        self.take(account, now, 0)
    }

    fn take(&self, account: AccountKey, now: Instant, count: u32) -> bool {
        if account_key::is_system(account) {
            return true;
        }
        let mut accounts = lock(&self.0);
        if accounts.len() >= ACCOUNTS_LIMIT && !accounts.contains_key(&account) {
            accounts.retain(|_, (left, since)| left_at(*left, *since, now).0 < BURST);
            if accounts.len() >= ACCOUNTS_LIMIT {
                return false;
            }
        }
        let (left, since) = accounts.entry(account).or_insert((BURST, now));
        (*left, *since) = left_at(*left, *since, now);
        if *left == 0 {
            return false;
        }
        *left -= count;
        true
    }
}

fn left_at(left: u32, since: Instant, now: Instant) -> (u32, Instant) {
    let passed = now.saturating_duration_since(since);
    let more = u32::try_from(passed.as_millis() / ONE_MORE_AFTER.as_millis()).unwrap_or(BURST);
    match left.saturating_add(more) {
        all if all >= BURST => (BURST, now),
        all => (all, since + ONE_MORE_AFTER * more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_few_at_once_and_then_one_each_half_second() {
        let refreshes = Refreshes::default();
        let began = Instant::now();
        let of = AccountKey::new;
        let at = |number, ms| refreshes.may(of(number), began + Duration::from_millis(ms));
        assert_eq!((0..100).filter(|_| at(1000, 0)).count(), 20);
        assert!(at(1001, 0), "another account has its own");
        assert!(at(0, 0));
        assert!(!refreshes.might(of(1000), began) && refreshes.might(of(1001), began));
        assert!(!at(1000, 499));
        assert!(at(1000, 500) && !at(1000, 500));
        assert_eq!((0..100).filter(|_| at(1000, 3_600_000)).count(), 20);
    }
}
