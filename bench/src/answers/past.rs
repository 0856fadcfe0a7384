//! The past of a made-up site as its servers tell it: in the order in which uses end, one after the
//! other, however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

use clap::Args;
use usher_core::usage::Span;
use usher_core::usage::made_up::{MadeUp, MadeUpSession};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// How large a past is made up.
#[derive(Args, Clone, Copy)]
pub(crate) struct PastArguments {
    /// Sessions of 90 days, 200 products and 10,000 people, 1000 to 100000000
    #[arg(long, default_value_t = 10_000_000,
        value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    sessions: u64,
    /// Another number gives other sessions; the same gives the same
    #[arg(long, default_value_t = 18)]
    seed: u64,
}

impl PastArguments {
    /// What is made up.
    pub(super) fn made_up(self) -> MadeUp {
        MadeUp {
            sessions: self.sessions,
            ..MadeUp::quarter_of_a_large_site(self.seed)
        }
    }
}

/// When a use ended, when it began, and of which product, person and computer it was.
type Key = (i64, i64, u32, u32, u32);

/// Sessions that come by days are given in the order of their ends. It holds those of a day, and
/// those that last longer.
pub(super) struct InOrderOfEnds<I: Iterator<Item = MadeUpSession>> {
    sessions: Peekable<I>,
    open: BinaryHeap<Reverse<Key>>,
}

/// The sessions that are made up, in the order of their ends. Those with the same end and beginning
/// come in the order of their products, people and computers.
pub(super) fn in_order_of_ends(
    made_up: &MadeUp,
) -> InOrderOfEnds<impl Iterator<Item = MadeUpSession> + use<>> {
    InOrderOfEnds {
        sessions: made_up.iter().peekable(),
        open: BinaryHeap::new(),
    }
}

impl<I: Iterator<Item = MadeUpSession>> Iterator for InOrderOfEnds<I> {
    type Item = MadeUpSession;

    fn next(&mut self) -> Option<MadeUpSession> {
        while let Some(next) = self.sessions.peek() {
            let day_ms = next.span.from_ms.div_euclid(DAY_MS).saturating_mul(DAY_MS);
            // No session to come begins before this day, and so none ends before it.
            if self.open.peek().is_some_and(|first| first.0.0 < day_ms) {
                break;
            }
            self.open.push(Reverse(key(next)));
            self.sessions.next();
        }
        self.open.pop().map(|first| session(first.0))
    }
}

fn key(it: &MadeUpSession) -> Key {
    let span = it.span;
    (
        span.until_ms,
        span.from_ms,
        it.product,
        it.person,
        it.computer,
    )
}

fn session((until_ms, from_ms, product, person, computer): Key) -> MadeUpSession {
    MadeUpSession {
        product,
        person,
        computer,
        span: Span {
            from_ms,
            until_ms,
            seats: 1,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sessions_come_in_the_order_of_their_ends_and_few_are_held() {
        let made_up = MadeUp {
            sessions: 20_000,
            ..MadeUp::quarter_of_a_large_site(3)
        };
        let mut told = in_order_of_ends(&made_up);
        let (mut sessions, mut held) = (Vec::new(), 0);
        while let Some(session) = told.next() {
            held = held.max(told.open.len());
            sessions.push(session);
        }
        let ends = sessions.iter().map(|session| session.span.until_ms);
        assert!(ends.is_sorted());
        let mut keys: Vec<Key> = made_up.iter().map(|session| key(&session)).collect();
        keys.sort_unstable();
        assert!(sessions.iter().map(key).eq(keys));
        // Of 90 days.
        assert!(held < 20_000 / 20, "{held}");
    }
}
