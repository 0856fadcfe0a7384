//! Whether this manager leads its site at this moment: what reaches beyond the site database asks before
//! it acts, because the database can refuse nothing of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::steady;

/// What stands for a lead without an end.
const ALWAYS: u64 = u64::MAX;

/// One lead of this manager. Once it is over it stays over: the next one is another.
#[derive(Debug, Clone)]
pub(crate) struct Leading(Arc<AtomicU64>);

impl Leading {
    /// The lead of a manager that has its site to itself.
    pub(crate) fn always() -> Leading {
        Leading(Arc::new(AtomicU64::new(ALWAYS)))
    }

    /// No lead: another manager has it.
    pub(crate) fn never() -> Leading {
        Leading(Arc::default())
    }

    /// A lead until then, on the clock that counts sleep, unless it is renewed.
    pub(crate) fn until(end: Duration) -> Leading {
        Leading(Arc::new(AtomicU64::new(in_ms(end))))
    }

    /// Goes on until then, if it is not over; answers whether it goes on.
    pub(crate) fn renew(&self, end: Duration) -> bool {
        let now = in_ms(steady());
        let later = |known: u64| (known > now).then(|| known.max(in_ms(end)));
        let renewed = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
        renewed.is_ok()
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether it goes on.
    pub(crate) fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed) > in_ms(steady())
    }

    /// How long it goes on unless it is renewed.
    pub(crate) fn left(&self) -> Duration {
        let end = Duration::from_millis(self.0.load(Ordering::Relaxed));
        end.saturating_sub(steady())
    }
}

fn in_ms(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(ALWAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_lead_goes_on_while_it_is_renewed_and_stays_over() {
        let leading = Leading::until(steady() + HOUR);
        assert!(leading.holds());
        assert!(leading.renew(steady() + HOUR * 2));
        assert!(leading.left() > HOUR);
        // An answer that was under way for long makes it no shorter.
        assert!(leading.renew(steady() + HOUR));
        assert!(leading.left() > HOUR);
        let same = leading.clone();
        leading.end();
        assert!(!same.holds());
        assert!(!leading.renew(steady() + HOUR));
        assert!(!leading.holds());
        assert_eq!(leading.left(), Duration::ZERO);
        let over = Leading::until(steady());
        assert!(!over.renew(steady() + HOUR) && !over.holds());
        assert!(!Leading::never().holds() && Leading::always().holds());
    }
}
