//! The slow way to the figures of a bucket: every instant at which something happens is looked at,
//! and every row at each of them.

use std::collections::{BTreeMap, BTreeSet};

use usher_core::usage::{Bucket, Counted, Quantity, Row, Span};

/// The figures of a bucket that rows decide.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) sessions: u64,
    pub(crate) users: u64,
    pub(crate) computers: u64,
    pub(crate) open_ms: u64,
    pub(crate) peak: (u64, Option<i64>),
    pub(crate) running_peak: u64,
    pub(crate) p95: u64,
    pub(crate) mean: f64,
    pub(crate) owned: u64,
    pub(crate) reserved: u64,
    pub(crate) unseated: u64,
    pub(crate) unobserved_ms: u64,
}

pub(crate) struct Naive<'a> {
    pub(crate) counted: Counted,
    pub(crate) rows: &'a [Row],
    pub(crate) gaps: &'a [(i64, i64)],
    pub(crate) now_ms: i64,
}

fn is_instant(span: Span) -> bool {
    span.until_ms <= span.from_ms
}

/// In use after the ends of an instant and before those of what has no length.
fn counts_at(span: Span, ms: i64) -> bool {
    lasts_after(span, ms) || is_instant(span) && span.from_ms == ms
}

fn lasts_after(span: Span, ms: i64) -> bool {
    span.from_ms <= ms && ms < span.until_ms
}

fn overlaps(span: Span, from_ms: i64, to_ms: i64) -> bool {
    match is_instant(span) {
        true => from_ms <= span.from_ms && span.from_ms < to_ms,
        false => span.from_ms < to_ms && from_ms < span.until_ms,
    }
}

/// One use: its seats, and the rows that say when.
type Use = (u64, Vec<Span>);

fn level(uses: &[Use], counts: impl Fn(Span) -> bool) -> u64 {
    let now = uses
        .iter()
        .filter(|(_, spans)| spans.iter().any(|span| counts(*span)));
    now.map(|(seats, _)| seats).sum()
}

