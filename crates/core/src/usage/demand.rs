//! How many seats were wanted at once, granted or not, and how many seats each start needed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rustc_hash::{FxHashMap, FxHashSet};

use super::free::{Free, Range};

/// Seats that somebody had or wanted for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Who shares: all that one holder wants at once takes the seats of the largest of it, and none
    /// beside the holder's own seats.
    pub holder: u64,
    /// Whether it takes seats of its own, beside those of its holder: a lease does.
    pub is_own: bool,
    /// How many seats were wanted.
    pub seats: u32,
    /// When it began, in Unix milliseconds.
    pub from_ms: i64,
    /// When it ended: at that instant its seats are free. `i64::MAX` while it lasts. One that ends
    /// as it begins counts at that instant.
    pub until_ms: i64,
}

/// A want for which its holder needed further seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The index of the want in the list.
    pub want: usize,
    /// The least number of seats with which it is granted; with fewer it is refused.
    pub needs: u64,
}

/// The demand for the seats of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// The starts, in the order in which they began.
    pub starts: Vec<Start>,
    /// The largest number of seats that were wanted at once.
    pub peak: u64,
    /// The first instant at which so many were wanted; none: nobody wanted anything.
    pub peak_at_ms: Option<i64>,
}

impl Demand {
    /// The indices of the wants that so many seats would refuse, in the order in which they began.
    /// More seats never refuse a want that fewer seats grant.
    pub fn refused(&self, seats: u64) -> impl Iterator<Item = usize> + '_ {
        let refused = self.starts.iter().filter(move |start| start.needs > seats);
        refused.map(|start| start.want)
    }
}

/// Goes through `wants` once. Seats are numbered, and each start takes the lowest that are free, so
/// those that have a seat among the first N are those whom N seats let in while the others get none.
/// That is exact for wants of one seat. One of several seats that is refused keeps the lower of
/// them, so more may be refused after it than would have been.
///
/// Of wants that begin at one instant the first in the list comes first. Takes memory in proportion
/// to the wants, and sorts them.
pub fn demand(wants: &[Want]) -> Demand {
    let mut order: Vec<usize> = (0..wants.len()).collect();
    order.sort_by_key(|at| (wants[*at].from_ms, *at));
    let mut sweep = Sweep {
        wants,
        ..Sweep::default()
    };
    let mut begin = order.as_slice();
    // After the last start nothing more is wanted than before.
    while let Some(next) = begin.first() {
        let now_ms = sweep.next_end_ms().min(wants[*next].from_ms);
        let many = begin.iter().take_while(|at| wants[**at].from_ms == now_ms);
        let (starting, later) = begin.split_at(many.count());
        begin = later;
        sweep.pass(now_ms, starting);
    }
    sweep.found
}

/// What is wanted at one instant.
#[derive(Default)]
struct Sweep<'a> {
    wants: &'a [Want],
    /// When each want ends, the earliest first.
    ends: BinaryHeap<Reverse<(i64, usize)>>,
    holders: FxHashMap<u64, Holder>,
    /// The seats of each want that has its own.
    own: FxHashMap<usize, Vec<Range>>,
    free: Free,
    taken: u64,
    found: Demand,
}

/// The wants of one holder.
#[derive(Default)]
struct Holder {
    /// Seats of its own.
    own: u64,
    /// The number of its shared wants, by how many seats they are for.
    shared: BTreeMap<u32, u32>,
    /// Seats that the shared wants take beyond its own.
    beyond: Vec<Range>,
    beyond_count: u64,
}

impl Holder {
    /// Seats that its shared wants need beyond its own.
    fn needs(&self) -> u64 {
        let largest = self.shared.last_key_value().map_or(0, |(seats, _)| *seats);
        u64::from(largest).saturating_sub(self.own)
    }
}

impl Sweep<'_> {
    fn next_end_ms(&self) -> i64 {
        self.ends.peek().map_or(i64::MAX, |Reverse((at, _))| *at)
    }

    /// Handles one instant: first what ends, then what lasts, then what begins.
    fn pass(&mut self, now_ms: i64, starting: &[usize]) {
        let mut touched = FxHashSet::default();
        while self.next_end_ms() <= now_ms
            && let Some(Reverse((_, at))) = self.ends.pop()
        {
            self.end(at);
            touched.insert(self.wants[at].holder);
        }
        for want in starting.iter().map(|at| &self.wants[*at]) {
            if want.is_own {
                self.holders.entry(want.holder).or_default().own += u64::from(want.seats);
                touched.insert(want.holder);
            }
        }
        for holder in touched {
            self.level(holder);
        }
        for at in starting {
            self.begin(*at);
        }
        if self.taken > self.found.peak {
            self.found.peak = self.taken;
            self.found.peak_at_ms = Some(now_ms);
        }
    }

    fn end(&mut self, at: usize) {
        let want = &self.wants[at];
        let Some(holder) = self.holders.get_mut(&want.holder) else {
            return;
        };
        if want.is_own {
            holder.own -= u64::from(want.seats);
            if let Some(mut seats) = self.own.remove(&at) {
                self.free.give_back(&mut seats, u64::from(want.seats));
                self.taken -= u64::from(want.seats);
            }
        } else if let Some(count) = holder.shared.get_mut(&want.seats) {
            *count -= 1;
            if *count == 0 {
                holder.shared.remove(&want.seats);
            }
        }
    }

    /// Gives the holder's shared wants as many seats as they need beyond its own.
    fn level(&mut self, id: u64) {
        let Some(holder) = self.holders.get_mut(&id) else {
            return;
        };
        let needs = holder.needs();
        if needs < holder.beyond_count {
            let many = holder.beyond_count - needs;
            self.free.give_back(&mut holder.beyond, many);
            self.taken -= many;
        } else {
            let many = needs - holder.beyond_count;
            holder.beyond.extend(self.free.take(many));
            self.taken += many;
        }
        holder.beyond_count = needs;
        if holder.own == 0 && holder.shared.is_empty() {
            self.holders.remove(&id);
        }
    }

    fn begin(&mut self, at: usize) {
        let want = &self.wants[at];
        let highest = |seats: &[Range]| seats.iter().map(|range| range.highest()).max();
        let needs = if want.is_own {
            let seats = self.free.take(u64::from(want.seats));
            self.taken += u64::from(want.seats);
            let needs = highest(&seats);
            self.own.insert(at, seats);
            needs
        } else {
            let holder = self.holders.entry(want.holder).or_default();
            *holder.shared.entry(want.seats).or_default() += 1;
            let before = holder.beyond_count;
            self.level(want.holder);
            let holder = self.holders.get(&want.holder);
            let is_more = |holder: &&Holder| holder.beyond_count > before;
            holder.filter(is_more).and_then(|it| highest(&it.beyond))
        };
        if let Some(needs) = needs {
            self.found.starts.push(Start { want: at, needs });
        }
        self.ends.push(Reverse((want.until_ms, at)));
    }
}
