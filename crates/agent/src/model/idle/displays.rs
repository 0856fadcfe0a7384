//! What the helpers of graphical sessions report of their displays.
//!
//! A user reports of the displays of that account only, and only what is in use by it goes by that.

use rustc_hash::FxHashMap;
use usher_core::idle::Display;
use usher_core::sessions::{AccountKey, Who};

/// Displays of one account; the next is not taken.
const OF_ONE_LIMIT: usize = 16;
/// Displays in all; the next is not taken.
const LIMIT: usize = 4_096;

/// All displays that were reported of.
#[derive(Debug, Default)]
pub(crate) struct Displays {
    known: FxHashMap<AccountKey, FxHashMap<Box<str>, Display>>,
}

impl Displays {
    /// A helper of an account reports of a display. False: there is no room for it.
    pub(crate) fn report(
        &mut self,
        account: AccountKey,
        name: &str,
        now_ms: u64,
        display: Display,
    ) -> bool {
        let is_known = |of: &FxHashMap<Box<str>, Display>| of.contains_key(name);
        if !self.known.get(&account).is_some_and(is_known) {
            self.forget_old(now_ms);
            let all: usize = self.known.values().map(FxHashMap::len).sum();
            let own = self.known.get(&account).map_or(0, FxHashMap::len);
            if all >= LIMIT || own >= OF_ONE_LIMIT {
                return false;
            }
        }
        let of_account = self.known.entry(account).or_default();
        of_account.insert(name.into(), display);
        true
    }

    /// How long nobody has touched a display of who runs a program there; none if that is not
    /// known. Who is counted for the program comes before the account that it runs as.
    pub(crate) fn of(&self, now_ms: u64, who: Who, name: &str) -> Option<u64> {
        let of = |account| self.known.get(&account)?.get(name)?.untouched_ms(now_ms);
        of(who.counted).or_else(|| of(who.real))
    }

    fn forget_old(&mut self, now_ms: u64) {
        for of_account in self.known.values_mut() {
            of_account.retain(|_, display| display.is_fresh(now_ms));
        }
        self.known.retain(|_, of_account| !of_account.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(counted: u32, real: u32) -> Who {
        let [counted, real] = [counted, real].map(AccountKey::new);
        Who { counted, real }
    }

    #[test]
    fn a_display_is_known_by_the_word_of_its_own_account_only() {
        let mut displays = Displays::default();
        assert!(displays.report(
            AccountKey::new(1),
            ":0",
            1_000,
            Display::reported(1_000, 500, 100)
        ));
        assert_eq!(displays.of(1_050, who(1, 1), ":0"), Some(550));
        assert_eq!(displays.of(1_050, who(1, 0), ":0"), Some(550), "by sudo");
        assert_eq!(displays.of(1_050, who(2, 2), ":0"), None);
        assert_eq!(displays.of(1_050, who(1, 1), ":1"), None);
        assert_eq!(displays.of(1_101, who(1, 1), ":0"), None, "it is too old");
    }

    #[test]
    fn one_account_cannot_fill_the_table_for_others() {
        let mut displays = Displays::default();
        let mut report = |account, number: usize, now| {
            displays.report(
                AccountKey::new(account),
                &format!(":{number}"),
                now,
                Display::reported(now, 0, 100),
            )
        };
        assert!((0..OF_ONE_LIMIT).all(|number| report(1, number, 0)));
        assert!(!report(1, OF_ONE_LIMIT, 100));
        assert!(report(1, 0, 100), "what is known is reported on");
        assert!(report(2, 0, 100));
        assert!(report(1, OF_ONE_LIMIT, 150), "old ones make room");
    }
}
