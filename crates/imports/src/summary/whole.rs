//! Whole uses, one a row of a table, in any order: how many there are, and how much at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::fact::{Holder, Product, Session};
use crate::pairing::{Grouping, Peak, Sweep, USERS_LIMIT};

/// Uses whose instants are kept to find what was in use at once; of further ones only the number counts.
pub const SPANS_LIMIT: usize = 2_000_000;

/// What the uses of a product are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) starts: u64,
    pub(super) ends: u64,
    pub(super) users: u64,
    /// Not all names were kept.
    pub(super) users_at_least: bool,
    pub(super) lines: Peak,
    pub(super) users_hosts: Peak,
    pub(super) seats: Peak,
}

#[derive(Debug)]
struct Span {
    from: Timestamp,
    /// None: it still runs.
    until: Option<Timestamp>,
    holder: u32,
    seats: u32,
}

#[derive(Debug, Default)]
struct OfProduct {
    counts: Counts,
    users: BTreeSet<u32>,
    spans: Vec<Span>,
}

/// Collects uses.
#[derive(Debug, Default)]
pub(super) struct Whole {
    products: BTreeMap<Product, OfProduct>,
    holders: HashMap<Holder, u32>,
    by_number: Vec<Holder>,
    users: HashMap<String, u32>,
    spans: usize,
    /// Uses beyond [`SPANS_LIMIT`], whose part in the peaks is not known.
    pub(super) not_kept: u64,
}

impl Whole {
    /// Takes in a use.
    pub(super) fn take(&mut self, it: &Session) {
        let holder = self.holder(&it.holder);
        let user = self.user(&it.holder.user);
        let of = self.products.entry(it.product.clone()).or_default();
        of.counts.starts = of.counts.starts.saturating_add(1);
        if it.until.is_some() {
            of.counts.ends = of.counts.ends.saturating_add(1);
        }
        match user {
            Some(user) => {
                of.users.insert(user);
            }
            None => of.counts.users_at_least = true,
        }
        match holder {
            Some(holder) if self.spans < SPANS_LIMIT => {
                self.spans = self.spans.saturating_add(1);
                of.spans.push(Span {
                    from: it.from,
                    until: it.until,
                    holder,
                    seats: it.seats,
                });
            }
            _ => self.not_kept = self.not_kept.saturating_add(1),
        }
    }

    /// Nothing more follows.
    pub(super) fn finish(self) -> BTreeMap<Product, Counts> {
        let by_number = self.by_number;
        let counted = self.products.into_iter().map(|(product, of)| {
            let mut counts = of.counts;
            counts.users = u64::try_from(of.users.len()).unwrap_or(u64::MAX);
            let sweep = swept(&of.spans, &by_number);
            counts.lines = sweep.peak_lines;
            counts.users_hosts = sweep.peak_people;
            counts.seats = sweep.peak_seats;
            (product, counts)
        });
        counted.collect()
    }

    fn holder(&mut self, holder: &Holder) -> Option<u32> {
        if let Some(number) = self.holders.get(holder) {
            return Some(*number);
        }
        let number = u32::try_from(self.by_number.len()).ok()?;
        if self.by_number.len() >= USERS_LIMIT {
            return None;
        }
        self.holders.insert(holder.clone(), number);
        self.by_number.push(holder.clone());
        Some(number)
    }

    fn user(&mut self, user: &str) -> Option<u32> {
        if let Some(number) = self.users.get(user) {
            return Some(*number);
        }
        let number = u32::try_from(self.users.len()).ok()?;
        if self.users.len() >= USERS_LIMIT {
            return None;
        }
        self.users.insert(user.to_owned(), number);
        Some(number)
    }
}

/// At one instant ends come first, then starts, then the ends of uses of no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    End,
    Start,
    EndOfNoLength,
}

fn swept(spans: &[Span], holders: &[Holder]) -> Sweep {
    let mut steps = Vec::with_capacity(spans.len().saturating_mul(2));
    for (place, span) in spans.iter().enumerate() {
        steps.push((span.from, Step::Start, place));
        if let Some(until) = span.until {
            let step = match until > span.from {
                true => Step::End,
                false => Step::EndOfNoLength,
            };
            steps.push((until, step, place));
        }
    }
    steps.sort_unstable();
    // Each use has seats of its own.
    let mut sweep = Sweep::new(Some(Grouping::default()));
    for (at, step, place) in steps {
        let Some((span, holder)) = spans
            .get(place)
            .and_then(|span| Some((span, holders.get(usize::try_from(span.holder).ok()?)?)))
        else {
            continue;
        };
        match step {
            Step::Start => {
                sweep.begin(at, holder, span.seats);
            }
            Step::End | Step::EndOfNoLength => sweep.end(span.from, at, holder, span.seats),
        }
    }
    sweep.settle();
    sweep
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session(from: i64, until: Option<i64>, user: u8, seats: u32) -> Session {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        Session {
            product: Product::Id("cad".to_owned()),
            holder: Holder {
                user: format!("u{user}"),
                host: "pc".to_owned(),
                display: None,
            },
            seats,
            version: None,
            program: None,
            from: at(from),
            until: until.map(at),
            row: 1,
        }
    }

    fn counted(sessions: &[Session]) -> Counts {
        let mut whole = Whole::default();
        sessions.iter().for_each(|it| whole.take(it));
        let (_, counts) = whole.finish().pop_first().unwrap();
        counts
    }

    #[test]
    fn uses_are_half_open_and_one_of_no_length_counts_at_its_instant() {
        let counts = counted(&[
            session(10, Some(20), 1, 2),
            session(0, Some(10), 2, 3),
            session(10, Some(10), 3, 1),
            session(30, None, 1, 1),
        ]);
        assert_eq!((counts.starts, counts.ends, counts.users), (4, 3, 3));
        let at = Some(Timestamp::from_second(10).unwrap());
        assert_eq!((counts.lines.count, counts.lines.at), (2, at));
        assert_eq!(
            (counts.seats.count, counts.seats.at),
            (3, Some(Timestamp::UNIX_EPOCH))
        );
    }

    proptest! {
        #[test]
        fn the_peak_is_the_most_that_any_instant_has(
            spans in proptest::collection::vec((0_i64..30, 0_i64..10, 0_u8..4, 1_u32..4), 1..40)
        ) {
            let sessions: Vec<Session> = spans
                .iter()
                .map(|(from, long, user, seats)| session(*from, Some(from + long), *user, *seats))
                .collect();
            let counts = counted(&sessions);
            let at = |second: i64| {
                let runs = spans.iter().filter(move |(from, long, ..)| {
                    *from <= second && (second < from + long || *long == 0 && *from == second)
                });
                runs.fold((0, 0), |(lines, sum), (.., seats)| (lines + 1, sum + u64::from(*seats)))
            };
            let all: Vec<(u64, u64)> = (0..40).map(at).collect();
            prop_assert_eq!(counts.lines.count, all.iter().map(|it| it.0).max().unwrap());
            prop_assert_eq!(counts.seats.count, all.iter().map(|it| it.1).max().unwrap());
        }
    }
}
