//! Makes wishes of recorded asks: what one person wanted once, however often it was asked for.
//!
//! Somebody who was refused and asks again within a quarter of an hour ([`RETRY_SECONDS`]) for as
//! many seats still wants the same. A replay tries the asks of a wish in turn while the seats that
//! it tries refuse them: the first that is granted ends the wish, and the later ones never happen.
//! So a number of seats that grants the first ask grants one use, for as long as it was held in the
//! end, and one that refuses them all counts one refusal.

use rustc_hash::FxHashMap;

use crate::ledger::RETRY_SECONDS;
use crate::replay::lengths::{Lengths, Source};
use crate::replay::recording::{Ask, Outcome, Recording, Running, Waits};

const RETRY_MS: i64 = (RETRY_SECONDS * 1_000).cast_signed();

/// How long the seats of a wish are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// As they were, in milliseconds.
    Known(u64),
    /// To the end of the recording: they were still held then.
    ToTheEnd,
    /// Not known: drawn from these.
    Drawn(Source),
}

/// What one person wanted once.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// When it was first asked for, in Unix milliseconds.
    pub(super) first_ms: i64,
    pub(super) person: u64,
    pub(super) computer: u64,
    pub(super) seats: u32,
    /// The place of its first ask among all.
    pub(super) first: u32,
    /// The place of its last one.
    pub(super) last: u32,
    pub(super) held: Held,
}

/// An ask of a wish.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub(super) at_ms: i64,
    /// The place of its wish.
    pub(super) wish: u32,
    pub(super) waits: Waits,
    pub(super) priority: i8,
}

/// A recording that is ready to be replayed, as often as one likes and on several threads at once.
#[derive(Debug)]
pub struct Prepared {
    pub(super) product: String,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    pub(super) unobserved_ms: u64,
    pub(super) running: Vec<Running>,
    /// In the order of their first asks.
    pub(super) wishes: Vec<Wish>,
    /// In the order of their instants.
    pub(super) attempts: Vec<Attempt>,
    pub(super) lengths: Lengths,
    /// Wishes whose length is drawn.
    pub(super) unknown: u64,
    /// Wishes that had a seat in the recording.
    pub(super) granted: u64,
    /// Asks outside the recording's time.
    pub(super) outside: u64,
}

/// The latest wish of a person who was refused.
struct Open {
    wish: u32,
    seats: u32,
    /// When it was refused last.
    refused_ms: i64,
}

impl Prepared {
    /// Sorts the asks and joins retries. Takes memory in proportion to the asks; of more than 4
    /// billion the rest is passed over.
    pub fn of(recording: &Recording) -> Prepared {
        let is_inside = |ask: &&Ask| (recording.from_ms..recording.until_ms).contains(&ask.at_ms);
        let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        let mut asks: Vec<&Ask> = recording.asks.iter().filter(is_inside).take(most).collect();
        // Stable: asks at one instant stay in the order of the list.
        asks.sort_by_key(|ask| ask.at_ms);
        let lengths = Lengths::of(asks.iter().filter_map(|ask| match ask.outcome {
            Outcome::Granted {
                held_ms: Some(held_ms),
            } => Some((ask.person, held_ms)),
            _ => None,
        }));
        let mut prepared = Prepared {
            product: recording.product.clone(),
            from_ms: recording.from_ms,
            until_ms: recording.until_ms,
            unobserved_ms: recording.unobserved_ms(),
            running: recording.running.clone(),
            wishes: Vec::with_capacity(asks.len()),
            attempts: Vec::with_capacity(asks.len()),
            lengths,
            unknown: 0,
            granted: 0,
            outside: recording.asks.len().saturating_sub(asks.len()) as u64,
        };
        let mut open: FxHashMap<u64, Open> = FxHashMap::default();
        for ask in asks {
            prepared.take(ask, &mut open);
        }
        let is_unknown = |wish: &&Wish| matches!(wish.held, Held::Drawn(_));
        prepared.unknown = prepared.wishes.iter().filter(is_unknown).count() as u64;
        prepared.granted = prepared.asks().saturating_sub(prepared.unknown);
        prepared
    }

    fn take(&mut self, ask: &Ask, open: &mut FxHashMap<u64, Open>) {
        // Both are bounded by the number of asks, of which there are fewer than 2^32.
        let attempt = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        let next = u32::try_from(self.wishes.len()).unwrap_or(u32::MAX);
        let repeated = open
            .get(&ask.person)
            .filter(|open| {
                let since_ms = ask.at_ms.saturating_sub(open.refused_ms);
                open.seats == ask.seats && (0..RETRY_MS).contains(&since_ms)
            })
            .map(|open| open.wish);
        let held = match ask.outcome {
            Outcome::Granted {
                held_ms: Some(held_ms),
            } => Held::Known(held_ms),
            Outcome::Granted { held_ms: None } => Held::ToTheEnd,
            Outcome::Refused | Outcome::LeftQueue => Held::Drawn(self.lengths.source(ask.person)),
        };
        let place = repeated.unwrap_or(next);
        let known = match repeated {
            Some(wish) => self.wishes.get_mut(wish as usize),
            None => None,
        };
        match known {
            Some(wish) => {
                wish.held = held;
                wish.last = attempt;
            }
            None => self.wishes.push(Wish {
                first_ms: ask.at_ms,
                person: ask.person,
                computer: ask.computer,
                seats: ask.seats,
                first: attempt,
                last: attempt,
                held,
            }),
        }
        self.attempts.push(Attempt {
            at_ms: ask.at_ms,
            wish: place,
            waits: ask.waits,
            priority: ask.priority,
        });
        if ask.outcome.is_granted() {
            open.remove(&ask.person);
            return;
        }
        let waited_ms = match (ask.outcome, ask.waits) {
            (Outcome::LeftQueue, Waits::ForMs(ms)) => i64::try_from(ms).unwrap_or(i64::MAX),
            _ => 0,
        };
        let last = Open {
            wish: place,
            seats: ask.seats,
            refused_ms: ask.at_ms.saturating_add(waited_ms),
        };
        open.insert(ask.person, last);
    }

    /// How many wishes there are: retries of one person count once. An answer calls them asks.
    pub fn asks(&self) -> u64 {
        self.wishes.len() as u64
    }

    /// How many of them nobody knows the length of.
    pub fn unknown_lengths(&self) -> u64 {
        self.unknown
    }

    /// How many of them had a seat in the recording.
    pub fn granted_as_recorded(&self) -> u64 {
        self.granted
    }

    /// How many recorded asks were retries.
    pub(super) fn retries(&self) -> u64 {
        (self.attempts.len() as u64).saturating_sub(self.asks())
    }
}
