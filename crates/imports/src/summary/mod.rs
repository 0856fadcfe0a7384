//! From facts to what an import answers, and to the rows that cross to a site.

mod features;
mod gaps;
mod keys;
mod levels;
mod limits;
mod live;
mod naming;
mod owned;
mod peaks;
mod reason;
mod rows;
mod seen;
#[cfg(test)]
mod tests;
mod waits;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use usher_api::{DatesFrom, ImportKind, ImportSummary, ImportedSilence};

pub use self::naming::{MAP_LIMIT, MapError, ProductMap};
pub use self::peaks::PEAKS_LIMIT;
pub use self::rows::Sink;
pub use self::seen::FOLLOWED_LIMIT;
pub use self::waits::WAITS_LIMIT;
pub use self::whole::SPANS_LIMIT;

use self::features::Features;
use self::gaps::Gaps;
use self::owned::{add_seats, owned_by_product};
use self::peaks::DaemonPeaks;
use self::rows::{Rows, Used};
use self::seen::Seen;
use self::waits::Waits;
use self::whole::Whole;
use crate::fact::{Fact, Feature, Owned, Product, Summed};
use crate::flexnet::options::Options;
use crate::pairing::{Ending, Groupings, Pairing, Totals, USERS_LIMIT, Use};
use crate::reading::Counts;

/// Products of which sums tell; those of further ones are not counted.
const SUMMED_LIMIT: usize = 100_000;

/// What a file's readers know beside facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How dates were found; none: there are none.
    pub dates_from: Option<DatesFrom>,
    /// The zone in which times without one were read.
    pub time_zone: String,
    /// What was assumed, doubted or left out, a sentence each.
    pub notes: Vec<String>,
}

