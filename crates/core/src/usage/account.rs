//! All that is known of the use of one product: each row once, and each quantity apart.

use rustc_hash::FxHashMap;

use super::edge::Span;
use super::timeline::Timeline;
use super::united::united;

/// What a row says. No quantity is part of another: each has a timeline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// A lease; for a product that is counted elsewhere, a checkout.
    InUse,
    /// A session, with a seat or without.
    Running,
    /// A session for as long as it had no seat.
    Unseated,
    /// Seats that are reserved for somebody, whether they use them or not.
    Reserved,
    /// A wait for seats.
    Waiting,
    /// Seats in use beyond those owned.
    Overdraft,
    /// Seats owned.
    Owned,
}

const QUANTITIES: usize = 7;

/// Who counts a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// A metering server: leases count, and sessions without a seat beside them.
    Here,
    /// Another licence server: its checkouts count.
    Elsewhere,
}

/// A row, as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The quantity that the change is of.
    pub quantity: Quantity,
    /// Rows of one quantity with the same key here are one use: sessions that share a lease.
    pub one_use: Option<u128>,
    /// The person: a surrogate.
    pub person: u64,
    /// On which computer: a surrogate.
    pub computer: u64,
    /// When, and of how many seats.
    pub span: Span,
    /// For how many milliseconds of it somebody touched the program; none if that is not recorded.
    pub active_ms: Option<u64>,
}

/// The use of one product. It takes memory in proportion to the rows: who asks bounds them by the
/// time that is asked about.
#[derive(Debug, Clone)]
pub struct Account {
    counted: Counted,
    rows: FxHashMap<u128, Row>,
    /// The rows of each use that has a key.
    uses: FxHashMap<(Quantity, u128), Vec<u128>>,
    lines: [Timeline; QUANTITIES],
    /// What peak, p95 and mean are of.
    wanted: Timeline,
}

impl Account {
    /// Nothing is known yet.
    pub fn new(counted: Counted) -> Account {
        Account {
            counted,
            rows: FxHashMap::default(),
            uses: FxHashMap::default(),
            lines: Default::default(),
            wanted: Timeline::default(),
        }
    }

    /// Who counts the product.
    pub fn counted(&self) -> Counted {
        self.counted
    }

    /// Takes a row in, in whatever order they come. `key` tells it from all others: told twice, it
    /// is there once; told otherwise, as when a use that lasted has ended, what is told last is
    /// true. Answers whether anything has changed. A row costs a step for each other row of its
    /// use.
    pub fn put(&mut self, key: u128, row: Row) -> bool {
        if self.rows.get(&key) == Some(&row) {
            return false;
        }
        self.take_out(key);
        let Some(one_use) = row.one_use else {
            self.rows.insert(key, row);
            self.change(row.quantity, &[], &[row.span]);
            return true;
        };
        let of = (row.quantity, one_use);
        let before = self.spans_of(of);
        self.rows.insert(key, row);
        self.uses.entry(of).or_default().push(key);
        let after = self.spans_of(of);
        self.change(row.quantity, &before, &after);
        true
    }

    /// Takes a row out again. Answers whether it was there.
    pub fn take_out(&mut self, key: u128) -> bool {
        let Some(row) = self.rows.get(&key).copied() else {
            return false;
        };
        let Some(one_use) = row.one_use else {
            self.rows.remove(&key);
            self.change(row.quantity, &[row.span], &[]);
            return true;
        };
        let of = (row.quantity, one_use);
        let before = self.spans_of(of);
        self.rows.remove(&key);
        if let Some(keys) = self.uses.get_mut(&of) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.uses.remove(&of);
            }
        }
        let after = self.spans_of(of);
        self.change(row.quantity, &before, &after);
        true
    }

    /// The rows, in no particular order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> + '_ {
        self.rows.values()
    }

    /// One quantity over time.
    pub fn line(&self, quantity: Quantity) -> &Timeline {
        &self.lines[quantity as usize]
    }

    /// What peak, p95 and mean are of: leases and what runs unseated, or the checkouts of another
    /// licence server.
    pub fn wanted(&self) -> &Timeline {
        &self.wanted
    }

    /// The quantity whose uses are the sessions of the product.
    pub fn sessions(&self) -> Quantity {
        match self.counted {
            Counted::Here => Quantity::Running,
            Counted::Elsewhere => Quantity::InUse,
        }
    }

    fn spans_of(&self, of: (Quantity, u128)) -> Vec<Span> {
        let keys = self.uses.get(&of).map_or(&[][..], |keys| keys);
        let rows = keys.iter().filter_map(|key| self.rows.get(key));
        let spans: Vec<Span> = rows.map(|row| row.span).collect();
        united(&spans)
    }

    fn change(&mut self, quantity: Quantity, before: &[Span], after: &[Span]) {
        let is_wanted = match self.counted {
            Counted::Here => matches!(quantity, Quantity::InUse | Quantity::Unseated),
            Counted::Elsewhere => quantity == Quantity::InUse,
        };
        let wanted = is_wanted.then_some(&mut self.wanted);
        let line = &mut self.lines[quantity as usize];
        for timeline in [Some(line), wanted].into_iter().flatten() {
            before.iter().for_each(|span| timeline.take_out(*span));
            after.iter().for_each(|span| timeline.add(*span));
        }
    }
}