impl Naive<'_> {
    fn of(&self, quantities: &[Quantity]) -> impl Iterator<Item = &Row> {
        let is_one = move |row: &&Row| quantities.contains(&row.quantity);
        self.rows.iter().filter(is_one)
    }

    fn uses(&self, quantities: &[Quantity]) -> Vec<Use> {
        let mut uses: BTreeMap<(Quantity, Option<u128>, usize), Use> = BTreeMap::new();
        for (place, row) in self.of(quantities).enumerate() {
            let alone = row.one_use.map_or(place, |_| 0);
            let of = uses.entry((row.quantity, row.one_use, alone)).or_default();
            of.0 = of.0.max(u64::from(row.span.seats));
            of.1.push(row.span);
        }
        uses.into_values().collect()
    }

    fn is_observed(&self, ms: i64) -> bool {
        !self
            .gaps
            .iter()
            .any(|(from_ms, to_ms)| *from_ms <= ms && ms < *to_ms)
    }

    /// The figures of each bucket.
    pub(crate) fn figures(&self, buckets: &[Bucket]) -> Vec<Figures> {
        let mut instants: BTreeSet<i64> = BTreeSet::new();
        for row in self.rows {
            instants.extend([row.span.from_ms, row.span.until_ms]);
        }
        instants.extend(self.gaps.iter().flat_map(|gap| [gap.0, gap.1]));
        instants.extend(
            buckets
                .iter()
                .flat_map(|bucket| [bucket.from_ms, bucket.to_ms]),
        );
        instants.insert(self.now_ms);
        let instants: Vec<i64> = instants.into_iter().collect();
        let wanted: &[Quantity] = match self.counted {
            Counted::Here => &[Quantity::InUse, Quantity::Unseated],
            Counted::Elsewhere => &[Quantity::InUse],
        };
        let at_each = |uses: &[Use]| -> Vec<u64> {
            let at = |ms: &i64| level(uses, |span| counts_at(span, *ms));
            instants.iter().map(at).collect()
        };
        let wanted = self.uses(wanted);
        let levels = Levels {
            wanted: at_each(&wanted),
            lasting: instants
                .iter()
                .map(|ms| level(&wanted, |span| lasts_after(span, *ms)))
                .collect(),
            running: at_each(&self.uses(&[Quantity::Running])),
            owned: at_each(&self.uses(&[Quantity::Owned])),
            reserved: at_each(&self.uses(&[Quantity::Reserved])),
            instants,
        };
        let each = buckets.iter().map(|bucket| self.of_one(*bucket, &levels));
        each.collect()
    }

    fn of_one(&self, bucket: Bucket, levels: &Levels) -> Figures {
        let (from_ms, to_ms) = (bucket.from_ms, bucket.to_ms.min(self.now_ms));
        let mut figures = Figures::default();
        if to_ms <= from_ms {
            return figures;
        }
        let mut at_level: BTreeMap<u64, u64> = BTreeMap::new();
        for (place, ms) in levels.instants.iter().enumerate() {
            if !(from_ms <= *ms && *ms < to_ms) {
                continue;
            }
            if levels.wanted[place] > figures.peak.0 {
                figures.peak = (levels.wanted[place], Some(*ms));
            }
            figures.running_peak = figures.running_peak.max(levels.running[place]);
            figures.owned = figures.owned.max(levels.owned[place]);
            figures.reserved = figures.reserved.max(levels.reserved[place]);
            let next_ms = levels.instants[place + 1..]
                .first()
                .copied()
                .unwrap_or(to_ms);
            let length_ms = next_ms.min(to_ms).abs_diff(*ms);
            match self.is_observed(*ms) {
                true => *at_level.entry(levels.lasting[place]).or_default() += length_ms,
                false => figures.unobserved_ms += length_ms,
            }
        }
        let observed_ms: u64 = at_level.values().sum();
        if observed_ms > 0 {
            let seat_ms: u64 = at_level.iter().map(|(level, ms)| level * ms).sum();
            figures.mean = seat_ms as f64 / observed_ms as f64;
            let exceeded = |level: u64| at_level.range(level + 1..).map(|(_, ms)| ms).sum::<u64>();
            let enough = at_level
                .keys()
                .find(|level| exceeded(**level) * 100 <= observed_ms * 5);
            figures.p95 = *enough.unwrap();
        }
        let within = |quantities: &[Quantity]| -> Vec<Row> {
            let rows = self
                .of(quantities)
                .filter(|row| overlaps(row.span, from_ms, to_ms));
            rows.copied().collect()
        };
        let sessions = within(match self.counted {
            Counted::Here => &[Quantity::Running],
            Counted::Elsewhere => &[Quantity::InUse],
        });
        figures.sessions = sessions.len() as u64;
        let lengths = sessions.iter().map(|row| {
            let (from_ms, to_ms) = (row.span.from_ms.max(from_ms), row.span.until_ms.min(to_ms));
            u64::try_from(to_ms - from_ms).unwrap_or(0)
        });
        figures.open_ms = lengths.sum();
        figures.unseated = within(&[Quantity::Unseated]).len() as u64;
        let uses = within(&[Quantity::InUse, Quantity::Running, Quantity::Unseated]);
        let users: BTreeSet<u64> = uses.iter().map(|row| row.person).collect();
        let computers: BTreeSet<u64> = uses.iter().map(|row| row.computer).collect();
        (figures.users, figures.computers) = (users.len() as u64, computers.len() as u64);
        figures
    }
}

/// At each instant, in order.
struct Levels {
    instants: Vec<i64>,
    wanted: Vec<u64>,
    lasting: Vec<u64>,
    running: Vec<u64>,
    owned: Vec<u64>,
    reserved: Vec<u64>,
}