/// Takes in the facts of an import.
#[derive(Debug)]
pub struct Summary {
    kind: ImportKind,
    today: Date,
    rows: Rows,
    pairing: Pairing,
    waits: Waits,
    seen: Seen,
    /// Reports keep coming.
    is_live: bool,
    gaps: Gaps,
    whole: Whole,
    peaks: DaemonPeaks,
    /// People of whom sums tell; by product.
    summed: BTreeMap<Product, (BTreeSet<String>, u64)>,
    summed_people: usize,
    /// Seats that licences beside give, and those of the file itself.
    owned: BTreeMap<Feature, Option<u64>>,
    /// The file itself says what is owned.
    is_of_owned: bool,
    /// The file is a log: it says when uses begin and end.
    is_log: bool,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Summary {
    /// Before the first fact. Licences that are given beside tell which checkouts share a seat, and how
    /// many are owned on that day.
    pub fn new(kind: ImportKind, map: ProductMap, licences: &[Owned], today: Date) -> Summary {
        let mut groupings = Groupings::default();
        let mut owned = BTreeMap::new();
        for licence in licences {
            if licence.written.set_aside.is_none() {
                groupings.learn(licence);
            }
            add_seats(&mut owned, licence, today);
        }
        let rows = Rows {
            map,
            ..Rows::default()
        };
        Summary {
            kind,
            today,
            rows,
            pairing: Pairing::new(groupings),
            waits: Waits::default(),
            seen: Seen::default(),
            is_live: false,
            gaps: Gaps::default(),
            whole: Whole::default(),
            peaks: DaemonPeaks::default(),
            summed: BTreeMap::new(),
            summed_people: 0,
            owned,
            is_of_owned: false,
            is_log: false,
            from: None,
            to: None,
        }
    }

    /// A file begins that may have rows of the one before.
    pub fn next_file(&mut self) {
        self.rows.keys.next_file();
    }

    /// Takes in a fact; rows that it completes are given to `sink`.
    pub fn take(&mut self, fact: &Fact, sink: &mut Sink<'_>) {
        self.waits.take(fact, &mut self.rows, sink);
        let rows = &mut self.rows;
        self.pairing
            .take(fact, &mut |used| say_use(&used, None, rows, sink));
        match fact {
            Fact::Checkout(_)
            | Fact::Checkin(_)
            | Fact::Inactive(_)
            | Fact::Queued(_)
            | Fact::Dequeued(_)
            | Fact::Unsupported(_)
            | Fact::Began { .. }
            | Fact::Ended { .. }
            | Fact::Reread { .. } => self.is_log = true,
            Fact::Denied(ask, words) => {
                self.is_log = true;
                self.rows.denied(ask, words, sink);
            }
            Fact::Unobserved { from, to } => {
                let silence = ImportedSilence {
                    from: *from,
                    to: *to,
                    server: None,
                    daemon: None,
                    why: None,
                };
                self.rows.silence(silence, sink);
            }
            Fact::Silent {
                at,
                server,
                daemon,
                why,
            } if self.is_live => {
                let whose = (server.clone(), daemon.clone());
                self.gaps.silent((whose, *at, why), &mut self.rows, sink);
            }
            Fact::Silent {
                at,
                server,
                daemon,
                why,
            } => {
                self.span(*at);
                let silence = ImportedSilence {
                    from: *at,
                    to: *at,
                    server: server.clone(),
                    daemon: daemon.clone(),
                    why: Some(why.clone()),
                };
                self.rows.silence(silence, sink);
            }
            Fact::DaemonPeak {
                daemon,
                feature,
                seats,
                at,
            } => {
                let (daemon, feature) = (daemon.as_deref(), feature.as_deref());
                self.peaks.take(daemon, feature, *seats, *at);
            }
            Fact::Snapshot(snapshot) => {
                self.span(snapshot.at);
                self.seen.take(snapshot, &mut self.rows, sink);
            }
            Fact::Owned(owned) => {
                self.is_of_owned = true;
                add_seats(&mut self.owned, owned, self.today);
                self.rows.owned(owned, sink);
            }
            Fact::Session(session) => {
                self.span(session.from);
                if let Some(until) = session.until {
                    self.span(until);
                }
                self.whole.take(session);
                let used = Used {
                    product: &session.product,
                    holder: &session.holder,
                    from: session.from,
                    until: session.until,
                    seen_until: None,
                    seats: session.seats,
                    version: session.version.as_deref(),
                    program: session.program.as_deref(),
                    ending: None,
                };
                self.rows.used(&used, sink);
            }
            Fact::Summed(summed) => {
                let told = [summed.from, summed.to, summed.last_used];
                told.into_iter().flatten().for_each(|at| self.span(at));
                self.sum(summed);
                self.rows.summed(summed, sink);
            }
            Fact::ClockSet { .. } | Fact::Consists { .. } => {}
        }
    }

    /// Takes in what an options file says. `daemons` are those of which the features are known.
    pub fn options(&mut self, options: &Options, sink: &mut Sink<'_>) {
        let known: Vec<Feature> = self.owned.keys().cloned().collect();
        limits::say(options, &known, &mut self.rows, sink);
    }

    /// Nothing more follows: gives the rows of what is still open, and the answer.
    pub fn finish(mut self, counts: &Counts, told: Told, sink: &mut Sink<'_>) -> ImportSummary {
        let last = self.pairing.last();
        let rows = &mut self.rows;
        self.waits.finish(last, rows, sink);
        let totals = self
            .pairing
            .finish(&mut |used| say_use(&used, last, rows, sink));
        let seen = self.seen.finish(rows, sink);
        let mut notes = told.notes;
        let mut features = Features::default();
        for counts in &totals.features {
            features.paired(rows.map.product(&counts.feature), counts);
        }
        let paired: BTreeSet<&Feature> = totals.features.iter().map(|it| &it.feature).collect();
        for (feature, counts) in &seen {
            let product = rows.map.product(feature);
            match (self.is_log, paired.contains(feature)) {
                (false, _) => features.seen(product, counts),
                (true, false) => features.named(product, counts.issued),
                (true, true) => features.owned(product, counts.issued, false),
            }
        }
        let not_kept = self.whole.not_kept;
        for (product, counts) in self.whole.finish() {
            features.whole(rows.map.product_of(&product), &counts);
        }
        for (product, (people, told)) in self.summed {
            let people = u64::try_from(people.len()).unwrap_or(u64::MAX);
            features.summed(rows.map.product_of(&product), people.max(told));
        }
        for (product, seats) in owned_by_product(&self.owned, &rows.map) {
            features.owned(product, seats, self.is_of_owned);
        }
        let ours = |feature: &Feature| ours(&totals, feature);
        let daemon_peaks = self.peaks.finish(&ours, rows, sink);
        assumed(&mut notes, &totals, not_kept, features.joined);
        ImportSummary {
            kind: self.kind,
            lines: counts.lines,
            understood: counts.understood,
            not_understood: not_understood(counts),
            not_understood_more: counts.of_more_shapes,
            features: features.into_list(),
            features_more: 0,
            from: earlier(self.from, totals.from),
            to: later(self.to, totals.to),
            time_zone: told.time_zone,
            dates_from: told.dates_from,
            clock_changes: totals.clock_changes,
            unobserved_seconds: totals.unobserved_seconds,
            daemon_peak: daemon_peaks.iter().map(|peak| peak.seats).max(),
            daemon_peaks,
            rows: rows.made,
            left_out: rows.left_out,
            notes,
        }
    }

    fn span(&mut self, at: Timestamp) {
        self.from = earlier(self.from, Some(at));
        self.to = later(self.to, Some(at));
    }

    /// How many people a sum tells of: names as they are, and the highest number.
    fn sum(&mut self, it: &Summed) {
        if self.summed.len() >= SUMMED_LIMIT && !self.summed.contains_key(&it.product) {
            return;
        }
        let (people, told) = self.summed.entry(it.product.clone()).or_default();
        *told = it.users.unwrap_or(0).max(*told);
        let Some(holder) = &it.holder else {
            return;
        };
        let is_new = !holder.user.is_empty() && !people.contains(&holder.user);
        if is_new && self.summed_people < USERS_LIMIT {
            self.summed_people = self.summed_people.saturating_add(1);
            people.insert(holder.user.clone());
        }
    }
}

/// A use of a log, as a row. `last` is the last instant of which something is known.
fn say_use(used: &Use, last: Option<Timestamp>, rows: &mut Rows, sink: &mut Sink<'_>) {
    let used = Used {
        product: &Product::Foreign(used.feature.clone()),
        holder: &used.holder,
        from: used.from,
        until: used.until,
        seen_until: last.map(|last| last.max(used.from)),
        seats: used.seats,
        version: used.version.as_deref(),
        program: None,
        ending: match used.ending {
            Ending::Checkin => Some("checkin"),
            Ending::Inactive => Some("inactive"),
            Ending::Daemon => Some("daemon"),
            Ending::Open => None,
        },
    };
    rows.used(&used, sink);
}

/// Our count of the most of a feature: seats if they are known, else checkouts.
fn ours(totals: &Totals, feature: &Feature) -> Option<u64> {
    let counts = totals.features.iter().find(|it| it.feature == *feature)?;
    Some(counts.seats.map_or(counts.lines.count, |seats| seats.count))
}

/// Notes what bounds and files without a beginning make uncertain.
fn assumed(notes: &mut Vec<String>, totals: &Totals, not_kept: u64, joined: u64) {
    let unmatched = totals.features.iter().fold(0_u64, |sum, feature| {
        sum.saturating_add(feature.unmatched_checkins)
    });
    if unmatched > 0 {
        notes.push(format!(
            "{unmatched} checkins have no checkout before them: their uses began before the file does."
        ));
    }
    if totals.untracked > 0 {
        notes.push(format!(
            "{} checkouts are counted and not followed, because too many were open at once.",
            totals.untracked
        ));
    }
    if not_kept > 0 {
        notes.push(format!(
            "{not_kept} uses are taken in, but are in no peak of this answer: it holds {SPANS_LIMIT}."
        ));
    }
    if joined > 0 {
        notes.push(format!(
            "{joined} features are a product together with others: its peak is the highest of one."
        ));
    }
}

pub(crate) fn not_understood(counts: &Counts) -> Vec<usher_api::NotUnderstood> {
    let all = counts.not_understood().into_iter();
    all.map(|missed| usher_api::NotUnderstood {
        shape: missed.shape,
        count: missed.count,
        example: missed.example,
    })
    .collect()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}
