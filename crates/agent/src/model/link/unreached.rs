//! Starts of products that were allowed while no server could be reached: counted, so that the
//! server can tell of them afterwards.

use jiff::Timestamp;
use usher_api::UnreachedStarts;

/// How many products are named; further ones are only counted.
const NAMED: usize = 5;
/// For how long after the last start they are reported, in milliseconds.
const TOLD_MS: i64 = 7 * 86_400_000;

/// The current period without a server, or the last one with starts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unreached {
    starts: Option<UnreachedStarts>,
    /// Whether no server can be reached.
    away: bool,
    /// Whether the next start begins a new period.
    is_over: bool,
}

impl Unreached {
    /// Resumes what a former run stored, as text.
    pub(crate) fn kept(text: Option<&str>) -> Self {
        Unreached {
            starts: text.and_then(|text| serde_json::from_str(text).ok()),
            away: false,
            is_over: true,
        }
    }

    /// Notes that an exchange with the server has failed.
    pub(crate) fn away(&mut self) {
        self.away = true;
    }

    /// Notes that an exchange has succeeded.
    pub(crate) fn reached(&mut self) {
        if std::mem::take(&mut self.away) {
            self.is_over = true;
        }
    }

    /// Notes a start of a product. Answers what to store, if it counts.
    pub(crate) fn started(&mut self, product: &str, at: Timestamp) -> Option<String> {
        if !self.away {
            return None;
        }
        if std::mem::take(&mut self.is_over) {
            self.starts = None;
        }
        let starts = self.starts.get_or_insert_with(|| UnreachedStarts {
            starts: 0,
            first_at: at,
            last_at: at,
            products: Vec::new(),
        });
        starts.starts += 1;
        starts.last_at = starts.last_at.max(at);
        let is_new = !starts.products.iter().any(|known| known == product);
        if is_new && starts.products.len() < NAMED {
            starts.products.push(product.to_owned());
        }
        serde_json::to_string(starts).ok()
    }

    /// What to report to the server at `now`.
    pub(crate) fn told(&self, now: Timestamp) -> Option<UnreachedStarts> {
        let age_ms = |it: &UnreachedStarts| now.as_millisecond() - it.last_at.as_millisecond();
        self.starts.clone().filter(|it| age_ms(it) < TOLD_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn only_starts_without_a_server_are_counted_and_each_stretch_anew() {
        let mut unreached = Unreached::kept(None);
        assert_eq!(unreached.started("cad", at(1)), None);
        unreached.away();
        for second in 2..=9 {
            let product = format!("cad{second}");
            assert!(unreached.started(&product, at(second)).is_some());
        }
        unreached.reached();
        assert_eq!(unreached.started("cad", at(10)), None);
        let told = unreached.told(at(11)).unwrap();
        assert_eq!((told.starts, told.products.len()), (8, NAMED));
        assert_eq!((told.first_at, told.last_at), (at(2), at(9)));
        unreached.away();
        assert_eq!(unreached.told(at(12)).unwrap().starts, 8, "none since");
        unreached.started("cad", at(13));
        assert_eq!(unreached.told(at(14)).unwrap().starts, 1);
        assert_eq!(unreached.told(at(14 + 8 * 86_400)), None, "long ago");
    }

    #[test]
    fn what_was_counted_outlives_the_agent() {
        let mut before = Unreached::kept(None);
        before.away();
        let kept = before.started("cad", at(1)).unwrap();
        let after = Unreached::kept(Some(&kept));
        assert_eq!(after.told(at(2)), before.told(at(2)));
    }
}
