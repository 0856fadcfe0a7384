//! Open concerns: one message for each, for as long as it lasts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::Facts;
use super::judge::judge;
use super::kinds::{Concern, Kind};
use super::low::{Look, Lows, Seats};
use super::source::{self, SourceFacts};
use super::thresholds::Thresholds;

/// How many concerns of one kind and server are reported; the rest is counted.
pub const CONCERNS_OF_A_KIND: usize = 100;
/// How often the row of a concern that goes on is written at most.
const WRITTEN_EVERY: Duration = Duration::from_secs(900);
/// A server that serves is asked for its facts about twice a minute. After so many milliseconds
/// without them nobody knows what its seats were meanwhile.
const SERVER_UNSEEN_MS: i64 = 5 * 60_000;
/// The same of a source, by its own time: reports may come every few minutes.
const SOURCE_UNSEEN_MS: i64 = 15 * 60_000;

/// What to report or store about a concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It is new: raise its one message.
    Began(Concern),
    /// It goes on and was seen so many times; its values may have changed.
    GoesOn(Concern, u64),
    /// It is over.
    Ended {
        /// The kind of concern.
        kind: Kind,
        /// The id of what it was about, such as a product.
        about: String,
    },
    /// There are more of a kind than are reported.
    TooMany {
        /// The kind of concern.
        kind: Kind,
        /// How many more.
        more: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    values: Vec<String>,
    count: u64,
    written_at: Duration,
    /// Since when it has not been seen, on the caller's clock; none: it was seen at the last poll.
    gone_since: Option<Duration>,
}

/// The concerns about one server or source that were reported and are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerns {
    open: BTreeMap<(Kind, String), Open>,
    lows: Lows,
    /// For each kind, how many more there were when that was last reported.
    more: BTreeMap<Kind, usize>,
}

impl Concerns {
    /// Resumes a concern that was open when an earlier manager ended.
    pub fn resume(&mut self, kind: Kind, about: String, count: u64, now: Duration) {
        let open = Open {
            values: Vec::new(),
            count,
            written_at: now,
            gone_since: None,
        };
        self.open.insert((kind, about), open);
    }

    /// Takes the facts that a server reported at the time `now`; answers what to report. Without
    /// facts nothing begins and nothing ends.
    pub fn see(
        &mut self,
        now: Duration,
        server: &str,
        facts: &Facts,
        thresholds: &Thresholds,
    ) -> Vec<Notice> {
        let is_open = |kind, about: &str| self.open.contains_key(&(kind, about.to_owned()));
        let mut found = judge(server, facts, thresholds, &is_open);
        let look = Look {
            whose: server,
            clock_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            at_ms: facts.at_ms,
            unseen_ms: SERVER_UNSEEN_MS,
        };
        let seats = facts.products.iter().map(|it| Seats {
            id: &it.id,
            name: &it.name,
            seats: it.seats,
            in_use: it.in_use,
        });
        found.extend(self.lows.see(look, seats, thresholds, &is_open));
        self.take(now, found, thresholds, &|_| true)
    }

    /// Takes what a site knows of a source at the time `now`; answers what to report. If nothing
    /// recent is known of its seats, no concern about them begins or ends.
    pub fn see_source(
        &mut self,
        now: Duration,
        facts: &SourceFacts,
        thresholds: &Thresholds,
    ) -> Vec<Notice> {
        let is_open = |kind, about: &str| self.open.contains_key(&(kind, about.to_owned()));
        let mut found = source::judge(facts, thresholds);
        if let Some(known) = &facts.seats {
            let look = Look {
                whose: &facts.source,
                clock_ms: known.until_ms,
                at_ms: known.until_ms,
                unseen_ms: SOURCE_UNSEEN_MS,
            };
            let seats = known.products.iter().map(|it| Seats {
                id: &it.product,
                name: &it.product,
                seats: it.seats,
                in_use: it.in_use,
            });
            found.extend(self.lows.see(look, seats, thresholds, &is_open));
        }
        let is_known = |kind: Kind| kind != Kind::FewFree || facts.seats.is_some();
        self.take(now, found, thresholds, &is_known)
    }

    /// Ends all concerns: what they are about is there no more.
    pub fn end_all(&mut self) -> Vec<Notice> {
        let open = std::mem::take(self).open.into_keys();
        open.map(|(kind, about)| Notice::Ended { kind, about })
            .collect()
    }

    /// Compares what was found with what is open. Of kinds of which nothing `is_known` now, what is
    /// open stays so.
    fn take(
        &mut self,
        now: Duration,
        found: Vec<Concern>,
        thresholds: &Thresholds,
        is_known: &dyn Fn(Kind) -> bool,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut there: BTreeMap<(Kind, String), Concern> = found
            .iter()
            .map(|concern| ((concern.kind, concern.about.clone()), concern.clone()))
            .collect();
        let calm = Duration::from_secs(u64::from(thresholds.calm_minutes) * 60);
        self.open.retain(|(kind, about), open| {
            match there.remove(&(*kind, about.clone())) {
                Some(concern) => notices.extend(open.goes_on(now, concern)),
                None if !is_known(*kind) => open.gone_since = None,
                None if kind.is_entered() || open.is_over(now, calm) => {
                    let about = about.clone();
                    notices.push(Notice::Ended { kind: *kind, about });
                    return false;
                }
                None => {}
            }
            true
        });
        let fresh = found
            .into_iter()
            .filter(|it| there.contains_key(&(it.kind, it.about.clone())));
        self.begin(now, fresh, &mut notices);
        notices
    }

    fn begin(
        &mut self,
        now: Duration,
        fresh: impl Iterator<Item = Concern>,
        notices: &mut Vec<Notice>,
    ) {
        let mut more: BTreeMap<Kind, usize> = BTreeMap::new();
        for concern in fresh {
            let kind = concern.kind;
            if self.open_of(kind) >= CONCERNS_OF_A_KIND {
                *more.entry(kind).or_default() += 1;
                continue;
            }
            let open = Open {
                values: concern.values.clone(),
                count: 1,
                written_at: now,
                gone_since: None,
            };
            self.open.insert((kind, concern.about.clone()), open);
            notices.push(Notice::Began(concern));
        }
        for (kind, more) in &more {
            // Said again when they have doubled.
            if *more >= self.more.get(kind).map_or(1, |said| said * 2) {
                self.more.insert(*kind, *more);
                notices.push(Notice::TooMany {
                    kind: *kind,
                    more: *more,
                });
            }
        }
        self.more.retain(|kind, _| more.contains_key(kind));
    }

    fn open_of(&self, kind: Kind) -> usize {
        let of_kind = (kind, String::new())..;
        self.open
            .range(of_kind)
            .take_while(|((other, _), _)| *other == kind)
            .count()
    }
}

impl Open {
    fn goes_on(&mut self, now: Duration, concern: Concern) -> Option<Notice> {
        self.count += 1;
        self.gone_since = None;
        let is_due = now.saturating_sub(self.written_at) >= WRITTEN_EVERY;
        if concern.values == self.values && !is_due {
            return None;
        }
        self.values.clone_from(&concern.values);
        self.written_at = now;
        Some(Notice::GoesOn(concern, self.count))
    }

    fn is_over(&mut self, now: Duration, calm: Duration) -> bool {
        let since = *self.gone_since.get_or_insert(now);
        now.saturating_sub(since) >= calm
    }
}
