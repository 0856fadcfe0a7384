//! What a transaction changes in the roll-ups, held until it is written: however many uses begin and end
//! in a quarter of an hour, the quarter is written once.

use std::collections::BTreeSet;

use usher_core::usage::{Counted, Edge, Level};

use super::level::Levels;
use super::line::{Adds, LINES, Of};
use super::mark::{Mark, apply, marks};
use super::quarter::{QUARTERS_OF_DAY, day_of, number_of};

/// Changes that are held at once before they are written: 30 MB.
const HELD_LIMIT: usize = 500_000;

/// A quarter of an hour of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) product: i64,
    pub(crate) counted: Counted,
    pub(crate) quarter: i64,
}

/// A mark that is added to a quarter so many times, or (below 0) taken out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change {
    pub(crate) place: Place,
    pub(crate) mark: Mark,
    pub(crate) times: i64,
}

/// Over which days (UTC) what changes of a product reaches: the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spread {
    pub(crate) product: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Changes that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    marks: Vec<Change>,
    /// Of what is counted here: only of that days are packed.
    spreads: BTreeSet<Spread>,
}

impl Changes {
    /// Adds what a row says so many times; less than 0: takes it out.
    pub(crate) fn add(&mut self, product: i64, counted: Counted, adds: Adds, times: i64) {
        let spans = || adds.iter().flatten().map(|(_, span)| span);
        let first_ms = spans().map(|span| span.from_ms).min();
        let last_ms = spans().map(|span| span.until_ms).max();
        if let (Counted::Here, Some(first_ms), Some(last_ms)) = (counted, first_ms, last_ms) {
            self.spreads.insert(Spread {
                product,
                first: day_of(first_ms),
                last: day_of(last_ms),
            });
        }
        self.marks.extend(marks(adds).map(|mark| Change {
            place: Place {
                product,
                counted,
                quarter: number_of(mark.edge.at_ms),
            },
            mark,
            times,
        }));
    }

    /// Whether they are so many that they should be written.
    pub(crate) fn is_full(&self) -> bool {
        self.marks.len() >= HELD_LIMIT
    }

    /// All of them, by quarters in the order of their keys. Nothing is held then.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.marks);
        changes.sort_unstable();
        changes.dedup_by(|next, kept| {
            let is_same = (next.place, next.mark) == (kept.place, kept.mark);
            if is_same {
                kept.times += next.times;
            }
            is_same
        });
        changes.retain(|change| change.times != 0);
        changes
    }

    /// Over which days they reach, in the order of the products. None are held then.
    pub(crate) fn take_spreads(&mut self) -> BTreeSet<Spread> {
        std::mem::take(&mut self.spreads)
    }
}

/// Changes by quarters.
pub(crate) fn by_quarters(changes: &[Change]) -> impl Iterator<Item = (Place, &[Change])> {
    let quarters = changes.chunk_by(|one, other| one.place == other.place);
    quarters.filter_map(|quarter| Some((quarter.first()?.place, quarter)))
}

/// Whether nothing is taken out of a quarter: then what it has need not be read.
pub(crate) fn only_adds(quarter: &[Change]) -> bool {
    quarter.iter().all(|change| change.times > 0)
}

/// Carries out the changes of a quarter on marks that it has, and notes them for its day. The marks are in
/// their order then.
pub(crate) fn carry_out(quarter: &[Change], marks: &mut Vec<Mark>, days: &mut Days) {
    for change in quarter {
        let done = apply(marks, change.mark, change.times);
        days.add(change.place, change.mark.edge, done);
    }
    marks.sort_unstable();
}

/// A day (UTC) of a product, and the sums of what changes in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    product: i64,
    counted: Counted,
    day: i64,
    levels: Levels,
    /// In which quantities something changes, if only from and to the same level.
    touched: [bool; LINES.len()],
}

/// The days of quarters that are written in the order of their keys.
#[derive(Debug, Default)]
pub(crate) struct Days(Vec<Day>);

impl Days {
    /// Notes that an edge was added to a quarter, or taken out: for each quantity so many times.
    fn add(&mut self, place: Place, edge: Edge, times: [i64; LINES.len()]) {
        let number = place.quarter.div_euclid(QUARTERS_OF_DAY);
        let is_it = |day: &Day| {
            (day.product, day.counted, day.day) == (place.product, place.counted, number)
        };
        if !self.0.last().is_some_and(is_it) {
            self.0.push(Day {
                product: place.product,
                counted: place.counted,
                day: number,
                levels: Levels::default(),
                touched: Default::default(),
            });
        }
        let Some(day) = self.0.last_mut() else {
            return;
        };
        for (line, times) in LINES.into_iter().zip(times) {
            if times != 0 {
                day.touched[line.place()] = true;
                day.levels.add(
                    line,
                    Level {
                        seats: times.saturating_mul(edge.seats_change()),
                        uses: times.saturating_mul(edge.uses_change()),
                    },
                );
            }
        }
    }

    /// A row for each quantity of a day in which something changes: product, who counts, quantity, day,
    /// and by how many seats and uses.
    pub(crate) fn rows(&self) -> impl Iterator<Item = ([i64; 4], Level)> {
        self.0.iter().flat_map(|it| {
            let touched = LINES.into_iter().filter(|line| it.touched[line.place()]);
            touched.map(|line| {
                let of = Of {
                    product: it.product,
                    counted: it.counted,
                    line,
                };
                let [product, counted, line_number] = of.columns();
                let key = [product, counted, line_number, it.day];
                (key, it.levels.of(line))
            })
        })
    }
}
